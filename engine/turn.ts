import type { ChangedRow, Commit } from "./commit.ts";
import { type Decoded, decode } from "./decode.ts";
import type { CellValue } from "./emission.ts";
import { grownBy } from "./extra_columns.ts";
import { BrokenInvariant, type Fault, fault } from "./fault.ts";
import type { Feed, RecordContext, Row } from "./feed.ts";
import { hashRow, hashText } from "./hash.ts";
import { hearAll } from "./hearing.ts";
import { type ActorId, quarantineId, SourceId } from "./ids.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import type { Place } from "./population.ts";
import { decodeQuarantine, encodeQuarantine, type QuarantineRow } from "./quarantine.ts";
import { rescuedRow, strayColumns } from "./rescued_index.ts";
import { Cause, type Effects, Refused, Root } from "./root.ts";
import { encodeHead, readRow, writeRow } from "./row_codec.ts";
import type { FeedSchema } from "./schema.ts";
import { versionChanges } from "./schema_version.ts";
import type { Batch, Outlook, Refusal, SourceRecord } from "./source.ts";
import { TimerChanges, type TimerRow } from "./timers.ts";
import { toldKey } from "./told.ts";
import { utcDate } from "./utc_date.ts";
import { addCount, clockOf, findRepeat, pushRecent, setClock, type WindowEntry } from "./vitals.ts";
import type { FeedClock, Partition } from "./watermark.ts";
import { aim, type World } from "./world.ts";

/** Where a batch came in: the source's name and feed, and what its configuration says of its rows. */
export interface Intake {
  readonly source: SourceId;
  readonly feed: string;
  readonly mode: RecordContext["mode"];
  readonly origin: "live" | "backfill";
}

/**
 * Computes what a batch changes: (batch, states) -> Commit. Synchronous and deterministic: the same input order gives the same states, emissions
 * and ids, however it is cut into batches. It changes the world in place, so a computed commit must be stored; anything else ends the process.
 */
export class Turn {
  readonly #world: World;
  readonly #root: Root;
  readonly #spare: Pick<Commit, "parts" | "log">[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#root = new Root(world);
  }

  run(intake: Intake, batch: Batch): Commit {
    const { parts, log } = this.#spare.pop() ?? { parts: new PartsDraft(), log: new LogDraft() };
    parts.clear();
    log.clear(this.#world.nextSequence);
    const rows: ChangedRow[] = [];
    const timers = new TimerChanges();
    const effects = { log, rows, timers };
    if (batch.told === undefined) this.#take(intake, batch, effects);
    else hearAll(this.#world, this.#root, batch.told, effects);
    this.#forgetHandedOver(rows);
    for (const [partition, position] of batch.resumeAt) {
      rows.push({ table: "position", key: `${intake.source}\0${partition}`, value: Buffer.from(position) });
    }
    timers.take(rows);
    this.#world.counters.takeChanges(rows);
    this.#world.tallies.takeChanges(rows);
    this.#world.population.takeChanges(parts);
    this.#world.nextSequence = log.next;
    return { parts, log, rows };
  }

  #take(intake: Intake, batch: Batch, effects: Effects): void {
    const records = new Intaker(this.#world, this.#root, intake, batch, effects);
    if (batch.gap !== undefined) records.openGap(batch.gap);
    if (batch.ahead !== undefined) records.lookAhead(batch.ahead);
    for (const refusal of batch.settles ?? []) effects.rows.push(...this.#settled(intake.source, refusal));
    for (const record of batch.records) records.take(record);
    records.end();
  }

  /** Tells that were handed over to other places need not be kept. */
  #forgetHandedOver(rows: ChangedRow[]): void {
    const world = this.#world;
    for (; world.forgotten < world.handedOver; world.forgotten += 1) {
      rows.push({ table: "tell", key: toldKey(world.forgotten + 1), value: null });
    }
  }

  /** The quarantine row of a refusal that does not stand any more. None, if there is no such row, or somebody has decided on it. */
  #settled(source: SourceId, { position, reason }: Refusal): readonly ChangedRow[] {
    const id = quarantineId(source, position, reason);
    const bytes = this.#world.quarantined(id);
    const row = bytes === null ? null : decodeQuarantine(bytes);
    return row?.status === "open" ? [{ table: "quarantine", key: id, value: encodeQuarantine({ ...row, status: "retried" }) }] : [];
  }

  /** Takes back the memory of a commit that is stored, for the next one. */
  reuse(commit: Commit): void {
    this.#spare.push(commit);
  }
}

