import { parseSpanMs } from "../engine/duration.ts";
import { invariant } from "../engine/fault.ts";
import type { HistoryOptions } from "../engine/history.ts";
import { ActorId, SourceId } from "../engine/ids.ts";
import { DEFAULT_LIMITS, type Limits } from "../engine/limits.ts";
import type { RuleOverride, RuleSetting } from "../engine/rule_table.ts";
import { parseHints, type SchemaSettings } from "../engine/schema.ts";
import { type ConfigDocument, type ConfigurableLimit, limitUnit } from "./config_schema.ts";
import { secret } from "./config_secrets.ts";
import type {
  BlobLocation,
  ClusterConfig,
  Config,
  ConnectionConfig,
  FeedConfig,
  HttpConfig,
  Location,
  Mode,
  Secret,
  SinkConfig,
  SourceConfig,
} from "./config_types.ts";
import type { KeyPath } from "./finding.ts";
import { parseSeverities } from "./severity.ts";
import { parseSizeBytes } from "./size.ts";

/** What the configuration needs to know of a feed. */
export interface KnownFeed {
  readonly name: string;
  readonly latenessMs: number;
  readonly dedupMs: number;
}

type Sources = ConfigDocument["sources"][string];
type Feeds = ConfigDocument["feeds"][string];
type Sinks = ConfigDocument["sinks"][string];
type Connections = ConfigDocument["connections"][string];

/** What rows of a source are taken for, where it does not say. */
const MODE_OF_FEED: ReadonlyMap<string, Mode> = new Map([["billing", "cdc"]]);

/** The configuration in the program's units. The document has passed every check; `absolute` makes a path absolute by where it was written. */
export function resolveConfig(
  document: ConfigDocument,
  { feeds, kinds }: { readonly feeds: readonly KnownFeed[]; readonly kinds: readonly string[] },
  absolute: (path: string, at: KeyPath) => string,
): Config {
  const batch = { recordsMax: document.batch.records, bytesMax: bytes(document.batch.bytes), waitMs: span(document.batch.wait) };
  const limits: Limits = { ...DEFAULT_LIMITS, ...configuredLimits(document), batchRecords: batch.recordsMax, batchBytes: batch.bytesMax };
  return {
    name: document.name,
    stateDir: absolute(document.state, ["state"]),
    http: document.admin.http === false ? null : httpConfig(document.admin.http),
    connections: mapValues(document.connections, connectionConfig),
    sources: Object.entries(document.sources).map(([name, source]) => sourceConfig(name, source, absolute)),
    feeds: new Map(feeds.map((feed) => [feed.name, feedConfig(feed, own(document.feeds, feed.name), limits.futureMs)])),
    rules: new Map(Object.entries(document.rules).map(([id, rule]) => [id, ruleSetting(id, rule, kinds)])),
    sinks: Object.entries(document.sinks).map(([name, sink]) => sinkConfig(name, sink, absolute)),
    batch,
    log: { keepMs: span(document.log.keep), sizeBytesMax: bytes(document.log.size), minFreeDiskBytes: bytes(document.log.minFreeDisk) },
    cluster: document.cluster === undefined ? null : clusterConfig(document.cluster, absolute),
    limits,
    residentActorsMax: document.limits.residentActors,
  };
}

/** The limits that a configuration sets, as numbers. */
export function configuredLimits({ limits }: ConfigDocument): Readonly<Partial<Record<ConfigurableLimit, number>>> {
  const { residentActors: _, ...set } = limits;
  const numbers = Object.entries(set).map(([name, value]): readonly [string, number | undefined] => [name, limitNumber(name, value)]);
  return Object.fromEntries(numbers.filter(([, value]) => value !== undefined));
}

/**
 * The actor that an override of a rule names: `meter/SM-N-00042`, or the key alone where the rule's prefix is the kind. Any case. Null: no kind can
 * be told.
 */
export function overriddenActor(rule: string, text: string, kinds: readonly string[]): ActorId | null {
  const slash = text.indexOf("/");
  const kind = slash < 0 ? rule.slice(0, rule.indexOf(".")) : text.slice(0, slash).toLowerCase();
  return kinds.includes(kind) ? ActorId(kind, text.slice(slash + 1).toUpperCase()) : null;
}

