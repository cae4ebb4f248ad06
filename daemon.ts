import { closeSync, openSync } from "node:fs";
import { userInfo } from "node:os";
import { filtersOf, restartNeeded, type SinkFilter } from "./admin/config_reload.ts";
import type { Config } from "./admin/config_types.ts";
import { type DaemonAdmin, openDaemonAdmin } from "./admin/daemon_admin.ts";
import { CommandError } from "./admin/errors.ts";
import type { Log } from "./admin/log.ts";
import { printable } from "./admin/printable.ts";
import { landedShare, type ProgressBar } from "./admin/progress_bar.ts";
import type { View } from "./admin/reader.ts";
import { type Decision, decided, decisionOn } from "./admin/schema_decision.ts";
import { otherFormat } from "./admin/state_view.ts";
import type { Stop } from "./admin/stop.ts";
import { readCounters, type Summary, summary } from "./admin/summary.ts";
import { type Query, textOf } from "./admin/verb.ts";
import { watchdog } from "./admin/watchdog.ts";
import { type Assembly, type Composition, compose, domainOf, SINK_STALL_MS, worldOptions } from "./compose.ts";
import { wallClock } from "./engine/clock.ts";
import { CommandRefused, carryOut } from "./engine/command.ts";
import { CrashLoop, type Death, openCrashGuard } from "./engine/crash_guard.ts";
import { DamagedStore, NoStore, OtherFormat } from "./engine/damaged_store.ts";
import { stateDigest } from "./engine/digest.ts";
import { Locked } from "./engine/directory_lock.ts";
import { seconds } from "./engine/duration.ts";
import { emissionDecoder } from "./engine/emission_codec.ts";
import type { Engine } from "./engine/engine.ts";
import { Unavailable } from "./engine/fault.ts";
import { openLmdbStore } from "./engine/lmdb_store.ts";
import { openMemoryStore } from "./engine/memory_store.ts";
import { rulesArgs } from "./engine/rule_commands.ts";
import { carryOutSchema, finishSchemaCommand } from "./engine/schema_commands.ts";
import type { Store } from "./engine/store.ts";
import { Turn } from "./engine/turn.ts";
import { World } from "./engine/world.ts";
import { ForeignPartition } from "./sources/kafka/foreign_partition.ts";

/** How long a second signal, or a stop that hangs, is waited for. */
const STOP_WITHIN_MS = seconds(15);
/** Ctrl-C reaches us from the terminal and from npm: two signals this close together are one. */
const SAME_SIGNAL_MS = 500;
/** A stream is in so many segments at least when its log is full: what is cut is a small part of it. */
const LOG_SEGMENTS = 16;
const SEGMENT_BYTES_MIN = 65_536;

export interface RunOptions {
  readonly config: Config;
  /** Default: the shipped one. */
  readonly assembly?: Assembly;
  readonly log: Log;
  readonly screen: Composition["screen"];
  /** Lines for people about the start, on stderr. */
  readonly say: (text: string) => void;
  /** Progress of a drain; left out: none is shown. */
  readonly bar?: ProgressBar;
  /** Certificates of Kafka brokers are not checked. */
  readonly insecureDev?: boolean;
}

/** What a run that is asked meanwhile also needs. */
export interface LiveOptions extends RunOptions {
  /** Loads the configuration anew: what SIGHUP asks for. Throws `CommandError`. */
  readonly reload: () => Config;
  readonly version: string;
  /** The configuration for eyes: no secret in it. */
  readonly shownConfig: unknown;
  /** The text of `asyncapi.yaml`. */
  readonly asyncApi: string;
  /** Key path of the configuration -> where its value comes from. */
  readonly origins: Readonly<Record<string, string>>;
}

/** Reads all landing sources to their present end, flushes all sinks, and sums up. */
export async function drainRun(options: RunOptions, stop: AbortSignal): Promise<Summary> {
  const { config, assembly } = options;
  const beganAtMs = performance.now();
  const store = await openStore(config);
  const before = readCounters({ store });
  const engine = await composed(options, store, "drain", await earsOf(config, options.bar));
  await runEngine(engine, stop);
  options.bar?.end();
  const after = readCounters({ store });
  const digest = stateDigest(store);
  const left = leftBehind(engine);
  await engine.close();
  if (stop.aborted || left !== "") {
    const what = stop.aborted ? "the drain was stopped before the end of the files" : `sinks are behind: ${left}`;
    throw new CommandError("RETRY", what, { hint: "run it again: it goes on where it stopped" });
  }
  requireDecided(engine);
  return summary(domainOf(config, assembly), { before, after, digest, tookMs: performance.now() - beganAtMs });
}

