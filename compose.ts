import { existsSync } from "node:fs";
import { shardRules } from "./actors/one_engine_rules.ts";
import { GRID } from "./actors/registry.ts";
import { RULES } from "./actors/rules.ts";
import type { Unreached } from "./admin/check.ts";
import { configuredDomain } from "./admin/config_domain.ts";
import type { SinkFilter } from "./admin/config_reload.ts";
import type {
  AddedSourceConfig,
  BlobLocation,
  Config,
  EventHubConfig,
  KafkaConfig,
  LandingConfig,
  SimulatorConfig,
  SinkConfig,
  SourceConfig,
} from "./admin/config_types.ts";
import { CommandError } from "./admin/errors.ts";
import { freeBytes } from "./admin/health.ts";
import type { Inlet } from "./cluster/inlet.ts";
import { wallClock } from "./engine/clock.ts";
import type { CrashGuard } from "./engine/crash_guard.ts";
import { minutes } from "./engine/duration.ts";
import { emissionDecoder } from "./engine/emission_codec.ts";
import { Engine, type EngineOptions, type SinkWiring, type SourceWiring } from "./engine/engine.ts";
import { invariant } from "./engine/fault.ts";
import type { Gaps } from "./engine/gaps.ts";
import type { Mark, SourceId } from "./engine/ids.ts";
import type { QuarantineRow } from "./engine/quarantine.ts";
import type { KeptLog } from "./engine/retention.ts";
import type { Rule } from "./engine/rule.ts";
import { RuleTable } from "./engine/rule_table.ts";
import type { SchemaSettings } from "./engine/schema.ts";
import type { Sink } from "./engine/sink.ts";
import { storedCursor } from "./engine/sink_cursor.ts";
import type { Source } from "./engine/source.ts";
import type { Store } from "./engine/store.ts";
import type { Domain, World, WorldOptions } from "./engine/world.ts";
import { liveMessages } from "./simulators/live.ts";
import { type DeadLetter, deadLetterRow } from "./sinks/dead_letter.ts";
import { jsonLines } from "./sinks/json_lines.ts";
import { kafka as kafkaSink } from "./sinks/kafka.ts";
import { parquet } from "./sinks/parquet.ts";
import { rowJson } from "./sinks/row_json.ts";
import { terminal } from "./sinks/terminal.ts";
import { webhook } from "./sinks/webhook.ts";
import type { BlobFolderAddress } from "./sources/blob_address.ts";
import { blobPlace } from "./sources/blob_place.ts";
import { containerProblem } from "./sources/blob_reach.ts";
import { eventHub } from "./sources/event_hub.ts";
import { connectionStringProblem, type HubAccess } from "./sources/event_hub_address.ts";
import { hubProblem } from "./sources/event_hub_reach.ts";
import { folderPlace } from "./sources/folder_place.ts";
import { folderWatch } from "./sources/folder_watch.ts";
import type { Format } from "./sources/format.ts";
import { csv } from "./sources/formats/csv.ts";
import { jsonLines as jsonFormat } from "./sources/formats/json_lines.ts";
import { parquet as parquetFormat } from "./sources/formats/parquet.ts";
import type { KafkaConnection } from "./sources/kafka/client.ts";
import { kafkaReach } from "./sources/kafka/reach.ts";
import { kafkaTopic } from "./sources/kafka/topic.ts";
import { kafka } from "./sources/kafka.ts";
import type { LandingPlace } from "./sources/landing_place.ts";
import { landingZone } from "./sources/landing_zone.ts";
import { simulator } from "./sources/simulator.ts";

/** A batch of a source that is behind may be this many times as large as one that keeps up: a file always is. */
const LOAD_FACTOR = 4;
/** What an IoT hub knows of a message beside its body, and the column that it stands in for. */
const IOT_HUB_COLUMNS: ReadonlyMap<string, string> = new Map([
  ["iothub-connection-device-id", "iot_device_id"],
  ["iothub-enqueuedtime", "iot_hub_enqueued_time"],
]);
/** In a drain a sink that has not got further for so long is given up: the next one goes on where it stopped. */
export const SINK_STALL_MS = minutes(5);
/** The day that generated data tells of; live streams begin behind it. */
const DATA_DAY_AT_MS = Date.UTC(2025, 5, 15);

