import type { Clock } from "../engine/clock.ts";
import { type Fault, fault } from "../engine/fault.ts";
import { longHash, type Position } from "../engine/ids.ts";
import type { Batch, SourceRecord } from "../engine/source.ts";
import { excerptOfRest, type FormatLimits } from "./excerpt.ts";
import { type Bounds, type Ending, FileChanged, type Format, type Place, type Slice } from "./format.ts";
import { type Ledger, type LedgerEntry, positionOf } from "./ledger.ts";
import type { Seen } from "./listing.ts";
import { type OpenFile, openFile } from "./open_file.ts";
import { type Found, freshEntry, type OnOverwrite, verdictOn } from "./revision.ts";

export interface IntakeOptions {
  readonly location: string;
  readonly format: Format;
  readonly limits: FormatLimits;
  readonly bounds: Bounds;
  readonly follow: boolean;
  readonly incompleteAfterMs: number;
  readonly onOverwrite: OnOverwrite;
  readonly clock: Clock;
}

/** How often a file that changes under our hands is looked at again before it is left for the next time. */
const ATTEMPTS = 3;

/** Turns files into batches, one file at a time, and keeps the ledger. */
export class FileIntake {
  readonly #options: IntakeOptions;
  readonly #ledger: Ledger;
  readonly #device: number;
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<string>();

  constructor(options: IntakeOptions, ledger: Ledger, device: number, signal: AbortSignal) {
    this.#options = options;
    this.#ledger = ledger;
    this.#device = device;
    this.#signal = signal;
  }

  /** What there is to be had of a file. Nothing, if it is gone, is nothing new, or still changes. */
  async *batches(seen: Seen): AsyncGenerator<Batch, void> {
    const isNamed = isPlainName(seen.path);
    if (!isNamed) return yield* this.#refuseName(seen);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const file = await openFile(this.#options.location, seen.path, this.#device);
      if (file === null) return;
      try {
        return yield* this.#look(file, seen.path);
      } catch (error) {
        if (!(error instanceof FileChanged)) throw error;
        if (this.#options.follow) return; // Once it has come to rest again.
      } finally {
        await file.close();
      }
    }
  }

  /** The entry of a file whose rows are not wanted; null if it is gone. */
  async passedOver({ path }: Seen): Promise<LedgerEntry | null> {
    const file = await openFile(this.#options.location, path, this.#device);
    if (file === null) return null;
    try {
      const found = await this.#found(file, path, null);
      return {
        ...freshEntry(found, 0),
        state: "committed",
        committedAtMs: found.foundAtMs,
        offset: found.sizeBytes,
        error: "pre_existing",
      };
    } finally {
      await file.close();
    }
  }

  /** Whether all was read but an unfinished tail, which may still be finished. */
  waitsForMore(entry: LedgerEntry): boolean {
    return this.#waiting.has(entry.path) && !this.#isFinal(entry);
  }

  /** Whether the time for an unfinished tail is over. */
  #isFinal({ discoveredAtMs }: LedgerEntry): boolean {
    const { clock, follow, incompleteAfterMs } = this.#options;
    return !follow || clock.now() - discoveredAtMs >= incompleteAfterMs;
  }

  async #found(file: OpenFile, path: string, prefixBytes: number | null): Promise<Found> {
    const { sizeBytes, modifiedMs } = file;
    const identity = await file.identity(prefixBytes, this.#signal);
    return { path, sizeBytes, modifiedMs, ...identity, foundAtMs: this.#options.clock.now() };
  }

  async *#look(file: OpenFile, path: string): AsyncGenerator<Batch, void> {
    const { format, onOverwrite } = this.#options;
    const known = this.#ledger.get(path);
    const found = await this.#found(file, path, known !== undefined && known.sizeBytes <= file.sizeBytes ? known.sizeBytes : null);
    const twin = this.#ledger.twinOf(path, found.sha256);
    const { entry, fault } = verdictOn(found, known, twin, { grows: format.grows, onOverwrite });
    if (fault !== null) yield this.#batch(entry, [await this.#wholeAsFault(file, entry, fault)]);
    else if (entry !== known) yield this.#batch(entry, []); // Known before any row of it is used.
    if (entry.state === "discovered" || entry.state === "processing") yield* this.#read(file, entry);
  }

