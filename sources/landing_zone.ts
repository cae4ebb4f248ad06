import { bell } from "../engine/bell.ts";
import { byteOrder } from "../engine/byte_order.ts";
import { seconds } from "../engine/duration.ts";
import { Position, type SourceId } from "../engine/ids.ts";
import type { Batch, Source } from "../engine/source.ts";
import { type Glob, glob } from "./glob.ts";
import { FileIntake, type IntakeOptions } from "./landed_file.ts";
import { Cleaning, type CleanRule } from "./landing_cleaning.ts";
import type { Seen } from "./landing_place.ts";
import { FIRST_START, isAsKnown, isUsed, Ledger, type LedgerEntry, positionOf } from "./ledger.ts";
import { Settling } from "./settling.ts";

export interface LandingZoneOptions extends IntakeOptions {
  readonly id: SourceId;
  /** Globs (`glob.ts`), relative to the place. */
  readonly include: readonly string[];
  /** False: what is there now is read, without waiting for anything, and that is all. */
  readonly follow: boolean;
  /** A file is taken once size and time are equal in two looks this far apart. 0: its writer renames it into place. */
  readonly settleMs: number;
  /** An unfinished tail is given up if the file has not changed for so long. */
  readonly incompleteAfterMs: number;
  /** Time between two listings; a hint makes it shorter. A last line without its end is used after a few of them. */
  readonly pollMs: number;
  /** In which order files of one listing are taken. */
  readonly order: "name" | "modified" | "none";
  /** False: files that are there at the very first start are taken as read. */
  readonly includeExistingFiles: boolean;
  /** Between two listings at most so many files and bytes are taken, but one file at least. */
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly clean: CleanRule;
}

/**
 * Files that appear in a folder or a container, each content once, whatever its name. Partition: path; position: ledger entry as JSON. A file that grows is read on;
 * one that is replaced is a new generation of its path. Batches hold records of one file, and are idle when a listing leaves nothing to read.
 */
