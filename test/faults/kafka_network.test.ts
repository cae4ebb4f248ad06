// timeout: 300 s
import type { ProducerRecord } from "kafkajs";
import * as assert from "uvu/assert";
import { bell } from "../../engine/bell.ts";
import { wallClock } from "../../engine/clock.ts";
import { drain } from "../../engine/drain.ts";
import { SourceId } from "../../engine/ids.ts";
import { NO_CURSOR } from "../../engine/sink_cursor.ts";
import { kafka as kafkaSink } from "../../sinks/kafka.ts";
import { rowJson } from "../../sinks/row_json.ts";
import { type KafkaConnection, kafkaClient } from "../../sources/kafka/client.ts";
import { kafkaTopic } from "../../sources/kafka/topic.ts";
import { kafka } from "../../sources/kafka.ts";
import { alertEmission } from "../kit/emissions.ts";
import { isSet } from "../kit/environment.ts";
import { brokerMissing, type KafkaBroker, type Produced, startBroker } from "../kit/kafka_broker.ts";
import { scriptedLog } from "../kit/scripted_log.ts";
import { SourceFollower } from "../kit/source_follower.ts";
import { measured, notRun, suite } from "../kit/suite.ts";
import { type TcpProxy, tcpProxy } from "../kit/tcp_proxy.ts";

const MISSING = brokerMissing();
/** `NETWORK_ROUNDS=n`: each fault so often. */
const ROUNDS = Number(process.env["NETWORK_ROUNDS"] ?? 1);
const PARTITIONS = 2;
const PART = 400;
/** Longer than a group waits for a member that is silent (6 s), and than the client for an answer (15 s). */
const LONG_SILENCE_MS = 17_000;
const SHORT_SILENCE_MS = 7_500;
const IS_LONG = isSet(process.env["NETWORK_ROUNDS"]);
const SILENCE_MS = IS_LONG ? LONG_SILENCE_MS : SHORT_SILENCE_MS;
const SLOW_BYTES_A_SECOND = 20_000;

const test = suite("a bad network between a real broker and us");

let broker: KafkaBroker;
let network: TcpProxy;
let names = 0;
test.before(async () => {
  if (MISSING !== null) return;
  network = await tcpProxy();
  broker = await startBroker(network.port);
  network.leadTo(broker.relayedPort);
});
test.after(async () => {
  await network?.close();
  await broker?.remove();
});

const through = (): KafkaConnection => ({ ...broker.connection, brokers: [`127.0.0.1:${network.port}`] });

/** What is done to the network while records flow; resolves when it is good again. */
const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  cut: async () => network.end("cut"),
  reset: async () => network.end("reset"),
  slow: () => during(SLOW_BYTES_A_SECOND, 2_000),
  stall: () => during("stall", SILENCE_MS),
  ...(IS_LONG ? { "a connection that is forgotten": async () => network.forget() } : {}),
  "answers that do not come, and then a reset": async () => {
    await during("stall answers", 1_000);
    network.end("reset");
  },
};

async function during(weather: "stall" | "stall answers" | number, forMs: number): Promise<void> {
  network.weather = weather;
  await wallClock.sleep(forMs, new AbortController().signal); // The fault itself: it lasts so long.
  network.weather = "pass";
}

for (const [fault, strike] of Object.entries(FAULTS)) {
  test(`each record of the topic comes once and in order: ${fault}`, async () => {
    if (MISSING !== null) return notRun(`kafka network: ${fault}`, MISSING);
    for (let round = 0; round < ROUNDS; round += 1) await readThrough(await newTopic(), strike);
  });
}

test("control: a reader that leaves its place to the group has records twice after a silence", async () => {
  if (MISSING !== null) return notRun("kafka network: control", MISSING);
  const topic = await newTopic();
  const consumer = kafkaClient(through()).consumer({
    groupId: topic,
    sessionTimeout: 6_000,
    heartbeatInterval: 1_500,
    maxWaitTimeInMs: 250,
  });
  const ends: string[] = []; // Of batches, which come whole.
  const news = bell();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      ends.push(`${partition} ${message.offset}`);
      news.ring();
    },
  });
  await broker.produce(topic, records(0, PART));
  const lasts = Array.from({ length: PARTITIONS }, (_, partition) => `${partition} ${PART / PARTITIONS - 1}`);
  while (!lasts.every((last) => ends.includes(last))) await news.heard();
  assert.is(new Set(ends).size, ends.length);
  await during("stall", SHORT_SILENCE_MS);
  while (ends.length === new Set(ends).size) await news.heard(); // If none comes twice, this ends by the time-out of the file.
  await consumer.disconnect();
});