/** What an engine is put together from: the grid alone, or with what a program adds to it. */
export interface Assembly {
  readonly domain: Domain;
  readonly rules: readonly Rule[];
  /** By the type under which the configuration names them. */
  readonly sources: ReadonlyMap<string, (options: AddedOptions) => Omit<Source, "id">>;
  readonly sinks: ReadonlyMap<string, (options: AddedOptions, resume: Resume) => Omit<Sink, "name"> | Promise<Omit<Sink, "name">>>;
}

/** What the configuration says of a source or sink of an added type. */
export type AddedOptions = AddedSourceConfig["options"];

/** Where a sink goes on: the mark that it gave last (null: it begins), and the store whose log it takes. */
export interface Resume {
  readonly mark: Mark | null;
  readonly storeId: string;
}

/** The grid as it is shipped. */
export const SHIPPED: Assembly = { domain: GRID, rules: RULES, sources: new Map(), sinks: new Map() };

export interface Composition {
  readonly config: Config;
  /** Default: the shipped one. */
  readonly assembly?: Assembly;
  readonly store: Store;
  /** `drain`: landing sources only, to their present end. */
  readonly mode: "drain" | "live";
  /** Where alerts are shown to people, or null. */
  readonly screen: { readonly write: (text: string) => void; readonly color: boolean } | null;
  readonly onRetry: EngineOptions["onRetry"];
  readonly onSinkRetry: NonNullable<EngineOptions["onSinkRetry"]>;
  /** Told if the log no longer holds all that a sink lacks. */
  readonly onSinkGap?: NonNullable<EngineOptions["onSinkGap"]>;
  /** Told when sources begin to wait because there is no room, with the reason, and (null) when they go on. */
  readonly onPressure?: (reason: string | null) => void;
  readonly onStage: EngineOptions["onStage"];
  readonly onBatch?: NonNullable<EngineOptions["onBatch"]>;
  /** Told when a partition of a broker cannot be read on as it should; `isStopped`: it is read no more, until the next start or, if `isGap`, that is accepted. */
  readonly onTrouble: (source: SourceId, partition: string, reason: string, isStopped: boolean, isGap: boolean) => void;
  /** The filter of a sink that is in force now; undefined: that of the configuration. */
  readonly filterNow?: (sink: string) => SinkFilter | undefined;
  /** Certificates of Kafka brokers are not checked. For development only. */
  readonly insecureDev?: boolean;
  /** Finds records that kill the process; left out: nobody does. */
  readonly guard?: CrashGuard;
  /** What the engine is of a cluster; left out: it is alone. */
  readonly shard?: ShardPart;
}

/** The part of a cluster that an engine is: the actors that live in it, and what takes the place of its sources. */
export interface ShardPart {
  readonly owns: NonNullable<WorldOptions["owns"]>;
  readonly inlets: ReadonlyMap<string, Inlet>;
  /** Told when an output shows that another owner has gone on with this state, in a later generation. Left out: it ends the engine. */
  readonly onOvertaken?: (generation: number) => void;
}

/** The grid as the configuration has it. */
export function domainOf(config: Config, { domain }: Pick<Assembly, "domain"> = SHIPPED): Domain {
  return configuredDomain(domain, config);
}

/** What the configuration says of the evolution of schemas, feed by feed. */
export function schemasOf({ feeds }: Config): ReadonlyMap<string, SchemaSettings> {
  return new Map([...feeds].map(([name, { schema }]) => [name, schema]));
}

/** What an engine's memory is made of, as the configuration has it. */
export function worldOptions(config: Config, assembly: Assembly = SHIPPED): WorldOptions {
  const { name, limits, cluster } = config;
  const rules = cluster !== null && cluster.shards > 1 ? shardRules(config.rules) : config.rules;
  return { name, domain: domainOf(config, assembly), rules: new RuleTable(assembly.rules, rules), schemas: schemasOf(config), limits };
}

