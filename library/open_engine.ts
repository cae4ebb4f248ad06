import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { REGIONS } from "../actors/names.ts";
import { alertCursor } from "../admin/alert_cursor.ts";
import { AlertTail } from "../admin/alert_tail.ts";
import { alertFilter } from "../admin/alerts.ts";
import { type LoadedConfig, loadConfig, requireRunnable } from "../admin/config.ts";
import { CommandError } from "../admin/errors.ts";
import { history } from "../admin/history.ts";
import { inspect } from "../admin/inspect.ts";
import { liveKnown } from "../admin/live_asker.ts";
import { type Log, openLog } from "../admin/log.ts";
import { withState } from "../admin/state_view.ts";
import type { Known } from "../admin/verb.ts";
import { type Assembly, SHIPPED } from "../compose.ts";
import { composed, drainRun, openStore, type RunOptions, runEngine } from "../daemon.ts";
import { wallClock } from "../engine/clock.ts";
import type { AlertEvent } from "../engine/emission.ts";
import type { Engine as Loops } from "../engine/engine.ts";
import type { Store } from "../engine/store.ts";
import type { HistoryRow, Inspection, Subscription, Summary, Times } from "./answers.ts";
import type { Extension } from "./contract.ts";
import { extended } from "./extend.ts";

/** What `openEngine` is given: a configuration, and what the program adds to the grid. */
export interface EngineOptions extends Extension {
  /** Path of `gridactor.yaml`, relative to the working directory. */
  readonly config: string;
  /** State directory, in place of the configuration's. */
  readonly state?: string;
  /** Where placeholders and overrides are looked up. Default: that of the process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Lines of JSON on stderr. Default: `warn`. */
  readonly log?: "silent" | "error" | "warn" | "info" | "debug";
  /** Limits may be higher than the shipped ones. */
  readonly allowRaisedLimits?: boolean;
}

/** An engine in this process. It opens no port and no socket: the program that holds it asks it. */
export interface Engine {
  /** Reads all sources, the files first, until `stop`. Resolves when it runs. Rejects with `CommandError` if the state cannot be had. */
  start(): Promise<void>;
  /** Ends what runs: everything read is stored, sinks get 3 s, the state is closed. Nothing to do if nothing runs. */
  stop(): Promise<void>;
  /**
   * Of the last start: resolves when all of its sources have ended, or it was stopped. Rejects if it failed; what is stored is sound then, and the
   * process should end, for restarting is the recovery. It does end if nobody handles that.
   */
  readonly ended: Promise<void>;
  /** Reads all landing sources to their present end, flushes all sinks, and sums up: `gridactor run --drain`. */
  drain(): Promise<Summary>;
  /** One actor, as it is now or was at a time: `gridactor inspect --json`. Of a running engine, or of its state directory. */
  inspect(id: string, times?: Times): Promise<Inspection>;
  /** The versions of an actor, oldest first: `gridactor history --json`. */
  history(id: string, query?: Pick<Times, "knownAt"> & { readonly all?: boolean }): Promise<readonly HistoryRow[]>;
  /**
   * Events of alerts, as over HTTP, until the engine stops: a cursor on the log, so that a slow reader misses nothing and holds nothing up. Throws
   * `CommandError` if the engine does not run.
   */
  subscribe(query?: Subscription): AsyncIterable<AlertEvent>;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE_ROOT = existsSync(join(HERE, "../package.json")) ? dirname(HERE) : dirname(dirname(HERE));

/** Checks the configuration and puts the engine together; nothing runs before `start`. Rejects with `ConfigError`; with `TypeError` if a name that is added is taken. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const assembly = extended(SHIPPED, options);
  const loaded = loadConfig({
    path: options.config,
    flags: { state: options.state ?? null, allowRaisedLimits: options.allowRaisedLimits === true },
    env: options.env ?? process.env,
    cwd: process.cwd(),
    packageRoot: PACKAGE_ROOT,
    catalogue: {
      feeds: assembly.domain.feeds,
      rules: assembly.rules,
      kinds: assembly.domain.behaviours.map(({ kind }) => kind),
      regions: REGIONS,
      added: { sources: [...assembly.sources.keys()], sinks: [...assembly.sinks.keys()] },
    },
  });
  requireRunnable(loaded);
  return new Embedded(loaded, assembly, openLog({ level: options.log ?? "warn", screen: null, secrets: loaded.secrets }));
}

/** An engine that runs, and those who read its alerts. */
interface Running {
  readonly loops: Loops;
  readonly known: Known;
  readonly tail: AlertTail;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

class Embedded implements Engine {
  readonly #config: LoadedConfig["config"];
  readonly #assembly: Assembly;
  readonly #log: Log;
  #running: Running | null = null;
  #isBusy = false;
  ended: Promise<void> = Promise.resolve();