async function earsOf({ sources }: Config, bar: ProgressBar | undefined): Promise<Ears> {
  if (bar === undefined) return NO_EARS;
  const share = await landedShare(sources.filter((source) => source.type === "landing"));
  return { ...NO_EARS, batch: (batch) => bar.step(batch.records, share(batch)) };
}

/** Runs until the signal fires: the files first, then live. What sinks have not taken stays in the log, and is named. */
export async function liveRun(options: LiveOptions, stop: AbortSignal): Promise<void> {
  const { config, log, say } = options;
  const store = await openStore(config);
  let admin: DaemonAdmin | null = null;
  const stops = new Map<string, Stop>();
  const ears: Ears = {
    batch: (batch) => admin?.batch(batch),
    stopped: (stop) => void stops.set(`${stop.source} ${stop.partition}`, stop),
    goesOn: (source, partition) => void stops.delete(`${source} ${partition}`),
  };
  let filters = filtersOf(config);
  const filterNow = (sink: string): SinkFilter | undefined => filters.get(sink);
  const engine = await composed({ ...options, filterNow }, store, "live", ears);
  admin = await openDaemonAdmin({ ...options, engine, store, stops: () => [...stops.values()] }).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const onHangup = onHangups(async () => {
    filters = (await reloaded(options, engine)) ?? filters;
  });
  process.on("SIGHUP", onHangup);
  const actors = (): number => engine.world.actorCount;
  say(`state ${config.stateDir} (${store.nextSequence > 1 ? "restored" : "new"})\n`);
  say(`asked at ${admin.url ?? admin.socket}\n`);
  log.info("engine.ready", `${actors()} actors, sequence ${store.nextSequence - 1}`);
  const dog = watchdog({ busyMs: () => engine.busyMs });
  await runEngine(engine, stop);
  process.off("SIGHUP", onHangup);
  await dog.stop();
  const left = leftBehind(engine);
  await admin.close();
  await engine.close();
  log.info("engine.stopped", left === "" ? "every sink has everything" : `not taken yet, kept in the log: ${left}`);
}

/** One reload after another. A terminal that is gone asks for no reload, but for an end. */
function onHangups(reload: () => Promise<void>): () => void {
  const hadTerminal = process.stdin.isTTY;
  let last = Promise.resolve();
  return () => {
    if (hadTerminal && !hasTerminal()) return void process.kill(process.pid, "SIGTERM");
    last = last.then(reload);
    last.catch(() => {}); // The engine has failed, and says so itself.
    return undefined;
  };
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}