/** Puts an engine together: the only place that names concrete sources, sinks, actors and store together. */
export async function compose({
  config,
  assembly = SHIPPED,
  store,
  mode,
  screen,
  onRetry,
  onSinkRetry,
  onSinkGap = () => {},
  onPressure = () => {},
  onStage,
  onBatch = () => {},
  onTrouble,
  filterNow = () => undefined,
  insecureDev = false,
  guard,
  shard,
}: Composition): Promise<Engine> {
  const domain = domainOf(config, assembly);
  let engine: Engine | null = null;
  const running = (): Engine => {
    invariant(engine !== null, "sources are read and sinks written by a running engine");
    return engine;
  };
  const world = (): World => running().world;
  const sinks: SinkWiring[] = [];
  const opening: SinkOpening = {
    config,
    assembly,
    store,
    domain,
    isUnchecked: insecureDev,
    filterNow,
    quarantine: (row) => running().quarantine(row),
    ...(shard?.onOvertaken === undefined ? {} : { whenLater: { onOvertaken: shard.onOvertaken } }),
  };
  for (const sink of config.sinks) sinks.push({ sink: await openSink(sink, opening), stream: sink.stream });
  if (screen !== null) sinks.push({ sink: terminal({ name: "terminal", ...screen }), stream: "alerts" });
  const sources =
    shard === undefined
      ? wireSources({ config, assembly, domain, store, mode, world, onTrouble, insecureDev })
      : [...shard.inlets.values()].map((inlet) => inletWiring(inlet, config, domain));
  engine = new Engine({
    ...worldOptions(config, assembly),
    ...(shard === undefined ? {} : { owns: shard.owns }),
    ...(guard === undefined ? {} : { guard }),
    domain,
    store,
    sources,
    sinks,
    endsAtNewColumns: mode === "drain",
    decode: emissionDecoder(config.name, domain.tables),
    clock: wallClock,
    random: Math.random,
    onRetry,
    onSinkRetry,
    onSinkGap,
    log: { ...keptLog(config), freeDiskBytes: () => freeBytesOf(config), onPressure },
    ...(mode === "drain" ? { stallMs: SINK_STALL_MS } : {}),
    onStage,
    onBatch,
  });
  return engine;
}

/** What sources are put together from. `world` is asked while they are read. */
export type SourcesOpening = Required<Pick<Composition, "config" | "assembly" | "store" | "mode" | "onTrouble" | "insecureDev">> & {
  readonly domain: Domain;
  readonly world: () => World;
};

/** The sources of a configuration, in its order. */
export function wireSources({ config, assembly, domain, store, mode, world, onTrouble, insecureDev }: SourcesOpening): SourceWiring[] {
  return config.sources.flatMap((source): SourceWiring[] => {
    if (source.type === "landing") return [landingWiring(source, config, mode === "live", world)];
    if (mode === "drain") return [];
    if (source.type === "simulator") return [simulatorWiring(source, config, (feed) => world().clock(feed).latestMs())];
    if (source.type === "kafka")
      return [kafkaWiring(source, config, store, { gaps: () => world().gaps, onTrouble, isUnchecked: insecureDev })];
    if (source.type === "added") return [addedWiring(source, assembly)];
    return [eventHubWiring(source, config, domain, { gaps: () => world().gaps, onTrouble })];
  });
}

// Sources -------------------------------------------------------------------------------------------------------------------------------

function landingWiring(source: LandingConfig, config: Config, follow: boolean, world: () => World): SourceWiring {
  const { cleanSource } = source;
  const zone = landingZone({
    ...source,
    place: placeOf(source, config, follow),
    format: formatOf(source.format, config),
    limits: config.limits,
    bounds: { records: config.batch.recordsMax * LOAD_FACTOR, bytes: config.batch.bytesMax * LOAD_FACTOR },
    follow,
    clean: cleanSource.mode === "off" ? { mode: "off" } : { mode: cleanSource.mode, retentionMs: cleanSource.retentionMs },
    maxFiles: source.filesMax,
    maxBytes: source.bytesMax,
    lookAhead: () => world().lookahead(source.feed),
    absentees: source.absentMeans === "delete" ? () => world().absentees(source.feed) : null,
    clock: wallClock,
  });
  return { ...wiring(zone, source, source.mode), holdsNext: true };
}