  constructor({ config }: LoadedConfig, assembly: Assembly, log: Log) {
    this.#config = config;
    this.#assembly = assembly;
    this.#log = log;
  }

  async start(): Promise<void> {
    await this.#alone(async () => {
      const store = await openStore(this.#config);
      let tail: AlertTail | null = null;
      const ears = { batch: () => tail?.ring(), stopped: () => {} };
      const loops = await composed(this.#runOptions(), store, "live", ears);
      const known = liveKnown(this.#config, loops, store, this.#assembly);
      const reads = new Reads(store);
      tail = new AlertTail({ store: reads, decode: known.view.decode, firstSequence: () => store.logStart("alerts") });
      const stop = new AbortController();
      this.ended = this.#run(loops, stop, reads);
      this.#running = { loops, known, tail, stop, ended: this.ended };
    });
  }

  async stop(): Promise<void> {
    this.#running?.stop.abort();
    await this.ended;
  }

  drain(): Promise<Summary> {
    return this.#alone(() => drainRun(this.#runOptions(), new AbortController().signal));
  }

  async inspect(id: string, times: Times = {}): Promise<Inspection> {
    const isOfNow = times.asOf === undefined && times.knownAt === undefined;
    return this.#ask(isOfNow, ({ view }) => inspect(view, id, times));
  }

  async history(id: string, query: Pick<Times, "knownAt"> & { readonly all?: boolean } = {}): Promise<readonly HistoryRow[]> {
    return this.#ask(true, ({ view }) => history(view, id, query));
  }

  async *subscribe({ from, after, onGap, ...query }: Subscription = {}): AsyncGenerator<AlertEvent, void> {
    const running = this.#running;
    if (running === null) throw new CommandError("UNREACHABLE", "the engine does not run", { hint: "await engine.start()" });
    const { loops, known, tail, stop } = running;
    const filter = await loops.look(() => alertFilter(known.view, query, known.rules));
    const first = from ?? (after === undefined ? tail.nextSequence : after + 1);
    for await (const told of alertCursor({ tail, filter, from: Math.max(1, first), clock: wallClock }, stop.signal)) {
      if (told.type === "gap" && onGap === undefined) {
        const { requested, firstAvailable } = told;
        throw new CommandError("NOT_FOUND", `the log does not hold ${requested}`, { hint: `it begins at ${firstAvailable}` });
      }
      if (told.type === "gap") onGap?.(told);
      if (told.type === "alerts") for (const { event } of told.alerts) yield event;
    }
  }

  /** What may run once at a time. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isBusy || this.#running !== null)
      throw new CommandError("REFUSED", "the engine runs already", { hint: "await engine.stop()" });
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }

  /** To its end, or to its failure: after that memory is ahead of the store, so nothing is closed. */
  async #run(loops: Loops, stop: AbortController, reads: Reads): Promise<void> {
    try {
      await runEngine(loops, stop.signal);
    } finally {
      this.#running = null;
      stop.abort();
    }
    await reads.done();
    await loops.close();
  }

  /** Of the memory of a running engine, between two batches; what takes longer, of its state directory. */
  async #ask<T>(isQuick: boolean, ask: (known: Known) => Promise<T> | T): Promise<T> {
    const running = this.#running;
    if (running === null || !isQuick) return withState(this.#config, ask, this.#assembly);
    return running.loops.look(() => ask(running.known));
  }

  #runOptions(): RunOptions {
    return { config: this.#config, assembly: this.#assembly, log: this.#log, screen: null, say: () => {} };
  }
}

/** Lets the log be read until it is closed, and knows who is at it. */
class Reads implements Pick<Store, "readLog" | "nextSequence"> {
  readonly #store: Store;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(store: Store) {
    this.#store = store;
  }

  get nextSequence(): number {
    return this.#store.nextSequence;
  }

  readLog: Store["readLog"] = (stream, from, bytesMax) => {
    const reading = this.#store.readLog(stream, from, bytesMax);
    this.#underWay.add(reading);
    const done = (): void => void this.#underWay.delete(reading);
    reading.then(done, done);
    return reading;
  };

  /** Resolves when nobody reads any more. */
  async done(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }
}
