import type { Severity } from "../engine/emission.ts";
import type { HistoryOptions } from "../engine/history.ts";
import type { SourceId } from "../engine/ids.ts";
import type { Limits } from "../engine/limits.ts";
import type { RuleSetting } from "../engine/rule_table.ts";
import type { SchemaSettings } from "../engine/schema.ts";

/** A value that must not be seen: only `reveal` gives it; printed, logged or made to JSON it is `***`. */
export interface Secret {
  reveal(): string;
  toJSON(): string;
  toString(): string;
}

/** A configuration ready for use: spans in ms, sizes in bytes, paths absolute, every default in its place. */
export interface Config {
  /** Shard name; last part of every event's `source`. */
  readonly name: string;
  readonly stateDir: string;
  /** Null: the socket only. */
  readonly http: HttpConfig | null;
  readonly connections: Readonly<Record<string, ConnectionConfig>>;
  /** In the order written, which within a stage is the order of reading. */
  readonly sources: readonly SourceConfig[];
  /** Every feed of the catalogue, configured or not. */
  readonly feeds: ReadonlyMap<string, FeedConfig>;
  /** The rules that the configuration speaks about. */
  readonly rules: ReadonlyMap<string, RuleSetting>;
  readonly sinks: readonly SinkConfig[];
  readonly batch: { readonly recordsMax: number; readonly bytesMax: number; readonly waitMs: number };
  readonly log: { readonly keepMs: number; readonly sizeBytesMax: number; readonly minFreeDiskBytes: number };
  /** Null: the engine is alone. */
  readonly cluster: ClusterConfig | null;
  /** `batchRecords` and `batchBytes` are those of `batch`. */
  readonly limits: Limits;
  /** Actors held in memory. */
  readonly residentActorsMax: number;
}

/** One node of a cluster of shards. */
export interface ClusterConfig {
  readonly connection: string;
  readonly mailbox: string;
  readonly shards: number;
  readonly group: string;
  /** Null: the machine's name. */
  readonly node: string | null;
  /** A folder; null: no snapshots are made. */
  readonly snapshots: string | null;
  readonly everyMs: number;
}

export interface HttpConfig {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly hosts: readonly string[];
  readonly reads: "token" | "open";
  readonly tls: { readonly cert: Secret; readonly key: Secret } | null;
  readonly tokens: Readonly<Record<string, { readonly value: Secret; readonly role: "read" | "operate" | "admin" }>>;
}

export type ConnectionConfig =
  | {
      readonly type: "kafka";
      readonly brokers: readonly string[];
      readonly clientId: string;
      readonly tls: { readonly ca: Secret | null; readonly cert: Secret | null; readonly key: Secret | null } | null;
      readonly sasl:
        | {
            readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
            readonly username: string;
            readonly password: Secret;
          }
        | { readonly mechanism: "oauthbearer"; readonly token: Secret }
        | null;
    }
  | { readonly type: "eventhub"; readonly connectionString: Secret | null; readonly namespace: string | null }
  | { readonly type: "azure-blob"; readonly endpoint: string; readonly sas: Secret | null };

export type Mode = "snapshot" | "delta" | "cdc";

interface AnySource {
  readonly id: SourceId;
  readonly feed: string;
  readonly stage: number;
  readonly origin: "live" | "backfill";
}

export type SourceConfig = LandingConfig | SimulatorConfig | BrokerSourceConfig | AddedSourceConfig;

/** A folder of files, local or in a blob container. */
export interface LandingConfig extends AnySource {
  readonly type: "landing";
  readonly mode: Mode;
  readonly location: Location;
  readonly include: readonly string[];
  readonly format: "jsonl" | "csv" | "parquet";
  readonly settleMs: number;
  readonly incompleteAfterMs: number;
  readonly pollMs: number;
  readonly order: "name" | "modified" | "none";
  readonly onOverwrite: "correction" | "ignore" | "quarantine";
  readonly absentMeans: "unknown" | "delete";
  readonly includeExistingFiles: boolean;
  readonly filesMax: number;
  readonly bytesMax: number;
  readonly cleanSource: { readonly mode: "off" | "archive" | "delete"; readonly to: Location | null; readonly retentionMs: number };
}

export type Location = { readonly type: "folder"; readonly path: string } | BlobLocation;

export interface BlobLocation {
  readonly type: "blob";
  readonly connection: string;
  readonly container: string;
  readonly prefix: string;
}

/** Records made in this process. */
export interface SimulatorConfig extends AnySource {
  readonly type: "simulator";
  readonly profile: "meters" | "substations" | "billing";
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly clock: "continue" | "wall";
}

/** Of a type that a program adds: made by what is called `madeBy` there, with these options. */
export interface AddedSourceConfig extends AnySource {
  readonly type: "added";
  readonly mode: Mode;
  readonly madeBy: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export type BrokerSourceConfig = KafkaConfig | EventHubConfig;

export interface KafkaConfig extends AnyBroker {
  readonly type: "kafka";
  readonly topics: readonly string[];
}

export interface EventHubConfig extends AnyBroker {
  readonly type: "eventhub";
  readonly hub: string;
}

/** `group` is the consumer group. */
interface AnyBroker extends AnySource {
  readonly mode: Mode;
  readonly connection: string;
  readonly group: string;
  readonly start: "earliest" | "latest";
  readonly batchRecordsMax: number;
  readonly onGap: "stop" | "accept";
}

/** What the configuration says of a feed; in `schema` and `history` only what it says itself, the rest is the feed's own word. */
export interface FeedConfig {
  readonly latenessMs: number;
  readonly dedupMs: number;
  readonly futureMs: number;
  readonly idleMs: number;
  readonly schema: SchemaSettings;
  readonly history: Partial<HistoryOptions>;
  /** Low to high. */
  readonly precedence: readonly Mode[];
  /** In ordinal order; empty: the feed's own order. */
  readonly captureColumns: readonly string[];
}

export type SinkConfig =
  | {
      /** Of a type that a program adds. */
      readonly type: "added";
      readonly name: string;
      readonly stream: "alerts" | "curated";
      readonly madeBy: string;
      readonly options: Readonly<Record<string, unknown>>;
    }
  | { readonly type: "jsonl"; readonly name: string; readonly stream: "alerts" | "curated"; readonly path: string }
  | {
      readonly type: "parquet";
      readonly name: string;
      readonly stream: "curated";
      readonly path: string;
      readonly rowsMax: number;
      readonly everyMs: number;
    }
  | {
      readonly type: "kafka";
      readonly name: string;
      readonly stream: "alerts" | "curated";
      readonly connection: string;
      readonly topic: string;
      readonly hasTransactions: boolean;
    }
  | {
      readonly type: "webhook";
      readonly name: string;
      readonly stream: "alerts";
      readonly url: string;
      readonly secrets: readonly Secret[];
      readonly severities: readonly Severity[];
      readonly origins: readonly ("live" | "late" | "backfill" | "replay")[];
      readonly allowHosts: readonly string[];
    };
