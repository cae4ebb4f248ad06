import type { Clock } from "../engine/clock.ts";
import type { Batch } from "../engine/source.ts";
import { utcDate } from "../engine/utc_date.ts";
import { FileChanged } from "./format.ts";
import type { LandedFile, LandingPlace, Seen } from "./landing_place.ts";
import { isAsKnown, isUsed, type Ledger, type LedgerEntry, positionOf } from "./ledger.ts";

/** What becomes of files once they are used. */
export type CleanRule = { readonly mode: "off" } | { readonly mode: "archive" | "delete"; readonly retentionMs: number };

export interface CleaningOptions {
  readonly place: LandingPlace;
  readonly clean: CleanRule;
  readonly clock: Clock;
}

/** So many entries are stored at once. */
const ENTRIES_MAX = 100;

/**
 * Moves or removes files whose rows were all used, once that is flushed and some time ago. A file that has changed is never touched, nor is one that
 * was quarantined or passed over. First the file goes, then the ledger says so: after a crash in between it stays committed, and is gone.
 */
export class Cleaning {
  readonly #options: CleaningOptions;
  readonly #ledger: Ledger;
  readonly #signal: AbortSignal;
  /** Paths whose file is not the one that was used, though it looks like it. */
  readonly #others = new Set<string>();

  constructor({ place, clean, clock }: CleaningOptions, ledger: Ledger, signal: AbortSignal) {
    this.#options = { place, clean, clock };
    this.#ledger = ledger;
    this.#signal = signal;
  }

  /** Cleans those of the listed files that are due; the batches have no records. */
  async *batches(listed: readonly Seen[]): AsyncGenerator<Batch, void> {
    const { clean } = this.#options;
    if (clean.mode === "off") return;
    const due = listed.filter((seen) => this.#isDue(seen, clean.retentionMs));
    for (let n = 0; n < due.length; n += ENTRIES_MAX) {
      const entries: LedgerEntry[] = [];
      for (const { path } of due.slice(n, n + ENTRIES_MAX)) {
        const entry = await this.#cleaned(path, clean.mode);
        if (entry !== null) entries.push(entry);
      }
      if (entries.length > 0) yield this.#batch(entries);
    }
  }

  #isDue(seen: Seen, retentionMs: number): boolean {
    const entry = this.#ledger.get(seen.path);
    if (entry === undefined || !isUsed(entry) || entry.error !== null || !isAsKnown(seen, entry)) return false;
    const dueAtMs = (entry.committedAtMs ?? Number.POSITIVE_INFINITY) + retentionMs;
    return dueAtMs <= this.#options.clock.now() && this.#ledger.isStored(seen.path) && !this.#others.has(seen.path);
  }

  /** Null: it is not the file that was used, or is gone. */
  async #cleaned(path: string, mode: "archive" | "delete"): Promise<LedgerEntry | null> {
    const { clock, place } = this.#options;
    const entry = this.#ledger.get(path);
    const file = await place.open(path, this.#signal);
    if (entry === undefined || file === null) return null;
    try {
      const isDone = (await this.#isSame(file, entry)) && (await this.#done(file, entry, mode));
      if (!isDone) this.#others.add(path);
      return isDone ? { ...entry, state: "archived", archivedAtMs: clock.now() } : null;
    } finally {
      await file.close();
    }
  }

  async #isSame(file: LandedFile, entry: LedgerEntry): Promise<boolean> {
    try {
      const { contentId } = await file.identity(undefined, this.#signal);
      return contentId === entry.contentId && file.sizeBytes === entry.sizeBytes;
    } catch (error) {
      if (error instanceof FileChanged) return false;
      throw error;
    }
  }

  #done(file: LandedFile, { committedAtMs, contentId, path }: LedgerEntry, mode: "archive" | "delete"): Promise<boolean> {
    if (mode === "delete") return file.remove(this.#signal);
    const day = utcDate(committedAtMs ?? 0).replaceAll("-", "/");
    return file.archive(`${day}/${path}`, contentId, this.#signal);
  }

  #batch(entries: readonly LedgerEntry[]): Batch {
    for (const entry of entries) this.#ledger.set(entry);
    const resumeAt = new Map(entries.map((entry) => [entry.path, positionOf(entry)]));
    return { origin: "", path: null, generation: 0, records: [], resumeAt, idle: false };
  }
}
