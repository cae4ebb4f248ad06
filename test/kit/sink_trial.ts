import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { GRID } from "../../actors/registry.ts";
import { logFrom } from "../../admin/reader.ts";
import { wallClock } from "../../engine/clock.ts";
import type { Emission } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import type { Stream } from "../../engine/sink.ts";
import { kafkaTopic } from "../../sources/kafka/topic.ts";
import { deltaEntries, deltaRows, sequenceOf } from "./delta_reader.ts";
import { type GridFolder, gridactor, type Running, run } from "./grid_folder.ts";
import type { KafkaBroker } from "./kafka_broker.ts";
import { seeded } from "./seeded.ts";

export interface SinkTrialOptions {
  /** An empty folder. */
  readonly path: string;
  /** Null: no sink of Kafka. */
  readonly broker: KafkaBroker | null;
  readonly seed: number;
  readonly kills: number;
  /** Numbers in the log, at least. */
  readonly emissions: number;
  readonly readingsPerSecond: number;
  /** A process is killed when the endpoint has got up to so many posts from it, */
  readonly postsMax: number;
  /** or so long after its first one: alerts that are covered by others come seldom. */
  readonly lifeMsMax: number;
}

/** What one sink holds against what the log holds. */
export interface Held {
  /** Of the log, and not in the sink. */
  readonly missing: number;
  /** In the sink, and not of the log. */
  readonly foreign: number;
  /** There once more, with the same id and content. */
  readonly repeats: number;
  /** There once more, under the same id, and not the same. */
  readonly different: number;
  /** Of one actor, in another order than that of the log (repeats left out). */
  readonly disordered: number;
}

export interface SinkTrial {
  readonly kills: number;
  /** In the log, both streams. */
  readonly emissions: number;
  readonly alerts: number;
  readonly held: Readonly<Record<string, Held>>;
}

const TOPIC = "energy.alerts";
const PARTITIONS = 3;

/**
 * Runs an engine with sinks of all types at once on a live stream of readings, kills it (SIGKILL) again and again when the endpoint has got a number of
 * posts that chance has drawn, or after a while, and starts it again; then lets it drain, and compares what each sink holds with the log.
 */
export async function sinkTrial(options: SinkTrialOptions): Promise<SinkTrial> {
  const { path, broker, seed, kills, emissions, postsMax, lifeMsMax } = options;
  const endpoint = await openEndpoint();
  const random = seeded(seed);
  const folder = writeFolder(options, endpoint.port);
  await broker?.createTopic(TOPIC, PARTITIONS);
  try {
    let killed = 0;
    while (killed < kills || (await numberedIn(folder)) <= emissions) {
      const engine = gridactor(["run"], folder);
      const failed = engine.ended.then(({ code, stderr }) => {
        if (code !== null) throw new Error(`the engine ended with ${code}: ${stderr}`);
      });
      await Promise.race([endpoint.posts(1 + random.below(postsMax)), living(engine, random.below(lifeMsMax)), failed]);
      engine.kill("SIGKILL");
      await failed;
      killed += 1;
    }
    const { code, stderr } = await run(["run", "--drain", "--json"], folder);
    if (code !== 0) throw new Error(`the drain ended with ${code}: ${stderr}`);
    const log = await readLog(folder);
    const alerts = log.filter(({ stream }) => stream === "alerts");
    const held: Record<string, Held> = {
      "JSON lines": compare(alertItems(alerts), await linesIn(join(path, "out/alerts.jsonl"))),
      "JSON lines of rows": compare(rowItems(log), rowLines(await readText(join(path, "out/rows.jsonl")))),
      Parquet: compare(rowItems(log).map(bare), await parquetRows(join(path, "out/curated"))),
      webhook: compare(alertItems(alerts), endpoint.got.map(itemOfJson)),
    };
    if (broker !== null) held["Kafka"] = compare(alertItems(alerts).map(withoutBody), await topicItems(broker, await storeIdOf(folder)));
    return { kills: killed, emissions: log.length, alerts: alerts.length, held };
  } finally {
    endpoint.close();
  }
}

/** Resolves so long after the engine has said that it reads. */
async function living(engine: Running, forMs: number): Promise<void> {
  const ended = new AbortController();
  void engine.ended.then(() => ended.abort());
  await engine.until(({ stderr }) => stderr.includes("engine.ready"));
  await wallClock.sleep(forMs, ended.signal);
}

/** One thing that a sink holds. `id` tells it from all others; two of the same id have the same body. */
interface Item {
  readonly id: string;
  readonly actor: string;
  readonly sequence: number;
  readonly body: string;
}

function compare(expected: readonly Item[], found: readonly Item[]): Held {
  const wanted = new Map(expected.map((item) => [item.id, item]));
  const seen = new Set<string>();
  const latest = new Map<string, number>();
  const held = { missing: 0, foreign: 0, repeats: 0, different: 0, disordered: 0 };
  for (const { id, actor, sequence, body } of found) {
    const item = wanted.get(id);
    if (item === undefined) held.foreign += 1;
    else if (item.body !== body || item.sequence !== sequence) held.different += 1;
    if (seen.has(id)) {
      held.repeats += 1;
      continue;
    }
    seen.add(id);
    if (sequence < (latest.get(actor) ?? 0)) held.disordered += 1;
    latest.set(actor, sequence);
  }
  held.missing = expected.filter(({ id }) => !seen.has(id)).length;
  return held;
}

// What the log holds --------------------------------------------------------------------------------------------------------------------