/** Rules and filters as the configuration has them now, the rules from the next batch on; if it is not valid, the old ones stay: null. */
async function reloaded({ config, reload, log }: LiveOptions, engine: Engine): Promise<ReturnType<typeof filtersOf> | null> {
  let next: Config;
  try {
    next = reload();
  } catch (error) {
    log.error("config.refused", `the old one stays: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
  const reason = "the configuration was reloaded";
  const command = { verb: "rules", args: rulesArgs(next.rules), by: "configuration", reason, key: null, arrivedAtMs: wallClock.now() };
  const { row } = await engine.command(command);
  const told = row.result === "done" ? "rules have changed" : "rules are as before";
  const later = restartNeeded(config, next);
  log.info("config.reloaded", later.length === 0 ? told : `${told}; for ${later.join(", ")} start it again`);
  return filtersOf(next);
}

/** Reads the landing sources of a configuration into memory: nothing is stored, published, archived or deleted. */
export async function replayRun<T>(
  { config, assembly, log, bar }: ReplayOptions,
  look: (view: View) => Promise<T>,
  stop: AbortSignal,
): Promise<T> {
  const store = openMemoryStore();
  const sources = config.sources.map((source) =>
    source.type === "landing" ? { ...source, cleanSource: { ...source.cleanSource, mode: "off" as const } } : source,
  );
  const scratch = { ...config, sources, sinks: [] };
  const options = { config: scratch, ...(assembly === undefined ? {} : { assembly }), log, screen: null, say: () => {}, isScratch: true };
  const engine = await composed(options, store, "drain", await earsOf(scratch, bar));
  await runEngine(engine, stop).finally(() => bar?.end());
  if (stop.aborted) throw new CommandError("RETRY", "stopped before the end of the files; nothing was kept");
  requireDecided(engine);
  const domain = domainOf(config, assembly);
  const answer = await look({ store, domain, decode: emissionDecoder(config.name, domain.tables) });
  await engine.close();
  return answer;
}

type ReplayOptions = Pick<RunOptions, "config" | "assembly" | "log" | "bar">;

/** Everything else has been read, and is stored. */
function requireDecided({ stopped }: Engine): void {
  const [first] = stopped;
  if (first === undefined) return;
  const [source, { feed, columns }] = first;
  const names = columns.slice(0, 20).map((name) => printable(name.slice(0, 64)));
  throw new CommandError("RETRY", `the source ${source} waits: it brings new columns, ${names.join(", ")}`, {
    hint: `gridactor schema approve ${feed} ${names[0]} TYPE --write, or schema ignore; then run it again`,
  });
}

/** Runs it to its end. Rejects with what the process ends with. */
export async function runEngine(engine: Engine, stop: AbortSignal): Promise<void> {
  try {
    await engine.run(stop, SINK_STALL_MS);
  } catch (error) {
    throw storeError(error);
  }
}

/** Sinks that have not taken everything, each with the last sequence it holds. */
function leftBehind(engine: Engine): string {
  const behind = engine.sinkReports().filter((report) => report.behind > 0);
  return behind.map(({ sink, settled }) => `${sink} at ${settled}`).join(", ");
}

/** Carries out `schema approve` or `schema ignore` in a state directory on which no engine runs. One that runs holds the lock: then 75. */
export async function decideStopped(config: Config, verb: string, query: Query): Promise<Decision> {
  await requireStore(config);
  const args = decisionOn(
    query,
    domainOf(config).feeds.map(({ name }) => name),
  );
  const store = await openStore(config).catch((error: unknown) => {
    if (!(error instanceof CommandError) || error.code !== "RETRY") throw error;
    throw new CommandError("RETRY", error.message, {
      hint: "decide when it has ended, or while gridactor run without --drain is on it",
      cause: error,
    });
  });
  const world = new World(worldOptions(config), store);
  const desk = { world, store, turn: new Turn(world), sources: [] };
  await finishSchemaCommand(desk);
  const reason = textOf(query, "reasonText") ?? null;
  const command = { verb, args, by: userInfo().username, reason, key: null, arrivedAtMs: wallClock.now() };
  const { row } = await carryOut(command, carryOutSchema, desk).catch(async (error: unknown) => {
    if (!(error instanceof CommandRefused)) throw error; // The process just ends.
    await store.close();
    throw new CommandError("REFUSED", error.message, { cause: error });
  });
  await store.close();
  return decided(row);
}

/** Throws UNREACHABLE where there is no state yet: none is made. */
async function requireStore({ stateDir, limits }: Config): Promise<void> {
  try {
    await (await openLmdbStore({ dir: stateDir, limits, readOnly: true })).close();
  } catch (error) {
    if (error instanceof NoStore) throw new CommandError("UNREACHABLE", error.message, { hint: "gridactor run --drain" });
    throw storeError(error);
  }
}

/** A signal that fires at the first SIGINT or SIGTERM. A second one, or a stop that takes too long, ends the process with 75. */
export function stopOnSignals(log: Log): AbortSignal {
  const controller = new AbortController();
  const hurry = (): void => {
    log.error("engine.stopping", "stopped before everything was closed; nothing stored is lost");
    process.exit(75);
  };
  let stoppedAtMs = 0;
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - stoppedAtMs > SAME_SIGNAL_MS) hurry();
      return;
    }
    stoppedAtMs = performance.now();
    controller.abort();
    setTimeout(hurry, STOP_WITHIN_MS).unref();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}

/** Opens the state directory to write it. Rejects with `CommandError`. */
export async function openStore(config: Config): Promise<Store> {
  try {
    const segmentBytes = Math.min(config.limits.segmentBytes, Math.max(SEGMENT_BYTES_MIN, config.log.sizeBytesMax / LOG_SEGMENTS));
    return await openLmdbStore({ dir: config.stateDir, limits: { ...config.limits, segmentBytes } });
  } catch (error) {
    throw storeError(error);
  }
}

/** What opening a state directory may say, as an error of the command line. */
export function storeError(error: unknown): unknown {
  if (error instanceof ForeignPartition) return new CommandError("CONFIG", error.message, { hint: "set group of that source" });
  if (error instanceof Locked) return new CommandError("RETRY", error.message, { hint: "stop that process, or give another --state" });
  if (error instanceof Error && error.cause instanceof DamagedStore) return storeError(error.cause);
  if (error instanceof OtherFormat) return otherFormat(error);
  if (error instanceof DamagedStore) return new CommandError("CONFIG", error.message, { hint: "gridactor restore DIR" });
  if (error instanceof CrashLoop)
    return new CommandError("CONFIG", error.message, { hint: "look into it; the next start begins to count anew" });
  if (isFileError(error) && NO_FOLDER.includes(error.code ?? "")) {
    return new CommandError("CONFIG", `the state directory cannot be used: ${error.message}`, { hint: "give another --state" });
  }
  return error;
}

const NO_FOLDER: readonly string[] = ["ENOTDIR", "EEXIST", "EACCES", "EROFS", "EPERM"];

/** What the file system says, with its code. */
export function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** Who hears of what happens in a running engine. */
export interface Ears {
  readonly batch: NonNullable<Composition["onBatch"]>;
  /** Told of a partition that is read no more, and of one that goes on though something is amiss. */
  readonly stopped: (stop: Stop) => void;
  readonly goesOn?: (source: string, partition: string) => void;
}

const NO_EARS: Ears = { batch: () => {}, stopped: () => {} };

/** An engine on an open store, which says in the log what happens to it. If it cannot be made, the store is closed. `isScratch`: it is in memory. */
export async function composed(
  { config, assembly, log, screen, say, filterNow, insecureDev = false, isScratch = false }: ComposedOptions,
  store: Store,
  mode: Composition["mode"],
  ears: Ears,
): Promise<Engine> {
  try {
    return await compose({
      config,
      ...(assembly === undefined ? {} : { assembly }),
      ...(filterNow === undefined ? {} : { filterNow }),
      ...(isScratch ? {} : { guard: openCrashGuard(config.stateDir, (death) => told(death, log)) }),
      store,
      mode,
      screen,
      insecureDev,
      onRetry: (source, error, pauseMs) => log.warn("source.retry", error.message, { source, pauseMs: Math.round(pauseMs) }),
      onSinkRetry: (sink, error, pauseMs) => log.warn("sink.retry", error.message, { sink, pauseMs: Math.round(pauseMs) }),
      onSinkGap: (sink, requested, firstAvailable) =>
        log.error("sink.gap", `${sink} goes on at ${firstAvailable}: what came from ${requested} on is no longer in the log`, { sink }),
      onPressure: (reason) => {
        if (reason === null) log.info("log.room", "sources go on: there is room again");
        else log.warn("log.full", `sources wait: ${reason}`);
      },
      onBatch: ears.batch,
      onTrouble: (source, partition, reason, isStopped, isGap) => {
        if (isStopped) ears.stopped({ source, partition, reason, isGap });
        else ears.goesOn?.(source, partition);
        if (isStopped) log.error("source.stopped", `partition ${partition} of ${source} is read no more: ${reason}`, { source, partition });
        else log.warn("source.gap", `partition ${partition} of ${source}: ${reason}`, { source, partition });
      },
      onStage: (stage) => {
        log.debug("engine.progress", `stage ${stage} is read`);
        if (mode === "live") say(`stage ${stage} is read\n`);
      },
    });
  } catch (error) {
    await store.close();
    throw error instanceof Unavailable ? new CommandError("RETRY", error.message) : storeError(error);
  }
}

type ComposedOptions = RunOptions & Pick<Composition, "filterNow"> & { readonly isScratch?: boolean };

function told({ source, position, deaths, isAside }: Death, log: Log): void {
  if (isAside) log.error("engine.died", `${position} goes to quarantine: the process died each time it took it`, { source, position });
  else
    log.warn("engine.died", `the last run died while it took records up to ${position}, as did ${deaths - 1} before it`, {
      source,
      position,
    });
}