function placeOf({ location, cleanSource }: LandingConfig, { connections }: Config, follow: boolean): LandingPlace {
  const archive = cleanSource.mode === "archive" ? cleanSource.to : null;
  if (location.type === "folder") {
    invariant(archive?.type !== "blob", "a folder has its archive in a folder");
    return folderPlace({ folder: location.path, archive: archive?.path ?? null, watch: follow ? folderWatch : null });
  }
  invariant(archive?.type !== "folder", "a container has its archive in a container");
  return blobPlace({ ...blobFolder(location, connections), archive: archive === null ? null : blobFolder(archive, connections) });
}

function blobFolder({ connection: name, container, prefix }: BlobLocation, connections: Config["connections"]): BlobFolderAddress {
  const connection = connections[name];
  invariant(connection?.type === "azure-blob", "the connection was checked");
  return { address: { endpoint: connection.endpoint, container, sas: connection.sas?.reveal() ?? null }, prefix };
}

function formatOf(name: LandingConfig["format"], { limits }: Config): Format {
  switch (name) {
    case "jsonl":
      return jsonFormat(limits);
    case "csv":
      return csv(limits);
    case "parquet":
      return parquetFormat(limits);
  }
}

function simulatorWiring(source: SimulatorConfig, config: Config, latestMs: (feed: string) => number): SourceWiring {
  const { id, feed, profile, seed, ratePerSecond, clock } = source;
  const stream = simulator({
    id,
    messages: (startAtMs, first) => liveMessages({ profile, seed, scale: 1, startAtMs, rate: ratePerSecond, first }),
    startAtMs: () => (clock === "wall" ? wallClock.now() : Math.max(DATA_DAY_AT_MS, Math.ceil((latestMs(feed) + 1) / 1_000) * 1_000)),
    ratePerSecond,
    batchRecords: config.batch.recordsMax,
    clock: wallClock,
  });
  return { ...wiring(stream, source, feed === "billing" ? "cdc" : "delta"), holdsNext: false };
}

/** In the place of a source; what other shards tell is of no feed, and no feed of it is ever looked at. */
function inletWiring(inlet: Inlet, { sources }: Config, { feeds }: Domain): SourceWiring {
  const source = sources.find(({ id }) => id === inlet.id);
  const { feed = feeds[0]?.name ?? "", origin = "live" } = source ?? {};
  const mode = source !== undefined && "mode" in source ? source.mode : feed === "billing" ? "cdc" : "delta";
  return { source: inlet, intake: { source: inlet.id, feed, mode, origin }, stage: 1, holdsNext: false };
}

/** What sources of brokers ask and tell where records are lost. */
interface GapWatch {
  readonly gaps: () => Gaps;
  readonly onTrouble: Composition["onTrouble"];
}

function kafkaWiring(
  source: KafkaConfig,
  config: Config,
  store: Store,
  { gaps, onTrouble, isUnchecked }: GapWatch & { readonly isUnchecked: boolean },
): SourceWiring {
  const { id, feed, topics, group, start, onGap } = source;
  const topicSource = kafka({
    id,
    connection: kafkaConnection(source.connection, config, isUnchecked),
    topics,
    group,
    owner: store.storeId,
    start,
    onGap,
    bounds: { records: Math.min(source.batchRecordsMax, config.batch.recordsMax * LOAD_FACTOR), bytes: config.batch.bytesMax },
    idleMs: config.feeds.get(feed)?.idleMs ?? 0,
    clock: wallClock,
    isAccepted: (partition) => gaps().isAccepted(id, partition),
    onTrouble: (partition, reason, isStopped) => onTrouble(id, partition, reason, isStopped, true),
  });
  return { ...wiring(topicSource, source, source.mode), holdsNext: false };
}

/** How to reach a cluster of Kafka that the configuration names. */
export function kafkaConnection(name: string, { connections }: Config, isUnchecked: boolean): KafkaConnection {
  const connection = connections[name];
  invariant(connection?.type === "kafka", "other connections were refused before");
  const { brokers, clientId, tls, sasl } = connection;
  const texts = Object.entries(tls ?? {}).flatMap(([part, text]) => (text === null ? [] : [[part, text.reveal()]]));
  const login =
    sasl?.mechanism === "oauthbearer" ? { ...sasl, token: sasl.token.reveal() } : sasl && { ...sasl, password: sasl.password.reveal() };
  return { brokers, clientId, tls: tls && { ...Object.fromEntries(texts), isUnchecked }, sasl: login };
}

