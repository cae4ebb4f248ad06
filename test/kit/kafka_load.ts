import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { wallClock } from "../../engine/clock.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine } from "../../engine/engine.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Source } from "../../engine/source.ts";
import { kafka } from "../../sources/kafka.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "./kafka_broker.ts";
import { type Blow, differences, type Outcome, PARTITIONS, readingsIn, trial } from "./kafka_trial.ts";
import { newTempFolder, removeFolder } from "./temp_folder.ts";

// `npm run bench:kafka [READINGS]`: readings that Java's client produced with each codec, through two restarts of the broker, five kills of the engine
// and a second engine; then how fast they come from the broker to durable state, and how fast the library alone reads them. Exits 1 on a difference.

const METERS = 1_000;
const BLOWS: readonly Blow[] = [
  "kill the engine",
  "restart the broker",
  "kill the engine",
  "a second engine",
  "kill the engine",
  "kill the engine",
  "restart the broker",
  "kill the engine",
];
const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"];

async function main(readings: number): Promise<void> {
  const missing = brokerMissing();
  if (missing !== null) throw new Error(missing);
  const path = await newTempFolder();
  const broker = await startBroker();
  try {
    const beganAtMs = performance.now();
    const seen = await trial({ broker, path, meters: METERS, readings, blows: BLOWS, codecs: CODECS, batchRecords: 5_000 });
    const found = differences(seen);
    console.log(`${readings} readings, ${BLOWS.join(", ")}: ${Math.round((performance.now() - beganAtMs) / 1_000)} s`);
    console.log(found.length === 0 ? `equal to a drain of the same file: ${sizes(seen.actual)}` : found.join("\n"));
    if (found.length > 0) process.exitCode = 1;
    await rates(broker, path, readings);
  } finally {
    await broker.remove();
    await removeFolder(path);
  }
}

function sizes(outcome: Outcome): string {
  return Object.entries(outcome)
    .map(([what, list]) => `${list.length} ${what}`)
    .join(", ");
}

async function rates(broker: KafkaBroker, path: string, count: number): Promise<void> {
  const { readings } = readingsIn(join(path, "rates"), { meters: METERS, readings: count });
  console.log("| codec | readings/s to durable state | library alone /s | ratio |\n|---|---:|---:|---:|");
  for (const codec of ["none", "gzip", "zstd"]) {
    await broker.createTopic(codec, PARTITIONS);
    await broker.produce(codec, readings, { "compression.type": codec, "linger.ms": "20", "batch.size": "131072" });
    const [ours, alone] = ["engine", "library"].map((what) => count / secondsOf(what, broker, codec, count)) as [number, number];
    const ratio = Number.isFinite(alone) ? (ours / alone).toFixed(2) : "–";
    console.log(`| ${codec} | ${Math.round(ours)} | ${Number.isFinite(alone) ? Math.round(alone) : "cannot"} | ${ratio} |`);
  }
}

/** Measured in a process of its own. Not a number: it cannot be done. */
function secondsOf(what: string, { connection }: KafkaBroker, topic: string, count: number): number {
  if (what === "library" && topic === "zstd") return Number.NaN; // It has gzip only.
  const args = [...process.execArgv, fileURLToPath(import.meta.url), what, connection.brokers[0] as string, topic, String(count)];
  return Number(execFileSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] }));
}

/** Seconds from the assignment of partitions to the last commit. */
async function engineSeconds(address: string, topic: string, count: number): Promise<number> {
  const path = await newTempFolder();
  const store = await openLmdbStore({ dir: join(path, "state"), limits: DEFAULT_LIMITS });
  const stop = new AbortController();
  const inner = kafka({
    id: SourceId("meters"),
    connection: { brokers: [address], clientId: "load", tls: null, sasl: null },
    topics: [topic],
    group: `engine-${topic}`,
    owner: store.storeId,
    start: "earliest",
    onGap: "stop",
    bounds: { records: 20_000, bytes: 32 * 2 ** 20 },
    idleMs: 60_000,
    clock: wallClock,
    onTrouble: (partition, reason) => {
      throw new Error(`${partition}: ${reason}`);
    },
  });
  const sizesInFlight: number[] = [];
  let beganAtMs = 0;
  let endedAtMs = 0;
  let stored = 0;
  const source: Source = {
    id: inner.id,
    async *read(after, signal) {
      for await (const batch of inner.read(after, signal)) {
        beganAtMs ||= performance.now();
        sizesInFlight.push(batch.records.length);
        yield batch;
      }
    },
    stored(positions) {
      inner.stored?.(positions);
      stored += sizesInFlight.shift() ?? 0;
      if (stored < count || endedAtMs > 0) return;
      endedAtMs = performance.now();
      stop.abort();
    },
  };
  const intake = { source: source.id, feed: "smart_meter", mode: "delta", origin: "live" } as const;
  const engine = new Engine({
    name: "load",
    domain: GRID,
    rules: new RuleTable(RULES),
    schemas: new Map(),
    limits: DEFAULT_LIMITS,
    store,
    sources: [{ source, stage: 1, holdsNext: true, intake }],
    sinks: [],
    decode: emissionDecoder("load", GRID.tables),
    clock: wallClock,
    random: Math.random,
    onRetry: (_source, error) => {
      throw error;
    },
    onStage: () => {},
  });
  await engine.run(stop.signal, 1_000);
  await engine.close();
  await removeFolder(path);
  return (endedAtMs - beganAtMs) / 1_000;
}

/** The library as it is, doing nothing with the messages: seconds from the assignment of partitions to the last batch. */
async function librarySeconds(address: string, topic: string, count: number): Promise<number> {
  const { Kafka, logLevel } = await import("kafkajs");
  const client = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: `library-${topic}`, maxBytesPerPartition: 2_097_152, maxBytes: 8_388_608 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let beganAtMs = 0;
  let read = 0;
  consumer.on(consumer.events.GROUP_JOIN, () => {
    beganAtMs = performance.now();
  });
  await new Promise<void>((done) => {
    void consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        read += batch.messages.length;
        if (read >= count) done();
      },
    });
  });
  const seconds = (performance.now() - beganAtMs) / 1_000;
  await consumer.disconnect();
  return seconds;
}

const [what = "1000000", address = "", topic = "", count = ""] = process.argv.slice(2);
if (what === "engine") process.stdout.write(String(await engineSeconds(address, topic, Number(count))));
else if (what === "library") process.stdout.write(String(await librarySeconds(address, topic, Number(count))));
else await main(Number(what));
