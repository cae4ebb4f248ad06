// timeout: 240 s
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { writeReadings } from "../../bench/readings.ts";
import { wallClock } from "../../engine/clock.ts";
import { stateDigest } from "../../engine/digest.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine } from "../../engine/engine.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { kafka } from "../../sources/kafka.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { alertLines, type GridFolder, gridactor, type Running, run } from "../kit/grid_folder.ts";
import { brokerMissing, type KafkaBroker, type Produced, startBroker } from "../kit/kafka_broker.ts";
import { scriptedSource } from "../kit/scripted_source.ts";
import { notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("readings of Kafka, from another client to durable state");

const TOPIC = "energy.smart_meter.readings";
const METERS = 100;
const READINGS = 6_000;
const PARTITIONS = 4;
const CODECS = ["zstd", "gzip", "lz4", "snappy"] as const;
const MISSING = brokerMissing();

let broker: KafkaBroker;
let path: string;
const running: Running[] = [];
test.before(async () => {
  if (MISSING !== null) return;
  path = await newTempFolder();
  broker = await startBroker();
});
test.after(async () => {
  for (const child of running) child.kill("SIGKILL"); // Where the test failed.
  await broker?.remove();
  if (MISSING === null) await removeFolder(path);
});

test("each reading arrives once, through kills of the engine and the broker, and a second engine that wants in", async () => {
  if (MISSING !== null) return notRun("kafka: end to end", MISSING);
  const { readings, last } = readingsOf(path);
  await broker.createTopic(TOPIC, PARTITIONS);
  const folder = folderOf("kafka", `{ feed: smart_meter, type: kafka, connection: k, topic: ${TOPIC}, group: engines }`);
  let engine = start(folder);
  const faults = [kill, kill, restartBroker, refuseSecond];
  for (const [n, fault] of faults.entries()) {
    const part = readings.slice((n * READINGS) / faults.length, ((n + 1) * READINGS) / faults.length);
    const produced = broker.produce(TOPIC, part, { "compression.type": CODECS[n] as string, "linger.ms": "20" });
    const before = await toldOf();
    await produced;
    while ((await toldOf()) <= before); // It is in the middle of them, or behind.
    engine = await fault(engine, folder);
  }
  await broker.produce(TOPIC, last);
  while ((await toldOf()) < READINGS + PARTITIONS);
  engine.kill("SIGINT");
  const { code, stderr } = await engine.ended;
  assert.is(code, 0, stderr);

  const file = folderOf("file", `{ feed: smart_meter, type: landing, location: ${path}/in, include: ["*.json"], format: jsonl }`);
  const drained = await run(["run", "--drain", "--json"], file);
  assert.is(drained.code, 0, drained.stderr);
  const expected = await outcomeOf(file);
  const actual = await outcomeOf(folder);
  assert.is(expected.rows.length, READINGS + PARTITIONS);
  for (const what of ["rows", "alertIds", "states", "histories"] as const) {
    const missing = expected[what].find((one, n) => one !== actual[what][n]);
    assert.is(missing, undefined, what);
    assert.is(actual[what].length, expected[what].length, what);
  }
});

test("the batches that were read while the broker was killed, applied again in their order, lead to the same digest", async () => {
  if (MISSING !== null) return notRun("kafka: one commit journal", MISSING);
  const topic = "journal";
  await broker.createTopic(topic, PARTITIONS);
  const readings = readingsOf(join(path, "journal")).readings;
  const source = kafka({
    id: SourceId("meters"),
    connection: broker.connection,
    topics: [topic],
    group: topic,
    owner: "one",
    start: "earliest",
    onGap: "stop",
    bounds: { records: 100, bytes: 1_000_000 },
    idleMs: 1_000,
    clock: wallClock,
    onTrouble: (partition, reason) => assert.unreachable(`${partition}: ${reason}`),
  });
  const journal: Batch[] = [];
  const stop = new AbortController();
  let applied = 0;
  let stored = 0;
  let look = (): void => {};
  const recorded: Source = {
    id: source.id,
    async *read(after, signal) {
      for await (const batch of source.read(after, signal)) {
        journal.push(batch);
        yield batch;
      }
    },
    stored(positions) {
      source.stored?.(positions);
      stored += journal[applied]?.records.length ?? 0;
      applied += 1;
      look();
    },
  };
  const until = (count: number): Promise<void> =>
    new Promise((enough) => {
      look = () => void (stored >= count && enough());
    });
  const running = digestOf(recorded, stop.signal);
  const half = until(READINGS / 2);
  await broker.produce(topic, readings.slice(0, READINGS / 2 + 500));
  await half;
  await broker.stop("SIGKILL");
  await broker.start();
  const most = until(READINGS - 500); // The last batches stay under way.
  await broker.produce(topic, readings.slice(READINGS / 2 + 500));
  await most;
  stop.abort();
  const digest = await running;
  assert.is(await digestOf(scriptedSource({ id: source.id, batches: journal.slice(0, applied) }), new AbortController().signal), digest);
});

/** The digest of what a source leads to, once it has ended. */
async function digestOf(source: Source, signal: AbortSignal): Promise<string> {
  const store = openMemoryStore();
  const intake = { source: source.id, feed: "smart_meter", mode: "delta", origin: "live" } as const;
  const engine = new Engine({
    name: "main",
    domain: GRID,
    rules: new RuleTable(RULES),
    schemas: new Map(),
    limits: DEFAULT_LIMITS,
    store,
    sources: [{ source, stage: 1, holdsNext: true, intake }],
    sinks: [],
    decode: emissionDecoder("main", GRID.tables),
    clock: wallClock,
    random: Math.random,
    onRetry: () => {},
    onStage: () => {},
  });
  await engine.run(signal, 1_000);
  const digest = stateDigest(store);
  await engine.close();
  return digest;
}

async function kill(engine: Running, folder: GridFolder): Promise<Running> {
  engine.kill("SIGKILL");
  await engine.ended;
  return start(folder);
}

async function restartBroker(engine: Running): Promise<Running> {
  await broker.stop("SIGKILL");
  await broker.start();
  return engine;
}

async function refuseSecond(engine: Running): Promise<Running> {
  const second = await run(
    ["run", "--json"],
    folderOf("second", `{ feed: smart_meter, type: kafka, connection: k, topic: ${TOPIC}, group: engines }`),
  );
  assert.is(second.code, 78, second.stderr);
  assert.match(second.stderr, "not for this one");
  return engine;
}

/** The readings, which are in a file, too. The last ones bring the clocks of all partitions, and of the file, to the same time. */
function readingsOf(folder: string): { readonly readings: readonly Produced[]; readonly last: readonly Produced[] } {
  mkdirSync(join(folder, "in"), { recursive: true });
  const file = join(folder, "in/readings.json");
  writeReadings(file, METERS, READINGS);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const readings = lines.map((value) => ({ key: (JSON.parse(value) as { meter_id: string }).meter_id, value }));
  const model = JSON.parse(lines.at(-1) ?? "") as object;
  const last = Array.from({ length: PARTITIONS }, (_, partition) => {
    const fields = { event_id: `last-${partition}`, meter_id: `SM-N-9000${partition}`, timestamp: "2025-07-01T00:00:00Z" };
    return { partition, value: JSON.stringify({ ...model, ...fields }) };
  });
  writeFileSync(file, [...lines, ...last.map(({ value }) => value), ""].join("\n"));
  return { readings, last };
}

function start(folder: GridFolder): Running {
  const child = gridactor(["run", "--json"], folder);
  running.push(child);
  return child;
}

function folderOf(name: string, source: string): GridFolder {
  const folder = join(path, name);
  mkdirSync(folder);
  const yaml = [
    "version: 1",
    `connections: { k: { type: kafka, brokers: ["${broker.connection.brokers[0]}"] } }`,
    `sources: { meters: ${source} }`,
    "sinks:",
    "  curated: { type: parquet, stream: curated, path: out/curated, every: 1s }",
    "  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }",
    "batch: { records: 50 }",
  ];
  writeFileSync(join(folder, "gridactor.yaml"), yaml.join("\n"));
  return {
    path: folder,
    config: join(folder, "gridactor.yaml"),
    state: join(folder, "state"),
    alerts: join(folder, "out/alerts.jsonl"),
    curated: join(folder, "out/curated"),
  };
}

/** How many readings the broker's tools believe to be stored. */
async function toldOf(): Promise<number> {
  const offsets = await (await broker.admin()).fetchOffsets({ groupId: "engines", topics: [TOPIC] }).catch(() => []);
  return offsets.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

/** What is the same in whatever order partitions are read: rows with their stamps, alerts, counts and statistics of actors, their histories. */
async function outcomeOf(folder: GridFolder) {
  const rows = await deltaRows(join(folder.curated, "meter_readings"));
  const store = await openLmdbStore({ dir: folder.state, limits: DEFAULT_LIMITS, readOnly: true });
  const states = [...store.actors()].map(([id, { hot }]) => `${id} ${Buffer.from(hot ?? "").toString("hex")}`);
  const histories = [...store.range("fact", "")].map(([key]) => key);
  await store.close();
  const alerts = await alertLines(folder);
  return {
    rows: rows.map((row) => `${row["event_id"]} ${row["late"]} ${row["conflict"]} ${JSON.stringify(row["rules"])}`).sort(),
    alertIds: alerts.map(({ id }) => id).sort(),
    states: states.sort(),
    histories,
  };
}
