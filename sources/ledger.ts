import { bell } from "../engine/bell.ts";
import { type FaultCode, invariant } from "../engine/fault.ts";
import { Position } from "../engine/ids.ts";
import type { Known, Seen } from "./landing_place.ts";

/** What has become of a file. `discovered`: known, no row used. `processing`: used up to (offset, row). `archived`: committed, then moved or removed. */
export type FileState = "discovered" | "processing" | "committed" | "archived" | "quarantined";

/** All that is known of a file; as JSON text it is the position of the partition that has its path as name. */
export interface LedgerEntry extends Known {
  /** n-th content of this path, 0 for the first. */
  readonly generation: number;
  readonly state: FileState;
  /** When this content was found. */
  readonly discoveredAtMs: number;
  /** When it was found as long as it is now: arrival of the records to come. */
  readonly foundAtMs: number;
  readonly startedAtMs: number | null;
  readonly committedAtMs: number | null;
  readonly archivedAtMs: number | null;
  /** Rows handed over, and how many of them as faults. */
  readonly rows: number;
  readonly faults: number;
  /** Where to go on. */
  readonly row: number;
  readonly offset: number;
  readonly shape: string | null;
  /** What lies behind `offset`, unfinished, was handed over as: a record, this fault, nothing. Should the file grow, it is read again. */
  readonly tail: FaultCode | "record" | null;
  /** Another path with the same content, which is why this one was not read. */
  readonly sameAs: string | null;
  /** Why the file is quarantined, or was passed over. */
  readonly error: string | null;
}

export function positionOf(entry: LedgerEntry): Position {
  return Position(JSON.stringify(entry));
}

/** Whether every row of a file was used. */
export function isUsed({ state }: LedgerEntry): boolean {
  return state === "committed" || state === "archived";
}

/** Whether a listing shows a file as the ledger knows it. */
export function isAsKnown(seen: Seen, { sizeBytes, modifiedMs, etag }: LedgerEntry): boolean {
  return seen.sizeBytes === sizeBytes && seen.modifiedMs === modifiedMs && seen.etag === etag;
}

/** The partition that stands for no file: it says that the source has been started once. */
export const FIRST_START = "";

/** All files a source knows. Grows with their number: a file is known for ever. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #pathsById = new Map<string, Set<string>>();
  /** What is not known to be flushed. */
  readonly #unstored = new Map<string, LedgerEntry>();
  readonly #news = bell();

  constructor(positions: ReadonlyMap<string, Position>) {
    for (const [path, position] of positions) {
      if (path === FIRST_START) continue;
      const entry = JSON.parse(position) as LedgerEntry;
      invariant(entry.path === path, `the position of ${path} is its ledger entry`);
      this.set(entry);
    }
    this.#unstored.clear();
  }

  get(path: string): LedgerEntry | undefined {
    return this.#entries.get(path);
  }

  set(entry: LedgerEntry): void {
    const { path, contentId } = entry;
    const before = this.#entries.get(path);
    if (before !== undefined && before.contentId !== contentId) this.#pathsById.get(before.contentId)?.delete(path);
    this.#entries.set(path, entry);
    this.#unstored.set(path, entry);
    const paths = this.#pathsById.get(contentId) ?? new Set();
    this.#pathsById.set(contentId, paths.add(path));
  }

  /** These positions are flushed. */
  stored(positions: ReadonlyMap<string, Position>): void {
    for (const [path, position] of positions) {
      const entry = this.#unstored.get(path);
      if (entry !== undefined && positionOf(entry) === position) this.#unstored.delete(path);
    }
    this.#news.ring();
  }

  /** Resolves when what is known of a path is flushed. Rejects with the reason of the signal. */
  async whenStored(path: string, signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", this.#news.ring, { once: true });
    for (let news = this.#news.heard(); !this.isStored(path); news = this.#news.heard()) {
      signal.throwIfAborted();
      await news;
    }
    signal.removeEventListener("abort", this.#news.ring);
  }

  /** Whether what is known of a path is flushed. */
  isStored(path: string): boolean {
    return this.#entries.has(path) && !this.#unstored.has(path);
  }

  /** Another path with this content, of which at least a part was used. */
  twinOf(path: string, contentId: string): LedgerEntry | undefined {
    for (const other of this.#pathsById.get(contentId) ?? []) {
      const entry = this.#entries.get(other);
      if (other !== path && entry !== undefined && (isUsed(entry) || entry.row > 0)) return entry;
    }
    return undefined;
  }
}
