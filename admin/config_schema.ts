import { z } from "zod";
import { DEFAULT_LIMITS, type Limits } from "../engine/limits.ts";
import { EVOLUTION_MODES } from "../engine/schema.ts";
import { parseSizeBytes } from "./size.ts";

/** Where the file says that it is for this version of the program. */
export const CONFIG_VERSION = 1;
/** Actors held in memory, by default; `limits.residentActors`. */
export const RESIDENT_ACTORS = 2_000_000;

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const SPAN = /^\d{1,9}(\.\d{1,9})?(ms|s|m|h|d)$/;
const SIZE = /^\d{1,9}(\.\d{1,9})?(B|KiB|MiB|GiB|TiB)$/;
const SEVERITY = /^(info|warning|major|critical)\+?$/;

const name = z.string().regex(NAME, "expected a name: a letter, then letters, digits, _ or -, at most 64");
const text = z.string().min(1, "expected some text").max(4_096);
const path = text.describe("Relative to this file.");
const secret = z.string().min(1, "expected some text").meta({ writeOnly: true, description: `A secret: \${env:NAME} or \${file:PATH}.` });
const span = z
  .string({ error: "expected a span such as 250ms, 90s, 10m, 6h or 7d" })
  .regex(SPAN, "expected a span such as 250ms, 90s, 10m, 6h or 7d");
const SIZE_TEXT = "expected a size such as 64KiB, 8MiB or 4GiB, or a number of bytes";
const sizeText = z
  .string()
  .regex(SIZE, { error: SIZE_TEXT, abort: true })
  .refine((text) => parseSizeBytes(text) !== null, SIZE_TEXT);
const size = z.union([z.int().nonnegative(), sizeText], { error: SIZE_TEXT });
const columns = z.array(text).optional(); // Left out: the feed's own word.
const quantity = z.int().positive();

const http = z.strictObject({
  host: text.default("127.0.0.1").describe("Address to bind. Anything beyond loopback needs tokens and tls."),
  port: z.int().min(0).max(65_535).default(7400).describe("0: any free port."),
  hosts: z.array(text).default([]).describe("Names under which the server is addressed, beside the bound one."),
  reads: z.enum(["token", "open"]).default("token").describe("open: reads on loopback need no token."),
  tls: z.strictObject({ cert: secret, key: secret }).optional(),
  tokens: z.record(name, z.strictObject({ value: secret, role: z.enum(["read", "operate", "admin"]) })).default({}),
});

const connection = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("kafka"),
    brokers: z.array(text).min(1),
    clientId: text.optional(),
    tls: z.union([z.boolean(), z.strictObject({ ca: secret.optional(), cert: secret.optional(), key: secret.optional() })]).default(false),
    sasl: z
      .discriminatedUnion("mechanism", [
        z.strictObject({ mechanism: z.enum(["plain", "scram-sha-256", "scram-sha-512"]), username: text, password: secret }),
        z.strictObject({ mechanism: z.literal("oauthbearer"), token: secret.describe("A token of the identity provider.") }),
      ])
      .optional(),
  }),
  z.strictObject({
    type: z.literal("eventhub"),
    connectionString: secret.optional().describe("Or namespace and credential."),
    namespace: text.optional(),
    credential: z.literal("default").optional(),
  }),
  z.strictObject({
    type: z.literal("azure-blob"),
    account: z.string().regex(/^[a-z0-9]{3,24}$/, "expected the name of a storage account: 3 to 24 small letters and digits"),
    endpoint: text.optional().describe("URL of its blobs. Default: https://<account>.blob.core.windows.net."),
    sas: secret.optional().describe("Or credential."),
    credential: z.literal("default").optional(),
  }),
]);

const anySource = {
  feed: text.describe("What the records mean: one of the feeds."),
  stage: z.int().min(1).max(99).default(2).describe("A stage is read to its present end before the next one starts."),
  origin: z.enum(["live", "backfill"]).default("live").describe("backfill: its alerts are marked, and webhooks do not get them."),
};
const ranked = {
  mode: z.enum(["snapshot", "delta", "cdc"]).optional().describe("Default: cdc for billing, else delta."),
};
const broker = {
  ...anySource,
  ...ranked,
  connection: name,
  start: z.enum(["earliest", "latest"]).default("earliest").describe("Where the very first start begins."),
  maxPerBatch: quantity.default(10_000),
  onGap: z.enum(["stop", "accept"]).default("stop").describe("When records were lost at the broker: stop until accept-gap, or go on."),
};

