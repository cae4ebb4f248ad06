import { invariant } from "../engine/fault.ts";
import { Position } from "../engine/ids.ts";

/** What has become of a file. `discovered`: known, no row used. `processing`: used up to (offset, row). */
export type FileState = "discovered" | "processing" | "committed" | "quarantined";

/** All that is known of a file; as JSON text it is the position of its partition. */
export interface LedgerEntry {
  /** Relative to the location of the source, with slashes: the name of the partition. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly modifiedMs: number;
  /** n-th content of this path, 0 for the first. */
  readonly generation: number;
  readonly state: FileState;
  /** When this content was found, or had grown: arrival of its records. */
  readonly discoveredAtMs: number;
  readonly startedAtMs: number | null;
  readonly committedAtMs: number | null;
  /** Rows handed over, and how many of them as faults. */
  readonly rows: number;
  readonly faults: number;
  /** Where to go on. */
  readonly row: number;
  readonly offset: number;
  readonly shape: string | null;
  /** True: what lies behind `offset` was given up as one fault. Should the file grow, it is tried again. */
  readonly tailGivenUp: boolean;
  /** Another path with the same content, which is why this one was not read. */
  readonly sameAs: string | null;
  /** Why the file is quarantined, or was passed over. */
  readonly error: string | null;
}

export function positionOf(entry: LedgerEntry): Position {
  return Position(JSON.stringify(entry));
}

/** The partition that stands for no file: it says that the source has been started once. */
export const FIRST_START = "";

/** All files a source knows. Grows with their number: a file is known for ever. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #pathsBySha = new Map<string, Set<string>>();

  constructor(positions: ReadonlyMap<string, Position>) {
    for (const [path, position] of positions) {
      if (path === FIRST_START) continue;
      const entry = JSON.parse(position) as LedgerEntry;
      invariant(entry.path === path, `the position of ${path} is its ledger entry`);
      this.set(entry);
    }
  }

  get(path: string): LedgerEntry | undefined {
    return this.#entries.get(path);
  }

  set(entry: LedgerEntry): void {
    const { path, sha256 } = entry;
    const before = this.#entries.get(path);
    if (before !== undefined && before.sha256 !== sha256) this.#pathsBySha.get(before.sha256)?.delete(path);
    this.#entries.set(path, entry);
    const paths = this.#pathsBySha.get(sha256) ?? new Set();
    this.#pathsBySha.set(sha256, paths.add(path));
  }

  /** Another path with this content, of which at least a part was used. */
  twinOf(path: string, sha256: string): LedgerEntry | undefined {
    for (const other of this.#pathsBySha.get(sha256) ?? []) {
      const entry = this.#entries.get(other);
      if (other !== path && entry !== undefined && (entry.state === "committed" || entry.row > 0)) return entry;
    }
    return undefined;
  }
}