/** Positions are kept under the name in the configuration, whatever the source calls itself. */
function addedWiring(config: AddedSourceConfig, { sources }: Assembly): SourceWiring {
  const make = sources.get(config.madeBy);
  invariant(make !== undefined, "the configuration knows no other types");
  const made = make(config.options);
  const source: Source = {
    id: config.id,
    read: (after, signal) => made.read(after, signal),
    stored: (positions) => made.stored?.(positions),
  };
  return { ...wiring(source, config, config.mode), holdsNext: false };
}

/** Of two engines the one that started last has the higher owner level. */
function eventHubWiring(source: EventHubConfig, config: Config, { feeds }: Domain, { gaps, onTrouble }: GapWatch): SourceWiring {
  const { id, feed, hub, group: consumerGroup, start, onGap } = source;
  const fields = feeds.find(({ name }) => name === feed)?.fields ?? {};
  const hubSource = eventHub({
    id,
    access: hubAccess(source, config),
    hub,
    consumerGroup,
    start,
    onGap,
    ownerLevel: wallClock.now(),
    bounds: { records: Math.min(source.batchRecordsMax, config.batch.recordsMax * LOAD_FACTOR), bytes: config.batch.bytesMax },
    idleMs: config.feeds.get(feed)?.idleMs ?? 0,
    columns: new Map([...IOT_HUB_COLUMNS].filter(([, column]) => Object.hasOwn(fields, column))),
    clock: wallClock,
    isAccepted: (partition) => gaps().isAccepted(id, partition),
    onTrouble: (partition, reason, isStopped, isGap) => onTrouble(id, partition, reason, isStopped, isGap),
  });
  return { ...wiring(hubSource, source, source.mode), holdsNext: false };
}

/** Throws `CommandError` if a connection string is none for this hub. */
function hubAccess({ id, connection: name, hub }: EventHubConfig, { connections }: Config): HubAccess {
  const connection = connections[name];
  invariant(connection?.type === "eventhub", "other connections were refused before");
  if (connection.connectionString === null) {
    invariant(connection.namespace !== null, "a connection has a key or a name");
    return { namespace: connection.namespace.includes(".") ? connection.namespace : `${connection.namespace}.servicebus.windows.net` };
  }
  const connectionString = connection.connectionString.reveal();
  const problem = connectionStringProblem(connectionString, hub);
  if (problem !== null) throw new CommandError("CONFIG", `source ${id}: the connection string of connections.${name} ${problem}`);
  return { connectionString };
}

function wiring(
  source: Source,
  { id, feed, stage, origin }: SourceConfig,
  mode: SourceWiring["intake"]["mode"],
): Omit<SourceWiring, "holdsNext"> {
  return { source, stage, intake: { source: id, feed, mode, origin } };
}

// What is outside this machine ----------------------------------------------------------------------------------------------------------

/** Asks all brokers, hubs and containers of a configuration, at the same time and once. Changes nothing there. */
export async function reach(config: Config): Promise<readonly Unreached[]> {
  const clusters = Object.entries(config.connections).flatMap(([name, { type }]) => (type === "kafka" ? [clusterReach(name, config)] : []));
  const others = config.sources.flatMap((source) =>
    source.type === "landing" || source.type === "eventhub" ? [sourceReach(source, config)] : [],
  );
  return (await Promise.all([...clusters, ...others])).flat();
}

async function clusterReach(name: string, config: Config): Promise<readonly Unreached[]> {
  const ofSources = config.sources.flatMap((source) => {
    if (source.type !== "kafka" || source.connection !== name) return [];
    return source.topics.map((topic) => ({ topic, path: ["sources", source.id, "topic"] }));
  });
  const ofSinks = config.sinks.flatMap((sink) => {
    return sink.type === "kafka" && sink.connection === name ? [{ topic: sink.topic, path: ["sinks", sink.name, "topic"] }] : [];
  });
  const named = [...ofSources, ...ofSinks];
  const asked = [...new Set(named.map(({ topic }) => topic))];
  const { brokers, topics } = await kafkaReach(kafkaConnection(name, config, false), asked);
  if (brokers !== null) return [{ code: "unreachable", path: ["connections", name, "brokers"], message: brokers }];
  return named.flatMap(({ topic, path }): readonly Unreached[] => {
    const message = topics.get(topic);
    return message === undefined ? [] : [{ code: "no_topic", path, message }];
  });
}