async function numberedIn({ state }: GridFolder): Promise<number> {
  const store = await openLmdbStore({ dir: state, limits: DEFAULT_LIMITS, readOnly: true }).catch(() => null); // Killed before it was made.
  const { nextSequence } = store ?? { nextSequence: 1 };
  await store?.close();
  return nextSequence - 1;
}

async function storeIdOf({ state }: GridFolder): Promise<string> {
  const store = await openLmdbStore({ dir: state, limits: DEFAULT_LIMITS, readOnly: true });
  await store.close();
  return store.storeId;
}

async function readLog({ state }: GridFolder): Promise<readonly Emission[]> {
  const store = await openLmdbStore({ dir: state, limits: DEFAULT_LIMITS, readOnly: true });
  const decode = emissionDecoder("main", GRID.tables);
  const log: Emission[] = [];
  for (const stream of ["alerts", "curated"] satisfies readonly Stream[]) {
    for await (const entries of logFrom({ store }, stream, 1)) for (const entry of entries) log.push(decode(stream, entry));
  }
  await store.close();
  return log;
}

function alertItems(alerts: readonly Emission[]): readonly Item[] {
  return alerts.flatMap((one) => (one.stream === "alerts" ? [itemOfJson(Buffer.from(one.json).toString())] : []));
}

function rowItems(log: readonly Emission[]): readonly Item[] {
  return log.flatMap((one) => {
    if (one.stream !== "curated") return [];
    const { table, rowId, actor } = one.row;
    return [{ id: `${table} ${one.sequence}`, actor: `${table} ${actor}`, sequence: one.sequence, body: rowId }];
  });
}

// What the sinks hold -------------------------------------------------------------------------------------------------------------------

function itemOfJson(json: string): Item {
  const { id, subject, sequence } = JSON.parse(json) as { readonly id: string; readonly subject: string; readonly sequence: string };
  return { id, actor: subject, sequence: Number(sequence), body: json };
}

async function linesIn(file: string): Promise<readonly Item[]> {
  return (await readText(file)).map(itemOfJson);
}

async function readText(file: string): Promise<readonly string[]> {
  return (await readFile(file, "utf8")).split("\n").slice(0, -1);
}

function rowLines(lines: readonly string[]): readonly Item[] {
  return lines.map((line) => {
    const { table, _row_id, actor, _seq } = JSON.parse(line) as RowOfFile;
    return { id: `${table} ${_seq}`, actor: `${table} ${actor}`, sequence: _seq, body: _row_id };
  });
}

interface RowOfFile {
  readonly table: string;
  readonly _row_id: string;
  readonly actor: string | null;
  readonly _seq: number;
}

/** Every row that a reader of the Delta logs finds, in the order in which entries list them. */
async function parquetRows(curated: string): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (const table of (await readdir(curated)).filter((name) => !name.startsWith("."))) {
    if ((await deltaEntries(join(curated, table))).length === 0) continue;
    for (const row of await deltaRows(join(curated, table))) {
      const sequence = sequenceOf(row);
      items.push({ id: `${table} ${sequence}`, actor: table, sequence, body: String(row["_row_id"]) });
    }
  }
  return items;
}

/** A row of a table does not say whose it is: its table stands for it. */
function bare(item: Item): Item {
  return { ...item, actor: item.id.slice(0, item.id.indexOf(" ")) };
}

function withoutBody(item: Item): Item {
  return { ...item, body: "" };
}

async function topicItems(broker: KafkaBroker, storeId: string): Promise<readonly Item[]> {
  await broker.endTransactions(`gridactor-${storeId}-topic`);
  const items: (Item & { readonly partition: number; readonly offset: number })[] = [];
  const { readTail } = kafkaTopic(broker.connection, TOPIC, "check", wallClock);
  await readTail(null, ({ partition, offset, headers }) => {
    const text = (name: string): string => headers.get(name) ?? "";
    items.push({ id: text("ce_id"), actor: text("ce_subject"), sequence: Number(text("ce_sequence")), body: "", partition, offset });
  });
  return items.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** An endpoint that takes everything, and outlives the engine. */
async function openEndpoint() {
  const got: string[] = [];
  let look = (): void => {};
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push(Buffer.concat(chunks).toString());
      response.writeHead(204).end();
      look();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  /** Resolves at the n-th post from now on. */
  const posts = (n: number): Promise<void> => {
    const enough = got.length + n;
    return new Promise((resolve) => {
      look = () => {
        if (got.length >= enough) resolve();
      };
    });
  };
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, got, posts, close };
}

function writeFolder({ path, broker, readingsPerSecond }: SinkTrialOptions, port: number): GridFolder {
  mkdirSync(join(path, "out"));
  const hook = `{ type: webhook, stream: alerts, url: "http://127.0.0.1:${port}/", secrets: [a-secret], allowHosts: [127.0.0.1] }`;
  const yaml = [
    "version: 1",
    "admin: { http: false }",
    `sources: { meters: { feed: smart_meter, type: simulator, profile: meters, rate: ${readingsPerSecond} } }`,
    "sinks:",
    "  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }",
    "  rows: { type: jsonl, stream: curated, path: out/rows.jsonl }",
    "  curated: { type: parquet, stream: curated, path: out/curated, rows: 2000, every: 200ms }",
    `  hook: ${hook}`,
  ];
  if (broker !== null) {
    yaml.push(`  topic: { type: kafka, stream: alerts, connection: k, topic: ${TOPIC} }`);
    yaml.push(`connections: { k: { type: kafka, brokers: ["${broker.connection.brokers[0]}"] } }`);
  }
  const config = join(path, "gridactor.yaml");
  writeFileSync(config, yaml.join("\n"));
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}