const source = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("landing"),
    ...anySource,
    ...ranked,
    location: text.describe("A folder, relative to this file, or blob:<connection>/<container>/<prefix>."),
    include: z.array(text.max(256)).min(1).describe("Globs relative to the location: * ? ** {a,b}."),
    format: z.enum(["jsonl", "csv", "parquet"]).describe("jsonl takes every JSON shape: lines, an array, one object, objects in a row."),
    settle: span.default("2s").describe("A file is ready when it has not changed for this long; 0s if the writer renames into place."),
    incompleteAfter: span.default("10m").describe("After this long the unfinished end of a file is quarantined."),
    poll: span.default("10s"),
    order: z.enum(["name", "modified", "none"]).default("name"),
    onOverwrite: z.enum(["correction", "ignore", "quarantine"]).default("correction"),
    absentMeans: z.enum(["unknown", "delete"]).default("unknown").describe("What a key that a snapshot lacks means."),
    includeExistingFiles: z.boolean().default(true).describe("false: files present at the first start are not read."),
    maxFiles: quantity.default(1_000).describe("Per round."),
    maxBytes: size.default("1GiB").describe("Per round; at least one file."),
    cleanSource: z
      .strictObject({
        mode: z.enum(["off", "archive", "delete"]).default("off"),
        to: path.nullable().default(null).describe("Where the archive is; of a container: blob:<connection>/<container>/<prefix>."),
        retention: span.default("30d"),
      })
      .prefault({}),
  }),
  z.strictObject({
    type: z.literal("simulator"),
    ...anySource,
    profile: z.enum(["meters", "substations", "billing"]),
    rate: z.number().min(0.001).max(10_000).default(3).describe("Records per second."),
    seed: z.int().nonnegative().max(4_294_967_295).default(42),
    clock: z.enum(["continue", "wall"]).default("continue").describe("continue: begins where the feed's data ends; wall: at the present."),
  }),
  z.strictObject({
    type: z.literal("kafka"),
    ...broker,
    topic: z.union([text, z.array(text).min(1)], { error: "expected a topic or a list of topics" }),
    group: text.optional().describe("Default: gridactor-<name>. One engine reads a group."),
  }),
  z.strictObject({ type: z.literal("eventhub"), ...broker, hub: text, consumerGroup: text.default("$Default") }),
]);

const feed = z.strictObject({
  lateness: span.optional().describe("How far out of order is still on time. Default: the feed's own."),
  dedup: span.optional().describe("How long repeated ids are remembered, in event time. Default: the feed's own."),
  future: span.optional().describe("How far ahead of its arrival an event may be. Default: limits.futureMs."),
  idle: span.default("5m").describe("A partition quiet for this long does not hold the clock back."),
  schemaEvolution: z
    .strictObject({
      mode: z.enum(EVOLUTION_MODES).optional().describe("What becomes of new columns. Default: the feed's own, else rescue."),
      hints: z.string().max(4_096).optional().describe("name type, name type: types of columns to come."),
      inferColumnTypes: z.boolean().default(true).describe("False: new columns are text."),
      caseSensitive: z
        .boolean()
        .default(true)
        .describe("False: a name in another case is read as the column, where one alone can be meant."),
    })
    .prefault({}),
  history: z
    .strictObject({
      untracked: columns.describe("Columns overwritten in place: their changes open no version."),
      ignored: columns.describe("Columns neither compared nor kept."),
      ignoreNulls: columns.describe("Columns in which a null means: not said."),
      precedence: z
        .array(z.enum(["snapshot", "delta", "cdc"]))
        .default(["snapshot", "delta", "cdc"])
        .describe("Low to high."),
    })
    .prefault({}),
  captureColumns: z.array(text).default([]).describe("Captured columns of a CDC feed, in ordinal order. Default: the feed's own order."),
});

const rule = z
  .object({
    enabled: z.boolean().default(true),
    overrides: z
      .array(z.object({ region: text.optional(), tariff: text.optional(), actor: text.optional() }).catchall(z.number()))
      .default([])
      .describe("Limits for one region, tariff or actor each; the narrowest wins."),
  })
  .catchall(z.number());

const sink = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("jsonl"), stream: z.enum(["alerts", "curated"]), path }),
  z.strictObject({
    type: z.literal("parquet"),
    stream: z.literal("curated"),
    path,
    rows: quantity.default(50_000).describe("Rows after which a part is written."),
    every: span.default("30s").describe("Time after which one is written, however small."),
  }),
  z.strictObject({
    type: z.literal("kafka"),
    stream: z.enum(["alerts", "curated"]),
    connection: name,
    topic: text,
    transactions: z
      .boolean()
      .default(true)
      .describe("false: for clusters without them; an emission may then be there twice, under one ce_id."),
  }),
  z.strictObject({
    type: z.literal("webhook"),
    stream: z.literal("alerts"),
    url: text,
    secrets: z.array(secret).min(1).describe("Each signs; more than one while a secret is being changed."),
    severity: z.string().regex(SEVERITY, "expected info, warning, major or critical, with + for that and worse").default("info+"),
    origins: z.array(z.enum(["live", "late", "backfill", "replay"])).default(["live", "late"]),
    allowHosts: z.array(text).default([]).describe("Hosts that may be private or without TLS."),
  }),
]);

