// timeout: 480 s
import { join } from "node:path";
import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { wallClock } from "../../engine/clock.ts";
import { stateDigest } from "../../engine/digest.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine } from "../../engine/engine.ts";
import { SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { kafka } from "../../sources/kafka.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { type Blow, differences, PARTITIONS, readingsIn, trial } from "../kit/kafka_trial.ts";
import { scriptedSource } from "../kit/scripted_source.ts";
import { notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("readings of Kafka, from another client to durable state");

const METERS = 100;
const READINGS = 6_000;
const MISSING = brokerMissing();

let broker: KafkaBroker;
let path: string;
test.before(async () => {
  if (MISSING !== null) return;
  path = await newTempFolder();
  broker = await startBroker();
});
test.after(async () => {
  await broker?.remove();
  if (MISSING === null) await removeFolder(path);
});

test("each reading arrives once, through kills of the engine and the broker, and a second engine that wants in", async () => {
  if (MISSING !== null) return notRun("kafka: end to end", MISSING);
  const blows: readonly Blow[] = ["kill the engine", "restart the broker", "a second engine", "kill the engine"];
  const codecs = ["zstd", "gzip", "lz4", "snappy"];
  const seen = await trial({ broker, path, meters: METERS, readings: READINGS, blows, codecs, batchRecords: 50 });
  assert.is(seen.ending.code, 0, seen.ending.stderr);
  assert.equal(
    seen.seconds.map(({ code }) => code),
    [78],
  );
  assert.match(seen.seconds[0]?.stderr ?? "", "not for this one");
  assert.is(seen.expected.rows.length, READINGS + PARTITIONS);
  assert.equal(differences(seen), []);
});

test("the batches that were read while the broker was killed, applied again in their order, lead to the same digest", async () => {
  if (MISSING !== null) return notRun("kafka: one commit journal", MISSING);
  const topic = "journal";
  await broker.createTopic(topic, PARTITIONS);
  const readings = readingsIn(join(path, "journal"), { meters: METERS, readings: READINGS }).readings;
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