async function sourceReach(source: LandingConfig | EventHubConfig, config: Config): Promise<readonly Unreached[]> {
  if (source.type === "eventhub") {
    const { hub, group: consumerGroup } = source;
    return problem(["sources", source.id, "hub"], () => hubProblem({ access: hubAccess(source, config), hub, consumerGroup }));
  }
  const { location } = source;
  if (location.type === "folder") return [];
  return problem(["sources", source.id, "location"], () => containerProblem(blobFolder(location, config.connections).address));
}

/** What is said where asking itself fails, as with a malformed connection string, is a problem, too. */
async function problem(path: readonly string[], ask: () => Promise<string | null>): Promise<readonly Unreached[]> {
  const message = await ask().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  return message === null ? [] : [{ code: "unreachable", path, message }];
}

// Sinks and settings --------------------------------------------------------------------------------------------------------------------

/** A store in memory has no directory, and needs none. */
async function freeBytesOf({ stateDir }: Config): Promise<number> {
  return existsSync(stateDir) ? freeBytes(stateDir) : Number.POSITIVE_INFINITY;
}

function keptLog({ log: { keepMs, sizeBytesMax, minFreeDiskBytes: freeDiskBytesMin } }: Config): KeptLog {
  return { keepMs, sizeBytesMax, freeDiskBytesMin };
}

interface SinkOpening {
  readonly config: Config;
  readonly assembly: Assembly;
  readonly store: Store;
  readonly domain: Domain;
  readonly isUnchecked: boolean;
  readonly filterNow: (sink: string) => SinkFilter | undefined;
  readonly quarantine: (row: QuarantineRow) => Promise<void>;
  readonly whenLater?: { readonly onOvertaken: (generation: number) => void };
}

async function openSink(sink: SinkConfig, opening: SinkOpening): Promise<Sink> {
  const { config, assembly, store, isUnchecked, quarantine } = opening;
  const { tables } = opening.domain;
  const { name } = sink;
  const common = { name, storeId: store.storeId, generation: store.generation, cursor: storedCursor(store, name) };
  const nextSequence = (): number => store.nextSequence;
  const letters = { clock: wallClock, onDeadLetter: (letter: DeadLetter) => quarantine(deadLetterRow(letter)) };
  switch (sink.type) {
    case "added": {
      const make = assembly.sinks.get(sink.madeBy);
      invariant(make !== undefined, "the configuration knows no other types");
      const made = await make(sink.options, { mark: common.cursor.mark, storeId: store.storeId });
      const { extents, retry } = made;
      const bounds = { ...(extents === undefined ? {} : { extents }), ...(retry === undefined ? {} : { retry }) };
      return { name, ...bounds, write: (emissions) => made.write(emissions), close: () => made.close() };
    }
    case "jsonl":
      return jsonLines({ ...common, path: sink.path, tables });
    case "parquet":
      return parquet({ ...common, path: sink.path, tables, extents: { records: sink.rowsMax, everyMs: sink.everyMs } });
    case "kafka": {
      const connection = kafkaConnection(sink.connection, config, isUnchecked);
      const topic = kafkaTopic(connection, sink.topic, `gridactor-${store.storeId}-${name}`, wallClock);
      const source = `/gridactor/${config.name}`;
      const { hasTransactions } = sink;
      return kafkaSink({
        ...common,
        ...topic,
        ...letters,
        ...opening.whenLater,
        hasTransactions,
        source,
        rowJson: rowJson(tables),
        nextSequence,
      });
    }
    case "webhook": {
      const secrets = sink.secrets.map((secret) => secret.reveal());
      const filter = (): SinkFilter => opening.filterNow(name) ?? sink;
      return webhook({
        ...sink,
        ...letters,
        secrets,
        nextSequence,
        get severities() {
          return filter().severities;
        },
        get origins() {
          return filter().origins;
        },
      });
    }
  }
}