/** Reads `blob:<connection>/<container>/<prefix>`. Null if the text is a folder, which it is without the `blob:`. */
export function parseBlob(text: string): BlobLocation | null {
  const match = /^blob:([^/]+)\/([^/]+)(?:\/(.*?))?\/?$/.exec(text);
  return match === null ? null : { type: "blob", connection: match[1] ?? "", container: match[2] ?? "", prefix: match[3] ?? "" };
}

function clusterConfig(
  { node, snapshots, every, ...rest }: NonNullable<ConfigDocument["cluster"]>,
  absolute: (path: string, at: KeyPath) => string,
): ClusterConfig {
  return {
    ...rest,
    node: node ?? null,
    snapshots: snapshots === undefined ? null : absolute(snapshots, ["cluster", "snapshots"]),
    everyMs: span(every),
  };
}

function httpConfig({ host, port, hosts, reads, tls, tokens }: Exclude<ConfigDocument["admin"]["http"], false>): HttpConfig {
  return {
    host,
    port,
    hosts,
    reads,
    tls: tls === undefined ? null : { cert: secret(tls.cert), key: secret(tls.key) },
    tokens: mapValues(tokens, ({ value, role }) => ({ value: secret(value), role })),
  };
}

function connectionConfig(connection: Connections): ConnectionConfig {
  switch (connection.type) {
    case "kafka": {
      const { type, brokers, clientId = "gridactor", tls, sasl } = connection;
      const certificates = typeof tls === "boolean" ? {} : tls;
      return {
        type,
        brokers,
        clientId,
        tls:
          tls === false
            ? null
            : { ca: maybeSecret(certificates.ca), cert: maybeSecret(certificates.cert), key: maybeSecret(certificates.key) },
        sasl: sasl === undefined ? null : saslConfig(sasl),
      };
    }
    case "eventhub":
      return { type: "eventhub", connectionString: maybeSecret(connection.connectionString), namespace: connection.namespace ?? null };
    case "azure-blob":
      return { type: "azure-blob", endpoint: blobEndpoint(connection), sas: maybeSecret(connection.sas) };
  }
}

/** The URL of an account's blobs. */
export function blobEndpoint({ account, endpoint }: Extract<Connections, { type: "azure-blob" }>): string {
  return endpoint ?? `https://${account}.blob.core.windows.net`;
}

function saslConfig(sasl: NonNullable<Extract<Connections, { type: "kafka" }>["sasl"]>) {
  if (sasl.mechanism === "oauthbearer") return { mechanism: sasl.mechanism, token: secret(sasl.token) };
  return { mechanism: sasl.mechanism, username: sasl.username, password: secret(sasl.password) };
}

function sourceConfig(name: string, source: Sources, absolute: (path: string, at: KeyPath) => string): SourceConfig {
  const { feed, stage, origin } = source;
  const shared = { id: SourceId(name), feed, stage, origin };
  switch (source.type) {
    case "landing": {
      const { include, format, order, onOverwrite, absentMeans, includeExistingFiles, cleanSource } = source;
      const place = (text: string, ...key: KeyPath): Location =>
        parseBlob(text) ?? { type: "folder", path: absolute(text, ["sources", name, ...key]) };
      const archive = cleanSource.to === null ? null : place(cleanSource.to, "cleanSource", "to");
      return {
        ...shared,
        type: "landing",
        mode: source.mode ?? MODE_OF_FEED.get(feed) ?? "delta",
        location: place(source.location, "location"),
        include,
        format,
        settleMs: span(source.settle),
        incompleteAfterMs: span(source.incompleteAfter),
        pollMs: span(source.poll),
        order,
        onOverwrite,
        absentMeans,
        includeExistingFiles,
        filesMax: source.maxFiles,
        bytesMax: bytes(source.maxBytes),
        cleanSource: { mode: cleanSource.mode, to: archive, retentionMs: span(cleanSource.retention) },
      };
    }
    case "simulator": {
      const { profile, rate, seed, clock } = source;
      return { ...shared, type: "simulator", profile, ratePerSecond: rate, seed, clock };
    }
    case "kafka":
    case "eventhub": {
      const { connection, start, maxPerBatch, onGap } = source;
      const mode = source.mode ?? MODE_OF_FEED.get(feed) ?? "delta";
      const reading = { ...shared, mode, connection, start, batchRecordsMax: maxPerBatch, onGap };
      if (source.type === "eventhub") return { ...reading, type: "eventhub", hub: source.hub, group: source.consumerGroup };
      const topics = typeof source.topic === "string" ? [source.topic] : source.topic;
      return { ...reading, type: "kafka", topics, group: source.group ?? `gridactor-${name}` };
    }
  }
}

