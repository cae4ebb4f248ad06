import { setImmediate } from "node:timers/promises";
import type { Absentees } from "../engine/absentees.ts";
import type { Clock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { type Fault, fault } from "../engine/fault.ts";
import { longHash, type Position } from "../engine/ids.ts";
import type { Batch, Lookahead, Refusal, SourceRecord } from "../engine/source.ts";
import { excerptOfRest, type FormatLimits } from "./excerpt.ts";
import { type Bounds, type Ending, FileChanged, type Format, type Place, type Slice, START } from "./format.ts";
import type { LandedFile, LandingPlace, Seen } from "./landing_place.ts";
import { type Ledger, type LedgerEntry, positionOf } from "./ledger.ts";
import { type Found, freshEntry, type OnOverwrite, verdictOn } from "./revision.ts";

export interface IntakeOptions {
  readonly place: LandingPlace;
  readonly format: Format;
  readonly limits: FormatLimits;
  readonly bounds: Bounds;
  readonly follow: boolean;
  readonly incompleteAfterMs: number;
  readonly pollMs: number;
  readonly onOverwrite: OnOverwrite;
  /** Looks ahead at each file. Null, or left out: at none. */
  readonly lookAhead?: () => Lookahead | null;
  /** Each file is a whole snapshot, of which is asked what it lacks. Null, or left out: what a file lacks means nothing. */
  readonly absentees?: (() => Pick<Absentees, "add" | "gone">) | null;
  readonly clock: Clock;
}

/** How often a file that changes under our hands is looked at again before it is left for the next time. */
const ATTEMPTS = 3;
/** A writer that has not gone on with its line for so long, and for so many looks, has left out the line end. */
const PAUSE_MS = seconds(30);
const POLLS = 3;

/** Turns files into batches, one file at a time, and keeps the ledger. */
export class FileIntake {
  readonly #options: IntakeOptions;
  readonly #ledger: Ledger;
  readonly #signal: AbortSignal;
  /** Path -> when its unfinished tail is given up. */
  readonly #waiting = new Map<string, number>();

  constructor(options: IntakeOptions, ledger: Ledger, signal: AbortSignal) {
    this.#options = options;
    this.#ledger = ledger;
    this.#signal = signal;
  }

  /** What there is to be had of a file. Nothing, if it is gone, is nothing new, or still changes. */
  async *batches(seen: Seen): AsyncGenerator<Batch, void> {
    const isNamed = isPlainName(seen.path);
    if (!isNamed) return yield* this.#refuseName(seen);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const file = await this.#options.place.open(seen.path, this.#signal);
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
    const file = await this.#options.place.open(path, this.#signal);
    if (file === null) return null;
    try {
      const found = await this.#found(file, path, undefined);
      return {
        ...freshEntry(found, 0),
        state: "committed",
        committedAtMs: found.foundAtMs,
        offset: found.sizeBytes,
        error: "pre_existing",
      };
    } catch (error) {
      if (error instanceof FileChanged) return null; // It is being written: it comes later.
      throw error;
    } finally {
      await file.close();
    }
  }

  /** All was read but an unfinished tail, which may be finished until then. Null: there is none. */
  waitsUntilMs({ path }: LedgerEntry): number | null {
    return this.#waiting.get(path) ?? null;
  }

  /** When an unfinished tail is used as it is. One that is a record already is only waited for as long as a writer may pause in a line. */
  #givenUpAtMs({ foundAtMs }: LedgerEntry, rest: SourceRecord | null): number {
    const { follow, incompleteAfterMs, pollMs } = this.#options;
    if (!follow) return Number.NEGATIVE_INFINITY;
    const isRecord = rest !== null && rest.fault === undefined;
    return foundAtMs + (isRecord ? Math.min(incompleteAfterMs, Math.max(PAUSE_MS, POLLS * pollMs)) : incompleteAfterMs);
  }

  async #found(file: LandedFile, path: string, known: LedgerEntry | undefined): Promise<Found> {
    const { sizeBytes, modifiedMs, etag } = file;
    const identity = await file.identity(known, this.#signal);
    return { path, sizeBytes, modifiedMs, etag, ...identity, foundAtMs: this.#options.clock.now() };
  }

  async *#look(file: LandedFile, path: string): AsyncGenerator<Batch, void> {
    const { format, onOverwrite, absentees = null } = this.#options;
    const known = this.#ledger.get(path);
    const found = await this.#found(file, path, known);
    const settles = this.#untimely(found, known);
    if (settles.length > 0) yield { origin: "", path, generation: 0, records: [], settles, resumeAt: new Map(), idle: false };
    // A snapshot speaks for a day of its own, and as a whole: it is no other one's twin, and one that has grown is another one.
    const twin = absentees === null ? this.#ledger.twinOf(path, found.contentId) : undefined;
    const { entry, fault } = verdictOn(found, known, twin, { grows: format.grows && absentees === null, onOverwrite });
    if (fault !== null) yield this.#batch(entry, [await this.#wholeAsFault(file, entry, fault)]);
    else if (entry !== known && !isOpen(entry)) yield this.#batch(entry, []);
    if (!isOpen(entry)) return;
    const begun = yield* this.#begin(file, entry, known);
    const shrunk = absentees === null || begun.state === "processing" ? null : yield* this.#absent(file, begun, absentees());
    if (shrunk === null) return yield* this.#read(file, begun);
    const refused: LedgerEntry = { ...begun, state: "quarantined", rows: 1, faults: 1, error: shrunk.code };
    yield this.#batch(refused, [await this.#wholeAsFault(file, begun, shrunk)]);
  }

  /**
   * What a whole snapshot lacks is said before any row of it is used; again after a restart, which changes nothing. First all that was handed over
   * before must be stored. A file that may be incomplete lacks nothing. Returns why no row may be used, or null.
   */
  async *#absent(file: LandedFile, entry: LedgerEntry, absentees: Pick<Absentees, "add" | "gone">): AsyncGenerator<Batch, Fault | null> {
    const { bounds, format, place } = this.#options;
    const { path, generation, foundAtMs } = entry;
    yield this.#batch(entry, []);
    await this.#ledger.whenStored(path, this.#signal);
    const slices = format.records(file, { from: START, bounds, arrivedAtMs: foundAtMs, signal: this.#signal });
    let next = await slices.next();
    for (; next.done !== true; next = await slices.next()) for (const record of next.value.records) absentees.add(record);
    const ending = next.value;
    if (ending.type === "refused" || (ending.type === "incomplete" && ending.rest?.fault !== undefined)) return null;
    if (ending.type === "incomplete" && ending.rest !== null) absentees.add(ending.rest);
    await file.mustBeSame();
    const looking = absentees.gone(path, foundAtMs);
    let looked = looking.next();
    for (; looked.done !== true; looked = looking.next()) await setImmediate();
    const gone = looked.value;
    if ("code" in gone) return gone;
    const origin = `${place.origin(entry)}absent/`;
    for (let first = 0; first < gone.length; first += bounds.records) {
      const records = gone.slice(first, first + bounds.records);
      yield { origin, path, generation, records, areAbsent: true, resumeAt: new Map([[path, positionOf(entry)]]), idle: false };
    }
    return null;
  }

  /** A file is known, with the columns that it brings, before any row of it is used. One that has to wait for a person throws. */
  async *#begin(file: LandedFile, entry: LedgerEntry, known: LedgerEntry | undefined): AsyncGenerator<Batch, LedgerEntry> {
    const isBegun = entry === known && entry.state === "processing" && entry.error === null;
    const ahead = isBegun ? null : await this.#lookAhead(file, entry);
    if (ahead === null) {
      if (entry !== known) yield this.#batch(entry, []);
      return entry;
    }
    const holdup = ahead.holdup();
    const looked = { ...entry, error: holdup?.message ?? null };
    yield { ...this.#batch(looked, []), ahead: { at: entry.row, arrivedAtMs: entry.foundAtMs, sights: ahead.sights() } };
    if (holdup !== null) throw holdup;
    return looked;
  }

  /** Null: nothing is to be learnt from that. */
  async #lookAhead(file: LandedFile, entry: LedgerEntry): Promise<Lookahead | null> {
    const { bounds, format, lookAhead } = this.#options;
    const ahead = lookAhead?.() ?? null;
    if (ahead === null) return null;
    const slices = format.records(file, { from: entry, bounds, arrivedAtMs: entry.foundAtMs, signal: this.#signal });
    for await (const { records } of slices) for (const record of records) ahead.add(record);
    await file.mustBeSame();
    return ahead;
  }

  /** What was refused because the content was not complete. */
  #untimely({ continues, sizeBytes }: Found, known: LedgerEntry | undefined): readonly Refusal[] {
    if (known === undefined || !continues || sizeBytes === known.sizeBytes) return [];
    const reason = known.state === "quarantined" ? known.error : known.tail;
    return reason === null || reason === "record" ? [] : [{ position: `${this.#options.place.origin(known)}${known.row}`, reason }];
  }

  async #wholeAsFault(file: LandedFile, { foundAtMs }: LedgerEntry, { code, error }: Fault): Promise<SourceRecord> {
    const excerpt = await excerptOfRest(file, 0, this.#options.limits, this.#signal);
    return excerpt.record(0, foundAtMs, code, error);
  }

  /** The rows from the entry's place on. One slice is held back, so that the last one and the end of the file are one batch. */
  async *#read(file: LandedFile, entry: LedgerEntry): AsyncGenerator<Batch, void> {
    const { bounds, clock, format } = this.#options;
    let now: LedgerEntry = { ...entry, state: "processing", startedAtMs: entry.startedAtMs ?? clock.now() };
    const slices = format.records(file, { from: entry, bounds, arrivedAtMs: entry.foundAtMs, signal: this.#signal });
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
    const untilMs = ending.type === "incomplete" ? this.#givenUpAtMs(entry, ending.rest) : Number.NEGATIVE_INFINITY;
    const waits = untilMs > this.#options.clock.now();
    const rest = ending.type === "complete" || waits ? null : ending.rest;
    const used = held === null ? entry : withRecords(entry, held.records, held.end);
    if (held !== null && (waits || rest !== null)) yield this.#batch(used, held.records);
    if (waits) this.#waiting.set(entry.path, untilMs);
    if (waits) return;
    const records = rest === null ? (held?.records ?? []) : [rest];
    const ended = rest === null ? used : withRecords(used, records, ending.at);
    yield this.#batch({ ...ended, ...ending.at, ...this.#stateAt(ending) }, records);
  }

  #stateAt(ending: Ending): Pick<LedgerEntry, "state" | "committedAtMs" | "tail" | "error"> {
    const committedAtMs = this.#options.clock.now();
    const rest = ending.type === "complete" ? null : ending.rest;
    const isUnreadable = ending.type === "refused" || (rest !== null && !this.#options.format.grows);
    if (isUnreadable) return { state: "quarantined", committedAtMs, tail: null, error: rest?.fault?.code ?? null };
    const tail = rest === null ? null : (rest.fault?.code ?? "record");
    return { state: "committed", committedAtMs, tail, error: null };
  }

  *#refuseName({ path, sizeBytes, modifiedMs }: Seen): Generator<Batch, void> {
    const name = path.length > NAME_LENGTH_MAX ? `${path.slice(0, 64)}...${longHash([path])}` : path;
    if (this.#ledger.get(name) !== undefined) return;
    const foundAtMs = this.#options.clock.now();
    const found: Found = { path: name, sizeBytes, modifiedMs, etag: null, contentId: "", continues: false, madeAtMs: null, foundAtMs };
    const reason = fault("bad_id", "the name of the file has control characters, is not Unicode, or is too long");
    const entry: LedgerEntry = { ...freshEntry(found, 0), state: "quarantined", rows: 1, faults: 1, error: reason.code };
    const record = { at: 0, arrivedAtMs: foundAtMs, bytes: Buffer.from(JSON.stringify(path)), fault: reason };
    yield { ...this.#batch(entry, [record]), origin: `file:${longHash([path])}/` };
  }

  #batch(entry: LedgerEntry, records: readonly SourceRecord[]): Batch {
    this.#ledger.set(entry);
    const { path, generation } = entry;
    const resumeAt: ReadonlyMap<string, Position> = new Map([[path, positionOf(entry)]]);
    return { origin: this.#options.place.origin(entry), path, generation, records, resumeAt, idle: false };
  }
}

function isOpen({ state }: LedgerEntry): boolean {
  return state === "discovered" || state === "processing";
}

const NAME_LENGTH_MAX = 400; // Four bytes a character at most: the store's keys have room for it.

function isPlainName(path: string): boolean {
  return path.length <= NAME_LENGTH_MAX && !/[\p{Cc}\p{Cs}\ufffd\u2028\u2029]/u.test(path);
}

function withRecords(entry: LedgerEntry, records: readonly SourceRecord[], { offset, row, shape }: Place): LedgerEntry {
  const faults = records.filter((record) => record.fault !== undefined).length;
  return { ...entry, offset, row, shape, rows: entry.rows + records.length, faults: entry.faults + faults };
}