  async #wholeAsFault(file: OpenFile, { discoveredAtMs }: LedgerEntry, { code, error }: Fault): Promise<SourceRecord> {
    const excerpt = await excerptOfRest(file, 0, this.#options.limits, this.#signal);
    return excerpt.record(0, discoveredAtMs, code, error);
  }

  /** The rows from the entry's place on. One slice is held back, so that the last one and the end of the file are one batch. */
  async *#read(file: OpenFile, entry: LedgerEntry): AsyncGenerator<Batch, void> {
    const { bounds, clock, format } = this.#options;
    let now: LedgerEntry = { ...entry, state: "processing", startedAtMs: entry.startedAtMs ?? clock.now() };
    const slices = format.records(file, { from: entry, bounds, arrivedAtMs: entry.discoveredAtMs, signal: this.#signal });
    let held: Slice | null = null;
    for (let next = await slices.next(); ; next = await slices.next()) {
      await file.mustBeSame();
      if (next.done === true) return yield* this.#end(now, held, next.value);
      if (held !== null) {
        now = withRecords(now, held.records, held.end);
        yield this.#batch(now, held.records);
      }
      held = next.value;
    }
  }

  *#end(entry: LedgerEntry, held: Slice | null, ending: Ending): Generator<Batch, void> {
    this.#waiting.delete(entry.path);
    const waits = ending.type === "incomplete" && !this.#isFinal(entry);
    const rest = ending.type === "complete" || waits ? null : ending.rest;
    const used = held === null ? entry : withRecords(entry, held.records, held.end);
    if (held !== null && (waits || rest !== null)) yield this.#batch(used, held.records);
    if (waits) this.#waiting.add(entry.path);
    if (waits) return;
    const records = rest === null ? (held?.records ?? []) : [rest];
    const ended = rest === null ? used : withRecords(used, records, ending.at);
    yield this.#batch({ ...ended, ...ending.at, ...this.#stateAt(ending) }, records);
  }

  #stateAt(ending: Ending): Pick<LedgerEntry, "state" | "committedAtMs" | "tailGivenUp" | "error"> {
    const committedAtMs = this.#options.clock.now();
    const rest = ending.type === "complete" ? null : ending.rest;
    const isUnreadable = ending.type === "refused" || (rest !== null && !this.#options.format.grows);
    if (isUnreadable) return { state: "quarantined", committedAtMs, tailGivenUp: false, error: rest?.fault?.code ?? null };
    return { state: "committed", committedAtMs, tailGivenUp: rest !== null, error: null };
  }

  *#refuseName({ path, sizeBytes, modifiedMs }: Seen): Generator<Batch, void> {
    const name = path.length > NAME_LENGTH_MAX ? `${path.slice(0, 64)}...${longHash([path])}` : path;
    if (this.#ledger.get(name) !== undefined) return;
    const foundAtMs = this.#options.clock.now();
    const found: Found = { path: name, sizeBytes, modifiedMs, sha256: "", prefixSha256: null, foundAtMs };
    const reason = fault("bad_id", "the name of the file has control characters, is not Unicode, or is too long");
    const entry: LedgerEntry = { ...freshEntry(found, 0), state: "quarantined", rows: 1, faults: 1, error: reason.code };
    const record = { at: 0, arrivedAtMs: foundAtMs, bytes: Buffer.from(JSON.stringify(path)), fault: reason };
    yield { ...this.#batch(entry, [record]), origin: `file:${longHash([path])}/` };
  }

  #batch(entry: LedgerEntry, records: readonly SourceRecord[]): Batch {
    this.#ledger.set(entry);
    const { path, generation, sha256 } = entry;
    const resumeAt: ReadonlyMap<string, Position> = new Map([[path, positionOf(entry)]]);
    return { origin: `file:${sha256}/`, path, generation, records, resumeAt, idle: false };
  }
}

const NAME_LENGTH_MAX = 400; // Four bytes a character at most: the store's keys have room for it.

function isPlainName(path: string): boolean {
  return path.length <= NAME_LENGTH_MAX && !/[\p{Cc}\p{Cs}\ufffd\u2028\u2029]/u.test(path);
}

function withRecords(entry: LedgerEntry, records: readonly SourceRecord[], { offset, row, shape }: Place): LedgerEntry {
  const faults = records.filter((record) => record.fault !== undefined).length;
  return { ...entry, offset, row, shape, rows: entry.rows + records.length, faults: entry.faults + faults };
}