const cluster = z.strictObject({
  connection: name.describe("A connection of type kafka."),
  mailbox: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/, "expected the name of a topic")
    .default("gridactor.mailbox")
    .describe("The topic that shards read; two others beside it are named after it."),
  shards: z.int().min(1).max(1_024).default(64).describe("Partitions of the mailbox. For ever: another number is another cluster."),
  group: text.default("gridactor").describe("The consumer group of the nodes."),
  node: text.optional().describe("What this node is called. Default: the machine's name."),
  snapshots: path.optional().describe("A folder that all nodes reach; left out, none are made. Relative to this file."),
  every: span.default("10m").describe("How often a snapshot of a shard is made."),
});

/** Limits that `limits` sets. Records and bytes of a batch are set by `batch`. */
export type ConfigurableLimit = Exclude<keyof Limits, "batchRecords" | "batchBytes">;

/** How a limit's number is written: told by the unit in its name. */
export function limitUnit(limit: string): "span" | "size" | "count" {
  if (limit.endsWith("Ms")) return "span";
  return limit.includes("Bytes") ? "size" : "count";
}

function limitSchema(limit: string) {
  const unit = limitUnit(limit);
  if (unit === "span") return z.union([quantity, span], { error: "expected a span such as 5m, or milliseconds" }).optional();
  return unit === "size" ? z.union([quantity, sizeText], { error: SIZE_TEXT }).optional() : quantity.optional();
}

const limitNames = Object.keys(DEFAULT_LIMITS).filter((key): key is ConfigurableLimit => key !== "batchRecords" && key !== "batchBytes");
const limits = z.strictObject({
  ...(Object.fromEntries(limitNames.map((key) => [key, limitSchema(key)])) as Record<ConfigurableLimit, ReturnType<typeof limitSchema>>),
  residentActors: quantity.default(RESIDENT_ACTORS),
});

/** The whole configuration, as it is written. Parsing fills in the defaults and changes nothing else: spans and sizes stay text. */
export const configSchema = z.strictObject({
  version: z.literal(CONFIG_VERSION),
  name: name.default("main").describe("Shard name; last part of every event's source."),
  state: path.default("./state").describe("State directory, relative to this file. One process per directory."),
  admin: z
    .strictObject({ http: z.union([z.literal(false), http], { error: "expected a map, or false for the socket only" }).prefault({}) })
    .prefault({}),
  connections: z.record(name, connection).default({}),
  sources: z
    .record(name, source)
    .default({})
    .describe("Name to a transport for one feed. Positions are kept under the name, so names are for ever."),
  feeds: z.record(z.string(), feed).default({}),
  rules: z.record(z.string(), rule).default({}),
  sinks: z.record(name, sink).default({}),
  batch: z
    .strictObject({ records: quantity.default(5_000), bytes: size.default("8MiB"), wait: span.default("50ms") })
    .prefault({})
    .describe("Grows to four times that under load."),
  log: z
    .strictObject({ keep: span.default("30d"), size: size.default("4GiB"), minFreeDisk: size.default("1GiB") })
    .prefault({})
    .describe("Never cut past the slowest sink; sources pause instead."),
  cluster: cluster.optional().describe("One node of a cluster: run owns shards of it, ingest runs the sources."),
  limits: limits.prefault({}).describe("Every limit by its name. Raising one needs --allow-raised-limits."),
});

/** A configuration with all its defaults, in the file's own words. */
export type ConfigDocument = z.output<typeof configSchema>;

/** Types of sources and sinks that a program adds to ours: names that `type:` may have. */
export interface AddedTypes {
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
}

const addedSource = z.looseObject({ type: z.string(), ...anySource, ...ranked });
const addedSink = z.looseObject({ type: z.string(), stream: z.enum(["alerts", "curated"]) });

/** A configuration in which sources and sinks of added types may stand, with options that only these know. */
export type WrittenConfig = Omit<ConfigDocument, "sources" | "sinks"> & {
  readonly sources: Readonly<Record<string, ConfigDocument["sources"][string] | z.output<typeof addedSource>>>;
  readonly sinks: Readonly<Record<string, ConfigDocument["sinks"][string] | z.output<typeof addedSink>>>;
};

/** The schema for a program that adds types. */
export function configSchemaWith({ sources, sinks }: AddedTypes): z.ZodType<WrittenConfig> {
  if (sources.length === 0 && sinks.length === 0) return configSchema;
  const ofSources = sources.map((type) => addedSource.extend({ type: z.literal(type) }));
  const ofSinks = sinks.map((type) => addedSink.extend({ type: z.literal(type) }));
  return configSchema.extend({
    sources: z.record(name, z.discriminatedUnion("type", [...source.options, ...ofSources])).default({}),
    sinks: z.record(name, z.discriminatedUnion("type", [...sink.options, ...ofSinks])).default({}),
  });
}

/** The JSON Schema of the configuration file, for editors: `schemas/config.schema.json` holds it. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return { title: "gridactor configuration", ...z.toJSONSchema(configSchema, { io: "input" }) };
}

/** The file `schemas/config.schema.json`, as `gridactor schema config` prints it. */
export function configSchemaText(): string {
  return `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
}
