import { setMaxListeners } from "node:events";
import type { Clock } from "./clock.ts";
import { type Command, type CommandOutcome, CommandRefused, carryOut } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import type { ChangedRow, Commit } from "./commit.ts";
import type { CrashGuard } from "./crash_guard.ts";
import { type Drain, type DrainOptions, type DrainReport, drain } from "./drain.ts";
import { seconds } from "./duration.ts";
import type { Emission } from "./emission.ts";
import { invariant } from "./fault.ts";
import { Position, type SourceId } from "./ids.ts";
import { PartsDraft } from "./journal.ts";
import { LogDraft } from "./log_draft.ts";
import type { LogEntry } from "./log_entry.ts";
import { pump } from "./pump.ts";
import { encodeQuarantine, type QuarantineRow } from "./quarantine.ts";
import { letterOf } from "./quarantine_commands.ts";
import { type KeptLog, type LogReport, type Retention, type RetentionOptions, retention } from "./retention.ts";
import { RowReviser } from "./row_reviser.ts";
import { rulesArgs, rulesRow, rulesText, storedRules } from "./rule_commands.ts";
import { changeSchema, type SchemaChange, SchemaChangeRefused, type SchemaChangeResult } from "./schema_change.ts";
import { finishSchemaCommand } from "./schema_commands.ts";
import type { VersionOrigin } from "./schema_version.ts";
import type { Sink, Stream } from "./sink.ts";
import type { Batch, Source } from "./source.ts";
import type { Store } from "./store.ts";
import { NewColumns } from "./survey.ts";
import { type Intake, Turn } from "./turn.ts";
import { World, type WorldOptions } from "./world.ts";

/** A source as the composition wires it. Stages run in order: each is read to its present end before the next starts. */
export interface SourceWiring {
  readonly source: Source;
  readonly intake: Intake;
  readonly stage: number;
  /** The next source of the stage waits until this one has nothing more to read. Its first batch is read at the start already, and waits for its turn. */
  readonly holdsNext: boolean;
}

export interface SinkWiring {
  readonly sink: Sink;
  readonly stream: Stream;
}

export interface EngineOptions extends WorldOptions {
  readonly store: Store;
  readonly sources: readonly SourceWiring[];
  readonly sinks: readonly SinkWiring[];
  readonly decode: (stream: Stream, entry: LogEntry) => Emission;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told when a source is tried again. */
  readonly onRetry: (source: SourceId, error: Error, pauseMs: number) => void;
  /** Told when a sink is tried again. */
  readonly onSinkRetry?: (sink: string, error: Error, pauseMs: number) => void;
  /** Told if the log no longer holds all that a sink lacks. */
  readonly onSinkGap?: NonNullable<DrainOptions["onGap"]>;
  /** How much of the log is kept. Left out: all of it. */
  readonly log?: Pick<RetentionOptions, keyof KeptLog | "freeDiskBytes" | "onPressure">;
  /** While the log is full, a run that is to end by itself reads no further once no sink has got further for so long. Left out: it waits. */
  readonly stallMs?: number;
  /** Finds records that kill the process again and again. Left out: nobody does. */
  readonly guard?: CrashGuard;
  /** True: a source that waits for a decision on new columns ends, and is named in `stopped`. Default: it is tried again. */
  readonly endsAtNewColumns?: boolean;
  /** So many rows are held at a time while rows are written again. Left out: as `RowReviser` says. */
  readonly rowsAWindow?: number;
  /** Told when a stage has been read to its present end. */
  readonly onStage: (stage: number) => void;
  /** Told when a batch is stored. */
  readonly onBatch?: (batch: StoredBatch) => void;
}

/** What it took to store one batch. */
export interface StoredBatch {
  readonly source: SourceId;
  readonly feed: string;
  readonly records: number;
  readonly turnMs: number;
  /** All of the storing, and the part of it that the disk was waited for. */
  readonly commitMs: number;
  readonly diskMs: number;
  /** Partition -> where it stands now. */
  readonly resumeAt: Batch["resumeAt"];
}

