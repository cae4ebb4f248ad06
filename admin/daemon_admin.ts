import { wallClock } from "../engine/clock.ts";
import type { Command, CommandOutcome } from "../engine/command.ts";
import type { Engine, StoredBatch } from "../engine/engine.ts";
import type { Store } from "../engine/store.ts";
import { AlertTail } from "./alert_tail.ts";
import { alertFilter } from "./alerts.ts";
import type { Config } from "./config_types.ts";
import { exporter } from "./exporter.ts";
import { health } from "./health.ts";
import type { Token } from "./http/access.ts";
import type { AlertStreams } from "./http/alert_stream.ts";
import { type Admin, openAdmin } from "./http/server.ts";
import { tokenOf } from "./http/token_file.ts";
import { type Live, paces } from "./live.ts";
import { liveAsker, liveKnown, livePieces } from "./live_asker.ts";
import type { Log } from "./log.ts";
import { measureLoopDelay } from "./loop_delay.ts";
import { metrics } from "./metrics.ts";
import { readers } from "./readers.ts";
import type { Stop } from "./stop.ts";
import type { Query } from "./verb.ts";
import { liveWriter } from "./writer.ts";

/** The engine that is asked, and all that is told about it. */
export interface DaemonAdminOptions {
  readonly config: Config;
  readonly engine: Engine;
  readonly store: Store;
  readonly stops: () => readonly Stop[];
  readonly version: string;
  readonly shownConfig: unknown;
  readonly asyncApi: string;
  /** Key path of the configuration -> where its value comes from. */
  readonly origins: Readonly<Record<string, string>>;
  readonly log: Pick<Log, "error" | "info">;
}

/** The API of a running engine. */
export interface DaemonAdmin extends Admin {
  /** Told of each stored batch. */
  batch(batch: StoredBatch): void;
}

const OPEN_ALERTS_MAX = "1000000";

/** Opens the API over an engine. Rejects with `CommandError` if a socket or an address cannot be had. */
export async function openDaemonAdmin(options: DaemonAdminOptions): Promise<DaemonAdmin> {
  const { config, engine, store, stops, version, shownConfig, asyncApi, origins, log } = options;
  const { stateDir, http } = config;
  const pace = paces(() => performance.now());
  const live: Live = {
    sources: () => engine.sourceReports(),
    sinks: () => engine.sinkReports(),
    sequence: () => store.nextSequence - 1,
    log: () => engine.logReport(),
    pace: (source) => pace.pace(source),
    trace: (actor, ear) => engine.world.tracer.listen(actor, ear),
  };
  const known = { ...liveKnown(config, engine, store), stops, live };
  const tail = new AlertTail({
    store,
    decode: known.view.decode,
    firstSequence: () => store.logStart("alerts"),
    alertBytes: () => store.logPieces("alerts").reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const measured = metrics({ engine, nextSequence: () => store.nextSequence, stateDir, version });
  const delay = measureLoopDelay(measured.loopDelay);
  const reading = readers(config);
  const streams: AlertStreams = {
    tail,
    clock: wallClock,
    filter: (query) => engine.look(() => alertFilter(known.view, query, known.rules)),
    open: async ({ from: _, after: __, snapshot: ___, ...query }: Query, signal) => {
      const asked = { status: "open", ...query, limit: OPEN_ALERTS_MAX };
      return (await reading.ask("alerts", asked, signal)).value as Awaited<ReturnType<AlertStreams["open"]>>;
    },
  };
  const asker = liveAsker(engine, known, reading);
  const carryOut = async (command: Command): Promise<CommandOutcome> => {
    const outcome = await engine.command(command);
    tail.ring();
    return outcome;
  };
  const admin = await openAdmin({
    stateDir,
    http,
    tokens: tokensOf(config),
    asker,
    streamed: (verb, query, signal) => livePieces(verb, known, query, signal, reading),
    exporter: exporter(config),
    writer: liveWriter({ carryOut, asker, known, nowMs: () => wallClock.now(), log }),
    streams,
    health: health({
      phase: () => engine.phase,
      busyMs: () => engine.busyMs,
      loopDelayMs: () => delay.lastMs,
      stopped: () => stops().map(({ source, partition }) => `${source} ${partition}`),
      stateDir,
      freeDiskBytesMin: config.log.minFreeDiskBytes,
    }),
    metrics: measured,
    shownConfig,
    asyncApi,
    origins,
    version,
    log,
  });
  return {
    ...admin,
    batch(batch) {
      measured.batch(batch);
      pace.batch(batch);
      tail.ring();
    },
    async close() {
      delay.stop();
      reading.close();
      await admin.close();
    },
  };
}

/** The configured ones, or else one for everything, which the state directory keeps. Without an address none is needed. */
function tokensOf({ http, stateDir }: Config): readonly Token[] {
  if (http === null) return [];
  const configured = Object.entries(http.tokens).map(([name, { value, role }]) => ({ name, value: value.reveal(), role }));
  return configured.length > 0 ? configured : [{ name: "admin", value: tokenOf(stateDir), role: "admin" }];
}
