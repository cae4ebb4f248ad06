import { type Fault, fault } from "../engine/fault.ts";
import { START } from "./format.ts";
import type { LedgerEntry } from "./ledger.ts";

/** What becomes of a file whose used content was replaced by another. */
export type OnOverwrite = "correction" | "ignore" | "quarantine";

/** A file as it was found, hashed. `prefixSha256`: of as many bytes as the ledger knows, null if it has fewer now. */
export interface Found {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
  readonly prefixSha256: string | null;
  readonly foundAtMs: number;
}

/** What the ledger is to say. An entry that is `discovered` or `processing` is to be read on; a fault stands for a content that is not read. */
export interface Verdict {
  readonly entry: LedgerEntry;
  readonly fault: Fault | null;
}

export interface RevisionRules {
  /** Whether a file of this format may grow. */
  readonly grows: boolean;
  readonly onOverwrite: OnOverwrite;
}

/**
 * Compares a file with what the ledger knows: the same content, grown, new, or another one than was used. `twin`: another path with this content,
 * of which this one takes over the place, so that no row is read twice.
 */
export function verdictOn(found: Found, known: LedgerEntry | undefined, twin: LedgerEntry | undefined, rules: RevisionRules): Verdict {
  if (known !== undefined && known.sha256 === found.sha256 && known.sizeBytes === found.sizeBytes) return unchanged(found, known);
  const hasGrown = known !== undefined && rules.grows && known.state !== "quarantined" && known.sha256 === found.prefixSha256;
  if (known !== undefined && hasGrown) {
    const base = grown(found, known);
    return { entry: twin === undefined ? base : takenOver(base, twin), fault: null };
  }
  const isFirst = known === undefined || known.state === "discovered";
  const base = freshEntry(found, known === undefined ? 0 : known.generation + (isFirst ? 0 : 1));
  if (twin !== undefined) return { entry: takenOver(base, twin), fault: null };
  if (isFirst || known.state === "quarantined") return { entry: base, fault: null };
  return replaced(base, known, rules);
}

function unchanged({ modifiedMs }: Found, known: LedgerEntry): Verdict {
  return { entry: modifiedMs === known.modifiedMs ? known : { ...known, modifiedMs }, fault: null };
}

/** An entry for a content of which nothing was used. */
export function freshEntry({ path, sizeBytes, sha256, modifiedMs, foundAtMs }: Found, generation: number): LedgerEntry {
  return {
    path,
    sizeBytes,
    sha256,
    modifiedMs,
    generation,
    state: "discovered",
    discoveredAtMs: foundAtMs,
    startedAtMs: null,
    committedAtMs: null,
    rows: 0,
    faults: 0,
    ...START,
    tailGivenUp: false,
    sameAs: null,
    error: null,
  };
}

/** Goes on where the shorter content ended; what is new arrives now. */
function grown({ sizeBytes, sha256, modifiedMs, foundAtMs }: Found, known: LedgerEntry): LedgerEntry {
  const untried = known.tailGivenUp ? 1 : 0;
  return {
    ...known,
    sizeBytes,
    sha256,
    modifiedMs,
    discoveredAtMs: foundAtMs,
    state: known.startedAtMs === null ? "discovered" : "processing",
    rows: known.rows - untried,
    faults: known.faults - untried,
    tailGivenUp: false,
    sameAs: null,
    error: null,
  };
}

function takenOver(base: LedgerEntry, { path, state, offset, row, shape }: LedgerEntry): LedgerEntry {
  const entry = { ...base, offset, row, shape, sameAs: path };
  return state === "committed" ? { ...entry, state, committedAtMs: base.discoveredAtMs } : { ...entry, state: "processing" };
}

function replaced(base: LedgerEntry, known: LedgerEntry, { grows, onOverwrite }: RevisionRules): Verdict {
  const isShorter = grows && base.sizeBytes < known.offset;
  if (onOverwrite === "ignore") {
    const { rows, faults, row } = known;
    const error = `passed over: ${isShorter ? "shrunk_file" : "overwritten_file"}`;
    return {
      entry: { ...base, state: "committed", committedAtMs: base.discoveredAtMs, rows, faults, row, offset: base.sizeBytes, error },
      fault: null,
    };
  }
  if (isShorter) return refused(base, fault("shrunk_file", `the file is shorter than the ${known.offset} bytes that were used of it`));
  if (onOverwrite === "quarantine") return refused(base, fault("overwritten_file", "the file has another content than was used of it"));
  return { entry: base, fault: null };
}

/** One fault stands for the whole file. */
function refused(base: LedgerEntry, reason: Fault): Verdict {
  return { entry: { ...base, state: "quarantined", rows: 1, faults: 1, error: reason.code }, fault: reason };
}