export function landingZone(options: LandingZoneOptions): Source {
  const globs = options.include.map(glob);
  let zone: Zone | null = null;
  return {
    id: options.id,
    async *read(after, signal) {
      zone = new Zone(options, globs, after, signal);
      try {
        yield* zone.batches();
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    stored(positions) {
      zone?.stored(positions);
    },
    again: (path) => zone?.again(path) ?? null,
  };
}

const IDLE: Batch = { origin: "", path: null, generation: 0, records: [], resumeAt: new Map(), idle: true };
/** Hints that come in a flood make one listing a second. */
const HINT_GAP_MS = seconds(1);

/** One reading of the place, from a start to the end of the signal. */
class Zone {
  readonly #options: LandingZoneOptions;
  readonly #globs: readonly Glob[];
  readonly #signal: AbortSignal;
  readonly #ledger: Ledger;
  readonly #settling: Settling;
  readonly #cleaning: Cleaning;
  readonly #isFirstStart: boolean;
  /** Something may be to be read. */
  readonly #hints = bell();

  constructor(options: LandingZoneOptions, globs: readonly Glob[], after: ReadonlyMap<string, Position>, signal: AbortSignal) {
    this.#options = options;
    this.#globs = globs;
    this.#signal = signal;
    this.#ledger = new Ledger(after);
    this.#settling = new Settling(options.place.settles ? options.settleMs : 0);
    this.#cleaning = new Cleaning(options, this.#ledger, signal);
    this.#isFirstStart = after.size === 0;
  }

  async *batches(): AsyncGenerator<Batch, void> {
    const { follow, includeExistingFiles } = this.#options;
    const intake = new FileIntake(this.#options, this.#ledger, this.#signal);
    if (this.#isFirstStart && !includeExistingFiles) yield await this.#passOverExisting(intake);
    if (follow) return yield* this.#follow(intake);
    for (const seen of this.#inOrder(await this.#list())) if (!this.#isDone(seen)) yield* intake.batches(seen);
    yield IDLE;
    yield* this.#cleaning.batches(await this.#list());
  }

  /** Some positions are flushed. */
  stored(positions: ReadonlyMap<string, Position>): void {
    this.#ledger.stored(positions);
  }

  /** A file in quarantine is to be read on where it was given up. Null: it is none, or can be read under no name. */
  again(path: string): Batch | null {
    const entry = this.#ledger.get(path);
    if (entry?.state !== "quarantined" || entry.contentId === "" || !this.#ledger.isStored(path)) return null;
    const { row, rows, faults, generation, error } = entry;
    const open: LedgerEntry = { ...entry, state: "discovered", rows: rows - 1, faults: faults - 1, error: null };
    this.#ledger.set(open);
    this.#hints.ring();
    const settles = error === null ? [] : [{ position: `${this.#options.place.origin(entry)}${row}`, reason: error }];
    return { origin: "", path, generation, records: [], settles, resumeAt: new Map([[path, positionOf(open)]]), idle: false };
  }

  async *#follow(intake: FileIntake): AsyncGenerator<Batch, void> {
    const hints = this.#hints;
    const close = this.#options.place.watch(hints.ring);
    let isIdle = false;
    try {
      while (!this.#signal.aborted) {
        const hint = hints.heard();
        const listedAtMs = this.#options.clock.now();
        const listed = await this.#list();
        const { ready, nextMs } = this.#sort(listed, intake, listedAtMs);
        let isNews = false;
        for (const seen of this.#round(ready)) {
          for await (const batch of intake.batches(seen)) {
            isNews = true;
            if (batch.records.length > 0) isIdle = false;
            yield batch;
          }
        }
        if (isNews) continue; // What came meanwhile is next, whatever its name.
        if (!isIdle && this.#settling.nextMs === Number.POSITIVE_INFINITY) yield IDLE;
        isIdle ||= this.#settling.nextMs === Number.POSITIVE_INFINITY;
        yield* this.#cleaning.batches(listed);
        await this.#pause(listedAtMs, Math.min(nextMs, listedAtMs + this.#options.pollMs), hint);
      }
    } finally {
      await close();
    }
  }

  #list(): Promise<readonly Seen[]> {
    return this.#options.place.list(this.#globs, this.#signal);
  }

  #inOrder(seen: readonly Seen[]): readonly Seen[] {
    if (this.#options.order === "none") return seen;
    const byName = [...seen].sort((a, b) => byteOrder(a.path, b.path));
    return this.#options.order === "name" ? byName : byName.sort((a, b) => a.modifiedMs - b.modifiedMs);
  }

  /** The files to take now, and when to look again at the latest. */
  #sort(seen: readonly Seen[], intake: FileIntake, nowMs: number): { readonly ready: readonly Seen[]; readonly nextMs: number } {
    const restless: Seen[] = [];
    const open: Seen[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const one of seen) {
      if (this.#isDone(one)) continue;
      const entry = this.#ledger.get(one.path);
      if (entry === undefined || !isAsKnown(one, entry)) restless.push(one);
      else {
        const untilMs = intake.waitsUntilMs(entry);
        if (untilMs === null || untilMs <= nowMs) open.push(one);
        else nextMs = Math.min(nextMs, untilMs);
      }
    }
    const settled = this.#settling.look(restless, nowMs);
    return { ready: this.#inOrder([...open, ...settled]), nextMs: Math.min(nextMs, this.#settling.nextMs) };
  }

  #isDone(seen: Seen): boolean {
    const entry = this.#ledger.get(seen.path);
    return entry !== undefined && isAsKnown(seen, entry) && (isUsed(entry) || entry.state === "quarantined");
  }

  #round(ready: readonly Seen[]): readonly Seen[] {
    const { maxFiles, maxBytes } = this.#options;
    let bytes = 0;
    const end = ready.findIndex((seen, n) => {
      bytes += seen.sizeBytes;
      return n > 0 && (n >= maxFiles || bytes > maxBytes);
    });
    return end < 0 ? ready : ready.slice(0, end);
  }

  /** All in one commit, together with the word that there was a first start. */
  async #passOverExisting(intake: FileIntake): Promise<Batch> {
    const entries: LedgerEntry[] = [];
    for (const seen of await this.#list()) {
      const entry = await intake.passedOver(seen);
      if (entry !== null) entries.push(entry);
    }
    for (const entry of entries) this.#ledger.set(entry);
    const positions = entries.map((entry) => [entry.path, positionOf(entry)] as const);
    return { ...IDLE, resumeAt: new Map([[FIRST_START, Position("{}")], ...positions]), idle: false };
  }

  /** Waits until a time, a hint or the end. */
  async #pause(listedAtMs: number, untilMs: number, hint: Promise<void>): Promise<void> {
    const { clock } = this.#options;
    const nap = new AbortController();
    const wake = (): void => nap.abort();
    this.#signal.addEventListener("abort", wake, { once: true });
    if (this.#signal.aborted) wake();
    await Promise.race([clock.sleep(Math.max(1, untilMs - clock.now()), nap.signal), hint]);
    wake();
    this.#signal.removeEventListener("abort", wake);
    const gapMs = Math.min(listedAtMs + HINT_GAP_MS, untilMs) - clock.now();
    await clock.sleep(gapMs, this.#signal);
  }
}