/** How one source is doing. */
export interface SourceReport {
  readonly source: SourceId;
  readonly feed: string;
  /** `waiting`: for its stage, or for those before it; `down`: after an outage, until it brings something again; `ended`: there is no more. */
  readonly state: "waiting" | "up" | "down" | "ended";
  /** Records that are known to be there and are not stored yet; null: the transport does not tell. */
  readonly behind: number | null;
  /** The least of its partitions that are not idle: their latest event time minus the feed's lateness; null: before the first record. */
  readonly watermarkMs: number | null;
}

/** Where an engine is in its life. */
export type Phase = "starting" | "running" | "stopping";

/** How long sinks may take to catch up when the engine stops; what they have not taken stays in the log. */
const FLUSH_AT_STOP_MS = seconds(3);

/** Starts and stops all loops, in order, on one signal. One turn at a time, each stored before the next begins. */
export class Engine {
  readonly world: World;
  readonly #options: EngineOptions;
  readonly #turn: Turn;
  readonly #reviser: RowReviser;
  readonly #drains: readonly Drain[];
  readonly #retention: Retention | null;
  readonly #stopped = new Map<SourceId, NewColumns>();
  #rulesToStore: string | null = null;
  readonly #states = new Map<SourceId, SourceReport["state"]>();
  #lastApplied: Promise<void> = Promise.resolve();
  #phase: Phase = "starting";
  #busySinceMs: number | null = null;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.world = new World(options, options.store);
    this.#turn = new Turn(this.world);
    const { store, decode, clock, random, onSinkRetry: onRetry, onSinkGap: onGap, log, rowsAWindow } = options;
    this.#reviser = new RowReviser({
      world: this.world,
      store,
      clock,
      between: (work) => this.#between(work),
      room: async (signal) => this.#retention?.room(signal),
      ...(rowsAWindow === undefined ? {} : { rowsAWindow }),
    });
    const common = {
      store,
      decode,
      clock,
      random,
      ...(onRetry === undefined ? {} : { onRetry }),
      ...(onGap === undefined ? {} : { onGap }),
    };
    const drains = options.sinks.map(({ sink, stream }) => ({ stream, drain: drain({ ...common, sink, stream }) }));
    this.#drains = drains.map((one) => one.drain);
    this.#retention = log === undefined ? null : retention({ ...log, store, decode, drains, clock });
  }

  /**
   * Runs until `signal` fires, or, if every source ends by itself, until all are read and all sinks have everything. Rejects on the first error
   * that is no outage: the process must then end, because restarting is the recovery. `drainMs`: how long a sink may take at the end without
   * getting further.
   */
  async run(signal: AbortSignal, drainMs: number): Promise<void> {
    const stopReading = new AbortController();
    const stopDrains = new AbortController();
    setMaxListeners(0, stopReading.signal, stopDrains.signal); // Each source and each sink listens: ten are no leak.
    this.#phase = "running";
    const stop = (): void => {
      this.#phase = "stopping";
      stopReading.abort();
    };
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    const drains = [...this.#drains.map((one) => one.run(stopDrains.signal)), this.#retention?.run(stopDrains.signal)];
    const never = (): Promise<never> => new Promise(() => {});
    // A run that ends by itself does nothing when it has time for it: what it writes, and in which order, follows from its batches.
    const revising = this.#options.stallMs === undefined ? this.#reviser.run(stopReading.signal) : null;
    const failed = Promise.all([...drains, revising]).then(never);
    const { stallMs } = this.#options;
    if (stallMs !== undefined) void this.#stalled(stallMs, stopReading.signal).then(stop);
    try {
      await this.#between(() => finishSchemaCommand({ world: this.world, store: this.#options.store }));
      await this.#tellRules();
      await Promise.race([this.#readStages(stopReading.signal), failed]);
      await Promise.race([this.#reviser.settle(stopReading.signal), failed]);
      await Promise.race([Promise.all(this.#drains.map((one) => flushed(one, signal, drainMs))), failed]);
    } finally {
      stop();
      stopDrains.abort();
      signal.removeEventListener("abort", stop);
    }
    await Promise.all([...drains, revising]);
  }

  /** Closes sinks and store. Only after `run` has resolved: after an error the process just ends. */
  async close(): Promise<void> {
    await this.#lastApplied;
    for (const { sink } of this.#options.sinks) await sink.close();
    await this.#options.store.close();
    this.#options.guard?.close();
  }

  /** Applies one batch: turn, commit, then the drains are woken. In order of calls; once one has failed, all fail: memory is ahead of the store. */
  apply(intake: Intake, batch: Batch): Promise<void> {
    const applied = this.#lastApplied.then(() => this.#applyNow(intake, batch));
    // What waits for a person has changed nothing, so that others go on.
    this.#lastApplied = applied.catch((error: unknown) => {
      if (!(error instanceof NewColumns)) throw error;
    });
    this.#lastApplied.catch(() => {}); // The caller hears of it; kept here it must not count as unhandled.
    return applied;
  }

  /** Carries out a decision on a column, between two batches. */
  changeSchema(change: SchemaChange, origin: VersionOrigin): Promise<SchemaChangeResult> {
    const { store } = this.#options;
    const changed = this.#lastApplied.then(() => {
      this.#reviser.beginAnew(); // Rows are about to be amended that it may have seen already.
      return changeSchema(this.world, store, change, origin);
    });
    this.#lastApplied = changed.then(
      () => this.#wakeDrains(),
      (error: unknown) => {
        if (!(error instanceof SchemaChangeRefused)) throw error;
      },
    );
    this.#lastApplied.catch(() => {});
    return changed;
  }

  /** Carries out what an operator asks, between two batches. Rejects with `CommandRefused` if nothing was changed. */
  async command(command: Command): Promise<CommandOutcome> {
    const letter = letterOf(command, this.#options.store);
    if (letter !== null) await this.#resend(letter); // Before: batches do not wait for it.
    return this.#carryOut(command);
  }

  /** If it is sent and we die, the row is still open: the other side may get it once more, under the same id. */
  async #resend({ source, position, bytes }: QuarantineRow): Promise<void> {
    const sink = this.#options.sinks.find((one) => one.sink.name === source)?.sink;
    if (sink?.resend === undefined) throw new CommandRefused(`${source} is no sink that can send one event again`);
    await sink.resend({ sequence: Number(position.slice(position.indexOf(":") + 1)), bytes }).catch((error: unknown) => {
      throw new CommandRefused(error instanceof Error ? error.message : String(error));
    });
  }

  #carryOut(command: Command): Promise<CommandOutcome> {
    const handler = COMMANDS[command.verb];
    invariant(handler !== undefined, `somebody carries out ${command.verb}`);
    const desk = { world: this.world, turn: this.#turn, store: this.#options.store, sources: this.#options.sources };
    const done = this.#lastApplied.then(() => {
      if (command.verb.startsWith("schema ")) this.#reviser.beginAnew(); // As in `changeSchema`.
      return carryOut(command, handler, desk);
    });
    this.#lastApplied = done.then(
      () => this.#wakeDrains(),
      (error: unknown) => {
        if (!(error instanceof CommandRefused)) throw error;
      },
    );
    this.#lastApplied.catch(() => {});
    return done;
  }

  /** Stores a quarantined record that no batch brought, between two batches. */
  quarantine(row: QuarantineRow): Promise<void> {
    const stored = this.#lastApplied.then(() => {
      const log = new LogDraft();
      log.clear(this.world.nextSequence);
      const earlier = this.#options.store.get("quarantine", row.id);
      if (earlier !== null) return; // After a crash it comes once more; what was decided on it stands.
      const rows: ChangedRow[] = [{ table: "quarantine", key: row.id, value: encodeQuarantine(row) }];
      this.world.counters.add("dead_letter", row.source, 1);
      this.world.counters.takeChanges(rows);
      return this.#options.store.commit({ parts: new PartsDraft(), log, rows });
    });
    this.#lastApplied = stored;
    this.#lastApplied.catch(() => {});
    return stored;
  }

  /** Sources that were given up because a person has to decide on columns which they bring; only if `endsAtNewColumns`. */
  get stopped(): ReadonlyMap<SourceId, NewColumns> {
    return this.#stopped;
  }

  #between(work: () => Promise<void>): Promise<void> {
    const done = this.#lastApplied.then(work);
    this.#lastApplied = done.then(() => this.#wakeDrains());
    this.#lastApplied.catch(() => {});
    return done;
  }

  /** Calls `look` between two batches, when memory holds what is stored and nothing else. The next batch waits for it: it must be quick. */
  look<T>(look: () => T): Promise<Awaited<T>> {
    return this.#lastApplied.then(look) as Promise<Awaited<T>>;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** How long the batch at work has been under way; 0: none is. */
  get busyMs(): number {
    return this.#busySinceMs === null ? 0 : performance.now() - this.#busySinceMs;
  }

  sourceReports(): readonly SourceReport[] {
    return this.#options.sources.map(({ source, intake: { feed } }) => ({
      source: source.id,
      feed,
      state: this.#states.get(source.id) ?? "waiting",
      behind: source.behind?.() ?? null,
      watermarkMs: this.world.clock(feed).watermarkMs(source.id),
    }));
  }

  /** Null: all of the log is kept. */
  logReport(): LogReport | null {
    return this.#retention?.report() ?? null;
  }

  sinkReports(): readonly DrainReport[] {
    return this.#drains.map((one) => one.report());
  }

  async #applyNow(intake: Intake, batch: Batch): Promise<void> {
    this.#requireDecided(intake.feed, batch);
    const beganMs = performance.now();
    this.#busySinceMs = beganMs;
    const { guard } = this.#options;
    const commit = this.#turn.run(intake, guard?.enter(intake.source, batch) ?? batch);
    guard?.leave();
    const turnedMs = performance.now();
    await this.#options.store.commit(this.#withFirst(commit));
    this.#busySinceMs = null;
    if (commit.rows.some(({ table }) => table === "revise")) this.#reviser.ring();
    this.#turn.reuse(commit);
    this.world.trim();
    await this.#reviser.afterBatch();
    this.#wakeDrains();
    const { source, feed } = intake;
    const { resumeAt, records } = batch;
    const commitMs = performance.now() - turnedMs;
    this.#states.set(source, "up");
    const { diskMs } = this.#options.store;
    this.#options.onBatch?.({ source, feed, records: records.length, turnMs: turnedMs - beganMs, commitMs, diskMs, resumeAt });
  }

  /** Other settings of rules than the state was written with are an input, like those that come while the engine runs. */
  async #tellRules(): Promise<void> {
    const { store, clock } = this.#options;
    const { settings } = this.world.rules;
    const stored = storedRules(store);
    this.#rulesToStore = stored === null ? rulesText(settings) : null;
    if (stored === null || stored === rulesText(settings)) return;
    const reason = "the configuration had changed at the start";
    await this.command({ verb: "rules", args: rulesArgs(settings), by: "configuration", reason, key: null, arrivedAtMs: clock.now() });
  }

  /** The first commit of a state says by what settings it came about, and in which shapes it is written. */
  #withFirst(commit: Commit): Commit {
    const rules = this.#rulesToStore === null ? null : rulesRow(this.#rulesToStore);
    const { shapes } = this.world;
    if (rules === null && shapes === null) return commit;
    this.#rulesToStore = null;
    this.world.shapes = null;
    return { ...commit, rows: [...commit.rows, ...[rules, shapes].filter((row) => row !== null)] };
  }

  /** Throws `NewColumns` before anything is changed. */
  #requireDecided(feed: string, { records }: Batch): void {
    if (this.world.schema(feed).mode !== "failOnNewColumns") return;
    const ahead = this.world.lookahead(feed);
    for (const record of records) ahead?.add(record);
    const holdup = ahead?.holdup() ?? null;
    if (holdup !== null) throw holdup;
  }

  /** Resolves when the log has been full, and no sink has got further, for so long; or with the signal. */
  async #stalled(stallMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const settled = (): string => this.#drains.map((one) => one.report().settled).join();
    for (let before = ""; !signal.aborted; before = settled()) {
      await clock.sleep(stallMs, signal);
      if (this.#retention?.isFull() === true && settled() === before) return;
    }
  }

  #wakeDrains(): void {
    for (const one of this.#drains) one.wake();
  }

  async #readStages(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { sources, onStage } = this.#options;
    const running: Promise<void>[] = [];
    const early = new Map(sources.filter((one) => one.holdsNext).map((one) => [one, this.#pump(one, signal)]));
    for (const stage of [...new Set(sources.map((one) => one.stage))].sort((a, b) => a - b)) {
      for (const wiring of sources.filter((one) => one.stage === stage)) {
        const { begin, ended, caughtUp } = early.get(wiring) ?? this.#pump(wiring, signal);
        begin();
        running.push(ended);
        if (wiring.holdsNext) await Promise.race([caughtUp, Promise.all(running)]);
        if (signal.aborted) break;
      }
      if (signal.aborted) break;
      onStage(stage);
    }
    await Promise.all([...running, ...[...early.values()].map(({ ended }) => ended)]);
  }

  /** Nothing is applied before `begin`, or the end of the signal. */
  #pump({ source, intake }: SourceWiring, signal: AbortSignal): { begin: () => void; ended: Promise<void>; caughtUp: Promise<void> } {
    const { clock, random, onRetry, endsAtNewColumns = false } = this.#options;
    let begin = (): void => {};
    const turn = new Promise<void>((resolve) => {
      begin = resolve;
    });
    signal.addEventListener("abort", begin, { once: true });
    let onIdle = (): void => {};
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve;
    });
    const ended = pump(
      {
        source,
        intake,
        positions: (id) => this.#positions(id),
        room: () => this.#retention?.room(signal) ?? Promise.resolve(),
        apply: (from, batch) => this.apply(from, batch),
        turn,
        onIdle,
        onRetry: (error, pauseMs) => {
          this.#states.set(source.id, "down");
          onRetry(source.id, error, pauseMs);
        },
        ...(endsAtNewColumns ? { onNewColumns: (error: NewColumns) => void this.#stopped.set(source.id, error) } : {}),
        clock,
        random,
      },
      signal,
    );
    const noMore = (): void => void this.#states.set(source.id, "ended");
    ended.then(noMore, noMore);
    const caughtUp = Promise.race([idle, ended]);
    caughtUp.catch(() => {}); // `ended` is always awaited, this only if it holds the next one.
    ended.catch(() => {}); // Awaited from its turn on; meanwhile it must not count as unhandled.
    return { begin, ended, caughtUp };
  }

  #positions(source: SourceId): ReadonlyMap<string, Position> {
    const prefix = `${source}\0`;
    const rows = this.#options.store.range("position", prefix);
    return new Map([...rows].map(([key, value]) => [key.slice(prefix.length), Position(Buffer.from(value).toString())]));
  }
}

/** Waits until a sink has everything, as long as it gets further; once the signal has fired, for a short time. */
async function flushed(one: Drain, signal: AbortSignal, drainMs: number): Promise<void> {
  for (;;) {
    const before = one.report().settled;
    if (signal.aborted) return void (await one.flush(FLUSH_AT_STOP_MS));
    const stop = new Promise<boolean>((resolve) => signal.addEventListener("abort", () => resolve(false), { once: true }));
    const isDone = await Promise.race([one.flush(drainMs), stop]);
    if (isDone || (!signal.aborted && one.report().settled === before)) return;
  }
}