/** Reads a topic through the network, strikes in the middle of it, and compares what came with what was sent. */
async function readThrough(topic: string, strike: () => Promise<void>): Promise<void> {
  const source = kafka({
    id: SourceId("meters"),
    connection: through(),
    topics: [topic],
    group: topic,
    owner: "our-store",
    start: "earliest",
    onGap: "stop",
    bounds: { records: 50, bytes: 1_000_000 },
    idleMs: 60_000,
    clock: wallClock,
    onTrouble: (partition, reason) => assert.unreachable(`${partition}: ${reason}`),
  });
  const follower = new SourceFollower(source, new Map(), true);
  await broker.produce(topic, records(0, PART));
  await follower.until(() => follower.count >= PART);
  const struckAtMs = performance.now();
  const struck = strike();
  await broker.produce(topic, records(PART, 2 * PART));
  await struck;
  const healedAtMs = performance.now();
  await follower.until(() => follower.count >= 2 * PART);
  measured(`network: ${Math.round(healedAtMs - struckAtMs)} ms of it, all read ${Math.round(performance.now() - healedAtMs)} ms after`);
  await broker.produce(topic, records(2 * PART, 3 * PART));
  const all = records(0, 3 * PART);
  await follower.until(() => isComplete(follower, topic, all));
  await follower.stop();
}

/** Throws where a partition has something else than what was sent to it. */
function isComplete(follower: SourceFollower, topic: string, all: readonly Produced[]): boolean {
  let missing = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const came = follower.order[`${topic}/${partition}`] ?? [];
    const sent = all.filter((record) => record.partition === partition).map(({ value }) => value);
    if (came.length > sent.length) throw new Error(`partition ${partition} has ${came.length - sent.length} more than was sent`);
    assert.equal(came, sent.slice(0, came.length));
    missing += sent.length - came.length;
  }
  return missing === 0;
}

function records(from: number, to: number): readonly Produced[] {
  return Array.from({ length: to - from }, (_, n) => ({
    partition: (from + n) % PARTITIONS,
    value: `{"n":${from + n},"text":"${"abc ".repeat(20)}"}`,
  }));
}

// Outwards ------------------------------------------------------------------------------------------------------------------------------

for (const [fault, strike] of Object.entries(FAULTS).filter(([name]) => (IS_LONG ? name !== "slow" : name.startsWith("answers")))) {
  test(`each event is in the topic once: ${fault}`, async () => {
    if (MISSING !== null) return notRun(`kafka sink network: ${fault}`, MISSING);
    for (let round = 0; round < ROUNDS; round += 1)
      assert.equal(
        await writtenThrough(strike),
        Array.from({ length: 600 }, (_, n) => n + 1),
      );
  });
}

async function writtenThrough(strike: () => Promise<void>): Promise<readonly number[]> {
  const topic = await newTopic();
  const log = scriptedLog(50);
  log.append(...Array.from({ length: 300 }, (_, n) => alertEmission(n + 1)));
  let struck: Promise<void> | null = null;
  const passing = (point: string): void => {
    if (point === "kafka.sent") struck ??= strike(); // An answer is under way.
  };
  const storeId = topic;
  const place = kafkaTopic(through(), topic, `${topic}-tail`, wallClock);
  const common = { name: "alerts", generation: 0, source: "/gridactor/main", rowJson: rowJson([]), onDeadLetter: async () => {} };
  const sink = kafkaSink({
    ...common,
    ...place,
    clock: wallClock,
    storeId,
    cursor: NO_CURSOR,
    passing,
    hasTransactions: true,
    nextSequence: () => log.nextSequence,
  });
  const loop = drain({ store: log, sink, stream: "alerts", decode: log.decode, clock: wallClock, random: () => 0.1 });
  const stop = new AbortController();
  const ended = loop.run(stop.signal);
  assert.ok(await loop.flush(90_000));
  log.append(...Array.from({ length: 300 }, (_, n) => alertEmission(n + 301)));
  assert.ok(await loop.flush(90_000));
  assert.ok(struck !== null);
  await struck;
  stop.abort();
  await ended;
  await sink.close();
  return sequencesOf(topic, `gridactor-${storeId}-alerts`);
}

test("control: who sends again when no answer came has it in the topic twice", async () => {
  if (MISSING !== null) return notRun("kafka sink network: control", MISSING);
  const topic = await newTopic();
  const first = kafkaClient(through()).producer({ retry: { retries: 0 } });
  await first.connect();
  await first.send(event(topic, 0)); // So that it knows the way.
  network.weather = "stall answers";
  const lost = first.send(event(topic, 1)).then(
    () => "answered",
    () => "lost",
  );
  await wallClock.sleep(1_000, new AbortController().signal); // It arrives meanwhile; nobody can say when.
  network.end("reset");
  network.weather = "pass";
  assert.is(await lost, "lost");
  await first.disconnect();
  const second = kafkaClient(through()).producer();
  await second.connect();
  await second.send(event(topic, 1));
  await second.disconnect();
  assert.equal(await sequencesOf(topic, null), [0, 1, 1]);
});

function event(topic: string, sequence: number): ProducerRecord {
  return { topic, messages: [{ partition: 0, value: "{}", headers: { ce_sequence: String(sequence) } }] };
}

async function sequencesOf(topic: string, transactionalId: string | null): Promise<readonly number[]> {
  if (transactionalId !== null) await broker.endTransactions(transactionalId);
  const sequences: number[] = [];
  const place = kafkaTopic(broker.connection, topic, `${topic}-test`, wallClock);
  await place.readTail(null, ({ headers }) => void sequences.push(Number(headers.get("ce_sequence"))));
  return sequences.sort((a, b) => a - b);
}

async function newTopic(): Promise<string> {
  names += 1;
  const topic = `network-${names}`;
  await broker.createTopic(topic, PARTITIONS);
  return topic;
}