const NONE: readonly string[] = [];
const NO_OVERFLOW: readonly WindowEntry[] = [];

/** Takes the records of one batch, one after another. */
class Intaker {
  readonly #world: World;
  readonly #root: Root;
  readonly #intake: Intake;
  readonly #batch: Batch;
  readonly #feed: Feed;
  readonly #names: readonly string[];
  readonly #clock: FeedClock;
  readonly #partition: Partition;
  readonly #clockBeforeMs: number;
  readonly #partitionBefore: Partition;
  readonly #cause: Cause;
  readonly #context: Mutable<RecordContext>;
  readonly #sourceText: string;
  readonly #effects: Effects;
  /** Changes were lost, and the first one behind them has not come. */
  #isBehindGap: boolean;
  #accepted = 0;
  #duplicates = 0;
  #late = 0;
  #quarantined = 0;

  constructor(world: World, root: Root, intake: Intake, batch: Batch, effects: Effects) {
    this.#world = world;
    this.#root = root;
    this.#intake = intake;
    this.#batch = batch;
    this.#feed = world.feed(intake.feed);
    this.#names = Object.keys(this.#feed.fields);
    this.#clock = world.clock(intake.feed);
    this.#partition = this.#clock.partition(partitionOf(intake.source, batch));
    this.#clockBeforeMs = this.#clock.clockMs;
    this.#partitionBefore = { ...this.#partition };
    this.#sourceText = sourceTextOf(intake.source, batch.path);
    this.#cause = new Cause(
      intake.feed,
      encodeHead(intake.feed, this.#sourceText, batch.origin),
      intake.origin,
      intake.source,
      batch.origin,
    );
    this.#cause.path = batch.path;
    this.#context = {
      path: batch.path,
      generation: batch.generation,
      mode: intake.mode,
      arrivedAtMs: 0,
      authored: () => true,
      before: null,
      absent: batch.areAbsent === true,
      extra: null,
    };
    this.#effects = effects;
    this.#isBehindGap = world.gaps.areWaiting(intake.feed, intake.source, batch.partition ?? "");
  }

  /** The records before the batch are lost. */
  openGap(reason: string): void {
    const { source } = this.#intake;
    const { partition = "", resumeAt } = this.#batch;
    const clockMs = Number.isFinite(this.#clock.clockMs) ? this.#clock.clockMs : null;
    const position = resumeAt.get(partition) ?? "";
    this.#world.gaps.open(this.#feed.name, { source, partition, position, reason, clockMs }, this.#effects.rows);
    this.#world.counters.add(`note ${this.#feed.name}`, "source_gap", 1);
    this.#isBehindGap = true;
  }

  /** The schema takes, before any row, what all rows of a file will bring. */
  lookAhead({ at, arrivedAtMs, sights }: Outlook): void {
    const schema = grownBy(this.#schema(), sights, this.#world.limits);
    if (schema !== this.#schema()) this.#evolve({ at, arrivedAtMs }, schema);
  }

  take(record: SourceRecord): void {
    if (record.fault !== undefined) return this.#reject(record, record.fault, null, null);
    const feed = this.#feed;
    const decoded = decode(feed, record, this.#schema(), this.#world.limits);
    if ("code" in decoded) return this.#reject(record, decoded, null, null);
    if (decoded.row === null) {
      this.#accepted += 1; // A tombstone: sound, and without effect, so it moves no clock either.
      return;
    }
    const atMs = feed.eventTimeMs(decoded.row);
    const aheadMs = atMs - record.arrivedAtMs;
    if (feed.refusesFuture && aheadMs > this.#world.limits.futureMs) {
      return this.#reject(record, fault("future_event", `the event lies ${aheadMs} ms ahead of its arrival`), null, atMs);
    }
    if (decoded.schema !== this.#schema()) this.#evolve(record, decoded.schema);
    if (this.#isBehindGap) this.#placeGap(decoded.row);
    this.#moveClock(atMs);
    this.#process(record, decoded, atMs);
  }

  /** A snapshot says nothing of where the log goes on. */
  #placeGap(row: Row): void {
    const place = this.#feed.place?.(row) ?? null;
    if (place === null) return;
    this.#world.gaps.place(this.#feed.name, this.#intake.source, this.#batch.partition ?? "", place, this.#effects.rows);
    this.#isBehindGap = false;
  }

  /** The batch's last words: idle mark, counts, clocks. */
  end(): void {
    const { reachedMs } = this.#batch;
    if (reachedMs !== undefined && reachedMs > this.#partition.latestMs) this.#moveClock(reachedMs);
    if (this.#batch.idle && !this.#partition.idle) {
      this.#partition.idle = true;
      this.#fire(this.#clock.reachableMs());
    }
    const { counters } = this.#world;
    const group = `feed ${this.#feed.name}`;
    counters.add(group, "read", this.#batch.records.length);
    counters.add(group, "accepted", this.#accepted);
    counters.add(group, "duplicates", this.#duplicates);
    counters.add(group, "late", this.#late);
    counters.add(group, "quarantined", this.#quarantined);
    const { latestMs, idle } = this.#partition;
    const isHeld = latestMs === Number.NEGATIVE_INFINITY; // Nothing readable yet, but the clock waits for it: a restart must know.
    if (isHeld || latestMs !== this.#partitionBefore.latestMs || idle !== this.#partitionBefore.idle) {
      const value = { feed: this.#feed.name, latestMs: Number.isFinite(latestMs) ? latestMs : null, idle };
      this.#effects.rows.push({ table: "partition", key: this.#partition.key, value: Buffer.from(JSON.stringify(value)) });
    }
    if (this.#clock.clockMs !== this.#clockBeforeMs) {
      this.#effects.rows.push({ table: "feed", key: `clock ${this.#feed.name}`, value: Buffer.from(String(this.#clock.clockMs)) });
    }
  }

  #schema() {
    return this.#world.schemas.get(this.#feed.name) as Decoded["schema"];
  }

  // A record that is sound. -----------------------------------------------------------------------------------------------------------

  #process(record: SourceRecord, decoded: Decoded, atMs: number): void {
    const root = this.#root;
    const ids = this.#feed.actors(decoded.row);
    this.#become(record, decoded, atMs);
    root.begin(this.#cause);
    try {
      for (const { code } of decoded.notes) root.note(code);
      const message = this.#feed.message(decoded.row, this.#context);
      for (const id of ids) this.#admit(id, decoded, message as { readonly type: string }, atMs);
      root.settleTells();
      root.finish(this.#effects);
      this.#takeRejected();
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error;
      root.undo();
      const refusal =
        error instanceof Refused
          ? error.fault
          : fault("handler_error", error instanceof Error ? (error.stack ?? error.message) : String(error));
      return this.#reject(record, refusal, ids[0] ?? null, atMs);
    }
    if (root.isDuplicate) this.#duplicates += 1;
    else this.#accepted += 1;
    if (!root.isDuplicate && (decoded.rescued !== null || decoded.notes.length > 0)) this.#keepStrays(record, decoded);
    if (root.late && !root.isDuplicate) this.#late += 1;
    if (this.#feed.tally !== null && !root.isDuplicate) this.#tally(this.#feed.tally, decoded.row as Row, atMs);
  }

  /** Counts the record for whom it concerns, who hears of an hour that it has ended. */
  #tally({ actor, isLabelled }: NonNullable<Feed["tally"]>, row: Row, atMs: number): void {
    const id = actor(row);
    if (id === null) return;
    const { notes, stamps } = this.#root;
    const { tallies, counters } = this.#world;
    const ended = tallies.take(this.#feed.name, id, atMs, isLabelled(row), notes, stamps === null ? NONE : stamps.split(","));
    if (ended === null) return;
    this.#root.begin(this.#cause);
    try {
      this.#root.tell(id, ended);
      this.#root.settleTells();
      this.#root.finish(this.#effects);
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error;
      this.#root.undo();
      counters.add("refused", "tallies", 1);
    }
  }

  /** The batch's cause and context become this record's. */
  #become(record: SourceRecord, decoded: Decoded, atMs: number): void {
    const cause = this.#cause;
    cause.row = decoded.row;
    cause.extra = decoded.extra;
    cause.rescued = decoded.rescued;
    cause.schemaVersion = decoded.schema.version;
    cause.at = record.at;
    cause.arrivedAtMs = record.arrivedAtMs;
    cause.key = this.#feed.dedupKey(decoded.row);
    cause.date = this.#feed.date === null ? utcDate(atMs) : this.#feed.date(decoded.row);
    this.#context.arrivedAtMs = record.arrivedAtMs;
    this.#context.authored = decoded.authored;
    this.#context.before = decoded.before;
    this.#context.extra = decoded.extra;
    cause.eventTimeMs = atMs;
    cause.record = record;
  }

  /** Judges the record against the actor's clock and window, and lets the actor have it. */
  #admit(id: ActorId, decoded: Decoded, message: { readonly type: string }, atMs: number): void {
    const root = this.#root;
    const place = root.touch(id);
    const { cursor, at } = place.kind;
    const clockMs = clockOf(cursor, at, this.#feed.name);
    if (this.#feed.dedup === "window" && !this.#isNew(place, decoded, atMs, clockMs)) {
      root.duplicate();
      root.note("duplicate");
      return addCount(cursor, at, "duplicates", 1);
    }
    root.late = !root.conflict && clockMs !== null && atMs < clockMs - this.#feed.latenessMs;
    root.deliver(place, message);
    if (root.isDuplicate) {
      root.note("duplicate");
      return addCount(cursor, at, "duplicates", 1);
    }
    addCount(cursor, at, "accepted", 1);
    if (root.conflict) {
      root.note("conflict");
      addCount(cursor, at, "conflicts", 1);
    } else if (root.late) {
      root.note("late");
      addCount(cursor, at, "late", 1);
    } else if (clockMs === null || atMs > clockMs) {
      setClock(cursor, at, this.#feed.name, atMs);
    }
  }

  /** False: a duplicate. Otherwise the record enters the window, and `conflict` is set if another one stands at its time. */
  #isNew(place: Place, decoded: Decoded, atMs: number, clockMs: number | null): boolean {
    const { kind, slot } = place;
    const { cursor, at } = kind;
    hashText(this.#cause.key);
    const payload = hashRow(decoded.row, this.#names, this.#names[0] ?? "");
    const overflowed = cursor.u32[cursor.u + at.count.overflowed] as number;
    const overflow = overflowed === 0 ? NO_OVERFLOW : (kind.peekWarm(slot)?.overflow ?? NO_OVERFLOW);
    const verdict = findRepeat(cursor, at, atMs, payload, overflow);
    if (verdict === "duplicate") return false;
    this.#root.conflict = verdict === "conflict";
    const pushed = pushRecent(cursor, at, atMs, payload);
    const keptFromMs = Math.max(clockMs ?? atMs, atMs) - Math.max(this.#feed.latenessMs, this.#feed.dedupMs);
    if (pushed !== null && (pushed[3] >= keptFromMs || overflowed > 0)) this.#overflow(place, pushed, keptFromMs);
    return true;
  }

  /** Keeps what the ring pushed out while it is still inside the window; forgets what has left it. */
  #overflow({ kind }: Place, pushed: WindowEntry, keptFromMs: number): void {
    const warm = this.#root.warm();
    const kept = [...warm.overflow, pushed].filter((entry) => entry[3] >= keptFromMs);
    const { dedupEntriesMax } = this.#world.limits;
    if (kept.length > dedupEntriesMax) this.#root.note("dedup_overflow");
    warm.overflow = kept.slice(-dedupEntriesMax);
    const { cursor, at } = kind;
    cursor.u32[cursor.u + at.count.overflowed] = warm.overflow.length;
  }

  // A record that is not. -------------------------------------------------------------------------------------------------------------

  #reject(record: SourceRecord, { code, field, error }: Fault, actor: ActorId | null, atMs: number | null): void {
    this.#quarantined += 1;
    if (actor !== null) this.#countQuarantined(actor);
    const { quarantineBytesKept, quarantineHeadBytes } = this.#world.limits;
    const { bytes } = record;
    this.#quarantine(
      {
        position: `${this.#batch.origin}${record.at}`,
        reason: code,
        field,
        error,
        actor,
        eventTimeMs: atMs,
        arrivedAtMs: record.arrivedAtMs,
        sizeBytes: bytes.length,
        bytes: bytes.length > quarantineBytesKept ? bytes.subarray(0, quarantineHeadBytes) : bytes,
      },
      this.#cause.head,
      record.at,
    );
  }

  #quarantine(
    facts: Omit<QuarantineRow, "id" | "feed" | "source" | "attempts" | "status">,
    head: Uint8Array,
    at: number,
    { source, path }: { readonly source: SourceId; readonly path: string | null } = { source: this.#intake.source, path: this.#batch.path },
  ): void {
    const id = quarantineId(source, facts.position, facts.reason);
    const row: QuarantineRow = { id, feed: this.#feed.name, source: sourceTextOf(source, path), attempts: 1, status: "open", ...facts };
    this.#effects.rows.push({ table: "quarantine", key: id, value: encodeQuarantine(row) });
    this.#world.counters.add(`quarantine ${this.#feed.name}`, row.reason, 1);
    this.#emitEngineRow("quarantine", { head, at, arrivedAtMs: row.arrivedAtMs }, id, {
      quarantine_id: id,
      feed: row.feed,
      reason: row.reason,
      field: row.field,
      error: row.error,
      actor: row.actor,
      event_time: row.eventTimeMs,
      size_bytes: row.sizeBytes,
    });
  }

  /** Records that an actor had accepted for the time being, and which have turned out bad, change their side. */
  #takeRejected(): void {
    for (const { record, fault: refusal, actor } of this.#root.rejected) {
      const { source, path, position, arrivedAtMs, eventTimeMs, sizeBytes, text } = record;
      this.#accepted -= 1;
      this.#quarantined += 1;
      this.#countQuarantined(actor, -1);
      const head = encodeHead(this.#feed.name, sourceTextOf(source, path), position);
      const facts = { reason: refusal.code, field: refusal.field, error: refusal.error, actor, eventTimeMs, arrivedAtMs, sizeBytes };
      this.#quarantine({ ...facts, position, bytes: Buffer.from(text) }, head, -1, { source, path });
    }
  }

  /** The actor of a record that failed learns that it has one record less. (It may not exist: then the failure took its birth back.) */
  #countQuarantined(id: ActorId, accepted = 0): void {
    if (!this.#world.population.has(id)) return;
    const place = this.#world.population.place(id, () => {});
    aim(place);
    addCount(place.kind.cursor, place.kind.at, "quarantined", 1);
    addCount(place.kind.cursor, place.kind.at, "accepted", accepted);
    place.kind.hotChanged(place.slot);
  }

  // Rows of the engine's own tables. --------------------------------------------------------------------------------------------------

  /** Version n+1 is in the log before any row that uses it. */
  #evolve({ at, arrivedAtMs }: Pick<SourceRecord, "at" | "arrivedAtMs">, schema: FeedSchema): void {
    const origin = { source: this.#sourceText, position: `${this.#batch.origin}${at}`, arrivedAtMs };
    const { stored, curated } = versionChanges(this.#feed.name, this.#schema(), schema, origin);
    this.#world.schemas.set(this.#feed.name, schema);
    this.#effects.rows.push(...stored);
    const cause = { head: this.#cause.head, at, arrivedAtMs };
    for (const { key, cells } of curated) this.#emitEngineRow("schema_versions", cause, key, cells);
  }

  /** Values that were rescued under names which the feed does not declare wait for a decision; those that are not wanted are counted. */
  #keepStrays(record: SourceRecord, { rescued, notes }: Decoded): void {
    const { fields, name } = this.#feed;
    for (const { code, detail } of notes) if (code === "ignored_column") this.#world.strays.ignored(name, detail);
    const columns = rescued === null ? [] : strayColumns(rescued, fields);
    if (columns.length === 0) return;
    const entries = this.#effects.log.streams.curated.sinceMark();
    const ofFeed = entries.filter(({ bytes }) => readRow(this.#world.tables, bytes).table.feed === name);
    const rows = ofFeed.map(({ sequence }) => sequence);
    const [number] = rows;
    if (number === undefined) return;
    const { arrivedAtMs } = record;
    this.#effects.rows.push(...this.#world.strays.expired(name, arrivedAtMs), rescuedRow(name, number, { columns, rows, arrivedAtMs }));
  }

  #emitEngineRow(
    name: string,
    cause: { readonly head: Uint8Array; readonly at: number; readonly arrivedAtMs: number },
    key: string,
    added: Readonly<Record<string, CellValue>>,
  ): void {
    const row = {
      table: this.#world.table(name),
      key,
      ordinal: 0,
      date: utcDate(cause.arrivedAtMs),
      actor: null,
      late: false,
      rules: null,
    };
    const { log } = this.#effects;
    writeRow(log.open("curated"), { ...cause, rescued: null, schemaVersion: 1 }, { ...row, extra: null }, null, added);
    log.close("curated");
    this.#world.counters.add("table", name, 1);
  }

  // Time. -----------------------------------------------------------------------------------------------------------------------------

  #moveClock(atMs: number): void {
    const partition = this.#partition;
    if (!partition.idle && atMs <= partition.latestMs) return;
    partition.idle = false;
    if (atMs > partition.latestMs) partition.latestMs = atMs;
    const reachableMs = this.#clock.reachableMs();
    if (reachableMs > this.#clock.clockMs) this.#fire(reachableMs);
  }

  /** Fires all timers due up to `toMs`, in (due, actor, name) order, then lets the clock stand there. Each fires once in a step. */
  #fire(toMs: number): void {
    const queue = this.#world.timerQueue(this.#feed.name);
    const steppedMs = toMs - this.#clock.clockMs;
    if (queue.nextDueMs <= toMs) {
      const fired = new Set<string>();
      const waiting: TimerRow[] = [];
      while (queue.nextDueMs <= toMs) {
        const row = queue.pop() as TimerRow;
        if (fired.has(`${row.actor}\0${row.name}`)) waiting.push(row);
        else if (this.#fireRow(row, toMs, steppedMs)) fired.add(`${row.actor}\0${row.name}`);
      }
      for (const row of waiting) queue.push(row);
    }
    this.#clock.clockMs = toMs;
  }

  /** True if the timer fired; false if the row is stale, or the timer has moved on. */
  #fireRow(row: TimerRow, toMs: number, steppedMs: number): boolean {
    const root = this.#root;
    const position = `timer:${row.actor}/${row.name}/${row.dueMs}`;
    root.begin(timerCause(row, position, this.#sourceText, this.#intake.origin));
    const place = root.touch(row.actor);
    const timer = place.kind.peekWarm(place.slot)?.timers.get(row.name);
    if (timer === undefined || timer.rowMs !== row.dueMs || timer.feed !== row.feed) return false;
    if (timer.dueMs > row.dueMs) {
      root.moveTimer(row, timer.dueMs);
      root.finish(this.#effects);
      return false;
    }
    this.#world.timersFired += 1;
    try {
      root.wake(row, toMs, steppedMs);
      root.finish(this.#effects);
      this.#takeRejected();
    } catch (error) {
      if (error instanceof BrokenInvariant) throw error;
      root.undo();
      this.#dropTimer(row, position, error);
    }
    return true;
  }

  /** A timer whose actor threw is gone, and stands in quarantine. It is no record: the feed's counts do not know it. */
  #dropTimer(row: TimerRow, position: string, error: unknown): void {
    const root = this.#root;
    const cause = timerCause(row, position, this.#sourceText, this.#intake.origin);
    root.begin(cause);
    root.touch(row.actor);
    root.cancelTimer(row);
    root.finish(this.#effects);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#quarantine(
      {
        position,
        reason: error instanceof Refused ? error.fault.code : "handler_error",
        field: null,
        error: text,
        actor: row.actor,
        eventTimeMs: row.dueMs,
        arrivedAtMs: row.dueMs,
        sizeBytes: 0,
        bytes: new Uint8Array(0),
      },
      cause.head,
      -1,
    );
  }
}

/** Where a clock keeps the progress of a batch. */
function partitionOf(source: SourceId, { partition }: Batch): SourceId {
  return partition === undefined ? source : SourceId(`${source}/${partition}`);
}

function sourceTextOf(source: SourceId, path: string | null): string {
  return path === null ? source : `${source}:${path}`;
}

function timerCause(row: TimerRow, position: string, source: string, origin: Intake["origin"]): Cause {
  const cause = new Cause(row.feed, encodeHead(null, source, position), origin, null, position);
  cause.key = `${row.actor}/${row.name}/${row.dueMs}`;
  cause.date = utcDate(row.dueMs);
  cause.arrivedAtMs = row.dueMs;
  return cause;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
