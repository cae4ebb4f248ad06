import { type Fault, fault } from "../engine/fault.ts";
import { START } from "./format.ts";
import type { Identity, Seen } from "./landing_place.ts";
import { isUsed, type LedgerEntry } from "./ledger.ts";

/** What becomes of a file whose used content was replaced by another. */
export type OnOverwrite = "correction" | "ignore" | "quarantine";

/** A file as it was found. `continues` is about the content in the ledger. */
export interface Found extends Seen, Identity {
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
  if (known !== undefined && known.contentId === found.contentId && known.sizeBytes === found.sizeBytes) return unchanged(found, known);
  const hasGrown = known !== undefined && rules.grows && known.state !== "quarantined" && found.continues;
  if (known !== undefined && hasGrown) {
    const base = grown(found, known);
    return { entry: twin === undefined ? base : takenOver(base, twin), fault: null };
  }
  const isFirst = known === undefined || known.state === "discovered";
  const base = freshEntry(found, known === undefined ? 0 : known.generation + (isFirst ? 0 : 1));
  if (twin !== undefined) return { entry: takenOver(base, twin), fault: null };
  if (isFirst || known.state === "quarantined" || known.state === "archived") return { entry: base, fault: null };
  return replaced(base, known, rules);
}

function unchanged({ modifiedMs, etag }: Found, known: LedgerEntry): Verdict {
  const isTouched = modifiedMs !== known.modifiedMs || etag !== known.etag;
  return { entry: isTouched ? { ...known, modifiedMs, etag } : known, fault: null };
}

/** An entry for a content of which nothing was used. */
export function freshEntry(found: Found, generation: number): LedgerEntry {
  const { path, sizeBytes, contentId, madeAtMs, etag, modifiedMs, foundAtMs } = found;
  return {
    path,
    sizeBytes,
    contentId,
    madeAtMs,
    etag,
    modifiedMs,
    generation,
    state: "discovered",
    discoveredAtMs: foundAtMs,
    foundAtMs,
    startedAtMs: null,
    committedAtMs: null,
    archivedAtMs: null,
    rows: 0,
    faults: 0,
    ...START,
    tail: null,
    sameAs: null,
    error: null,
  };
}

/** Goes on where the shorter content ended; what is new arrives now. */
function grown({ sizeBytes, contentId, etag, modifiedMs, foundAtMs }: Found, known: LedgerEntry): LedgerEntry {
  return {
    ...known,
    sizeBytes,
    contentId,
    etag,
    modifiedMs,
    foundAtMs,
    state: known.startedAtMs === null ? "discovered" : "processing",
    rows: known.rows - (known.tail === null ? 0 : 1),
    faults: known.faults - (known.tail === null || known.tail === "record" ? 0 : 1),
    tail: null,
    sameAs: null,
    error: null,
  };
}

function takenOver(base: LedgerEntry, twin: LedgerEntry): LedgerEntry {
  const { path, offset, row, shape } = twin;
  const entry = { ...base, offset, row, shape, sameAs: path };
  return isUsed(twin) ? { ...entry, state: "committed", committedAtMs: base.foundAtMs } : { ...entry, state: "processing" };
}

function replaced(base: LedgerEntry, known: LedgerEntry, { grows, onOverwrite }: RevisionRules): Verdict {
  const isShorter = grows && base.sizeBytes < known.offset;
  if (onOverwrite === "ignore") {
    const { rows, faults, row } = known;
    const error = `passed over: ${isShorter ? "shrunk_file" : "overwritten_file"}`;
    return {
      entry: { ...base, state: "committed", committedAtMs: base.foundAtMs, rows, faults, row, offset: base.sizeBytes, error },
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