function feedConfig(known: KnownFeed, feed: Feeds | undefined, futureMs: number): FeedConfig {
  return {
    latenessMs: feed?.lateness === undefined ? known.latenessMs : span(feed.lateness),
    dedupMs: feed?.dedup === undefined ? known.dedupMs : span(feed.dedup),
    futureMs: feed?.future === undefined ? futureMs : span(feed.future),
    idleMs: span(feed?.idle ?? "5m"),
    schema: schemaSettings(feed),
    history: historyOptions(feed),
    precedence: feed?.history.precedence ?? ["snapshot", "delta", "cdc"],
    captureColumns: feed?.captureColumns ?? [],
  };
}

/** What the configuration itself says of a feed's schema; types are inferred unless it says otherwise. */
export function schemaSettings(feed: Feeds | undefined): SchemaSettings {
  const { mode, hints, inferColumnTypes = true, caseSensitive = true } = feed?.schemaEvolution ?? {};
  return {
    inferColumnTypes,
    ...(caseSensitive ? {} : { caseSensitive }),
    ...(mode === undefined ? {} : { mode }),
    ...(hints === undefined || hints.trim() === "" ? {} : { hints: parseHints(hints) }),
  };
}

function historyOptions(feed: Feeds | undefined): Partial<HistoryOptions> {
  const { untracked, ignored, ignoreNulls } = feed?.history ?? {};
  return {
    ...(untracked === undefined ? {} : { untracked }),
    ...(ignored === undefined ? {} : { ignored }),
    ...(ignoreNulls === undefined ? {} : { ignoreNulls }),
  };
}

function ruleSetting(
  id: string,
  { enabled, overrides, ...limits }: ConfigDocument["rules"][string],
  kinds: readonly string[],
): RuleSetting {
  return { enabled, limits, overrides: overrides.map((each) => ruleOverride(id, each, kinds)) };
}

type Overrides = ConfigDocument["rules"][string]["overrides"][number];

function ruleOverride(id: string, { region, tariff, actor, ...limits }: Overrides, kinds: readonly string[]): RuleOverride {
  const named = actor === undefined ? null : overriddenActor(id, actor, kinds);
  return {
    ...(region === undefined ? {} : { region }),
    ...(tariff === undefined ? {} : { tariff }),
    ...(named === null ? {} : { actor: named }),
    limits,
  };
}

function sinkConfig(name: string, sink: Sinks, absolute: (path: string, at: KeyPath) => string): SinkConfig {
  switch (sink.type) {
    case "jsonl":
      return { type: "jsonl", name, stream: sink.stream, path: absolute(sink.path, ["sinks", name, "path"]) };
    case "parquet": {
      const path = absolute(sink.path, ["sinks", name, "path"]);
      return { type: "parquet", name, stream: sink.stream, path, rowsMax: sink.rows, everyMs: span(sink.every) };
    }
    case "kafka":
      return {
        type: "kafka",
        name,
        stream: sink.stream,
        connection: sink.connection,
        topic: sink.topic,
        hasTransactions: sink.transactions,
      };
    case "webhook": {
      const { stream, url, secrets, origins, allowHosts } = sink;
      const severities = parseSeverities(sink.severity) ?? [];
      return { type: "webhook", name, stream, url, secrets: secrets.map(secret), severities, origins, allowHosts };
    }
  }
}

function limitNumber(name: string, value: string | number | undefined): number | undefined {
  if (typeof value !== "string") return value;
  return limitUnit(name) === "span" ? span(value) : bytes(value);
}

function span(text: string): number {
  const spanMs = parseSpanMs(text);
  invariant(spanMs !== null, `the schema lets spans through only, not ${text}`);
  return spanMs;
}

function bytes(value: string | number): number {
  const sizeBytes = typeof value === "number" ? value : parseSizeBytes(value);
  invariant(sizeBytes !== null, `the schema lets sizes through only, not ${value}`);
  return sizeBytes;
}

function maybeSecret(value: string | undefined): Secret | null {
  return value === undefined ? null : secret(value);
}

/** Feed names come from outside: `toString` is none. */
function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}

function mapValues<T, U>(map: Readonly<Record<string, T>>, change: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));
}
