// timeout: 300 s
import type { Kafka, Producer, ProducerConfig, ProducerRecord, Transaction } from "kafkajs";
import * as assert from "uvu/assert";
import { wallClock } from "../../engine/clock.ts";
import { drain } from "../../engine/drain.ts";
import type { Emission } from "../../engine/emission.ts";
import { BrokenInvariant, Unavailable } from "../../engine/fault.ts";
import { ActorId } from "../../engine/ids.ts";
import { retry } from "../../engine/retry.ts";
import type { Sink } from "../../engine/sink.ts";
import { NO_CURSOR, type SinkCursor } from "../../engine/sink_cursor.ts";
import type { DeadLetter } from "../../sinks/dead_letter.ts";
import { kafka, type TopicRecord } from "../../sinks/kafka.ts";
import { rowJson } from "../../sinks/row_json.ts";
import { kafkaTopic } from "../../sources/kafka/topic.ts";
import { sinkContract } from "../contract/sink.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { scriptedLog } from "../kit/scripted_log.ts";
import { notRun, suite } from "../kit/suite.ts";

const MISSING = brokerMissing();
const name = "alerts";
const storeId = "store-a";
let broker: KafkaBroker;
let names = 0;

const whole = suite("topics of a real broker as a sink");
whole.before(async () => {
  if (MISSING === null) broker = await startBroker();
});

/** A test with a new topic of so many partitions. */
function test(title: string, partitions: number, body: (topic: string) => Promise<void>): void {
  whole(title, async () => {
    if (MISSING !== null) return notRun(`kafka sink: ${title}`, MISSING);
    await body(await newTopic(partitions));
  });
}

async function newTopic(partitions: number): Promise<string> {
  names += 1;
  const topic = `alerts-${names}`;
  await broker.createTopic(topic, partitions);
  return topic;
}

interface Given {
  readonly cursor?: SinkCursor;
  readonly passing?: (point: string) => void;
  readonly nextSequence?: number;
  readonly generation?: number;
  readonly connection?: KafkaBroker["connection"];
  readonly hasTransactions?: boolean;
}

const letters: DeadLetter[] = [];
const COMMON = {
  name,
  generation: 0,
  source: "/gridactor/main",
  rowJson: rowJson([]),
  clock: wallClock,
  onDeadLetter: async (letter: DeadLetter) => void letters.push(letter),
};

function sink(
  topic: string,
  {
    cursor = NO_CURSOR,
    passing = () => {},
    nextSequence = 1_000,
    generation = 0,
    connection = broker.connection,
    hasTransactions = true,
  }: Given = {},
): Sink {
  const place = kafkaTopic(connection, topic, `${topic}-tail`, wallClock);
  return kafka({ ...COMMON, storeId, generation, cursor, passing, hasTransactions, nextSequence: () => nextSequence, ...place });
}

/** Every record, partition by partition. */
async function recordsOf(topic: string): Promise<readonly TopicRecord[]> {
  await broker.endTransactions(`gridactor-${storeId}-${name}`);
  const records: TopicRecord[] = [];
  await kafkaTopic(broker.connection, topic, `${topic}-test`, wallClock).readTail(null, (record) => void records.push(record));
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

async function sequencesOf(topic: string): Promise<readonly number[]> {
  return (await recordsOf(topic)).map(({ headers }) => Number(headers.get("ce_sequence")));
}

const meterEvent = (sequence: number) => {
  const emission = alertEmission(sequence);
  const actor = ActorId("meter", `SM-${sequence % 7}`);
  return { ...emission, event: { ...emission.event, subject: actor, partitionkey: actor } };
};

test("another client reads data, key and the attributes of CloudEvents", 1, async (topic) => {
  const one = sink(topic);
  await one.write([alertEmission(7)]);
  await one.close();
  const [text] = await broker.consume(topic, 1);
  const { event } = alertEmission(7);
  const headers = [
    "ce_specversion:1.0,ce_type:energy.alert.raised.v1,ce_source:/gridactor/main,ce_id:ALR-7K2Q9D4M1T5XHB3R/7",
    "ce_subject:meter/SM-N-00042,ce_time:2025-06-15T16:23:45.120Z,ce_dataschema:urn:gridactor:alert:1,ce_partitionkey:meter/SM-N-00042",
    "ce_sequence:00000000000000000007,epoch:store-a,content-type:application/json",
  ].join(",");
  assert.is(text, `${headers}\tmeter/SM-N-00042\t${JSON.stringify(event.data)}`);
});

test(
  "an actor's events keep their order, in the partition that other clients would choose, also when partitions are added",
  3,
  async (topic) => {
    const first = sink(topic);
    const mark = await first.write(Array.from({ length: 50 }, (_, n) => meterEvent(n + 1)));
    await first.close();
    await (await broker.admin()).createPartitions({ topicPartitions: [{ topic, count: 5 }] });
    const second = sink(topic, { cursor: { settled: 50, mark, pending: null } });
    const rest = Array.from({ length: 50 }, (_, n) => meterEvent(n + 51));
    const signal = new AbortController().signal;
    await retry(() => second.write(rest), { clock: wallClock, random: () => 0.5, signal }); // New partitions have no leader at first.
    await second.close();
    const records = await recordsOf(topic);
    assert.is(records.length, 100);
    for (let meter = 0; meter < 7; meter += 1) {
      const own = records.filter(({ headers }) => headers.get("ce_subject") === `meter/SM-${meter}`);
      assert.is(new Set(own.map(({ partition }) => partition)).size, 1);
      const order = own.map(({ headers }) => Number(headers.get("ce_sequence")));
      assert.equal(
        order,
        [...order].sort((a, b) => a - b),
      );
    }
    assert.ok(new Set(records.map(({ partition }) => partition)).size > 1, "more than one partition is used");
  },
);

test(
  "what a killed process had sent beyond the extent that comes first is not sent again, neither then nor after one more crash",
  2,
  async (topic) => {
    const killed = sink(topic);
    await killed.write(Array.from({ length: 10 }, (_, n) => meterEvent(n + 1))); // Its mark is lost.
    await killed.close();
    let cursor: SinkCursor = NO_CURSOR;
    for (const [from, to] of [
      [1, 3],
      [4, 6],
      [7, 12],
    ] as const) {
      const next = sink(topic, { cursor });
      const mark = await next.write(Array.from({ length: to - from + 1 }, (_, n) => meterEvent(from + n)));
      await next.close();
      cursor = { settled: to, mark, pending: null };
    }
    assert.equal(
      [...(await sequencesOf(topic))].sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
  },
);

test("events of another state and records of others in the topic are not taken for ours", 1, async (topic) => {
  await broker.produce(topic, [{ partition: 0, value: "of others" }]);
  const other = kafka({
    ...COMMON,
    ...kafkaTopic(broker.connection, topic, "o", wallClock),
    hasTransactions: true,
    storeId: "store-b",
    cursor: NO_CURSOR,
    nextSequence: () => 9,
  });
  await other.write([alertEmission(1)]);
  await other.close();
  await broker.endTransactions(`gridactor-store-b-${name}`);
  const ours = sink(topic);
  await ours.write([alertEmission(1), alertEmission(2)]);
  await ours.close();
  assert.equal(await sequencesOf(topic), [Number.NaN, 1, 1, 2]);
});

test("a topic that knows more than the state stops the sink", 1, async (topic) => {
  const first = sink(topic);
  await first.write([alertEmission(1), alertEmission(2)]);
  await first.close();
  const older = sink(topic, { nextSequence: 2 });
  assert.instance(await older.write([alertEmission(1)]).catch(thrown), BrokenInvariant);
  await older.close();
});

/** The same event under another number of the log. */
function renumbered({ sequence: _, event, ...emission }: ReturnType<typeof meterEvent>, sequence: number): Emission {
  return { ...emission, sequence, event: { ...event, sequence: String(sequence).padStart(20, "0") } };
}

const idsOf = async (topic: string): Promise<readonly string[]> =>
  (await recordsOf(topic)).map(({ headers }) => (headers.get("ce_id") ?? "").replace(/^.*\//, ""));

test(
  "after a restore the topic's events beyond the log are known by their ids, also under other numbers and after a crash",
  2,
  async (topic) => {
    const first = sink(topic);
    const backedUp = await first.write([1, 2, 3, 4].map(meterEvent));
    await first.write([5, 6, 7, 8, 9, 10].map(meterEvent)); // After the backup.
    await first.close();
    const cursor: SinkCursor = { settled: 4, mark: backedUp, pending: null };
    const restored = sink(topic, { cursor, generation: 100, nextSequence: 9 });
    const mark = await restored.write([renumbered(meterEvent(6), 5), renumbered(meterEvent(5), 6), renumbered(meterEvent(11), 7)]);
    await restored.close();
    const again = sink(topic, { cursor: { settled: 7, mark, pending: null }, generation: 100, nextSequence: 13 });
    await again.write([7, 8, 9, 10, 12].map((id, n) => renumbered(meterEvent(id), 8 + n)));
    await again.close();
    assert.equal(
      [...(await idsOf(topic))].map(Number).sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    );
    const older = sink(topic, { cursor, nextSequence: 1_000 });
    assert.instance(await older.write([meterEvent(5)]).catch(thrown), BrokenInvariant);
    await older.close();
  },
);

test(
  "behind an event that comes otherwise after a restore, its actor's others come again, in order and with known ids",
  1,
  async (topic) => {
    const first = sink(topic);
    const events = [1, 8, 15, 2].map(meterEvent); // Three of one meter, one of another.
    await first.write(events);
    await first.close();
    const restored = sink(topic, { generation: 100, nextSequence: 20 });
    const [one, other, third, ofAnother] = events as [(typeof events)[0], (typeof events)[0], (typeof events)[0], (typeof events)[0]];
    const differs = { ...other, event: { ...other.event, type: "energy.alert.cleared.v1" } } as typeof other;
    await restored.write([one, differs, third, ofAnother].map((event, n) => renumbered(event, n + 1)));
    await restored.close();
    assert.equal(await idsOf(topic), ["1", "8", "15", "2", "8", "15"]);
  },
);

test("a restored state is refused by a topic that knows more of its own generation", 1, async (topic) => {
  const restored = sink(topic, { generation: 100 });
  await restored.write([alertEmission(1), alertEmission(2)]);
  await restored.close();
  for (const [generation, nextSequence] of [
    [100, 2],
    [99, 1_000],
  ] as const) {
    const older = sink(topic, { generation, nextSequence });
    assert.instance(await older.write([alertEmission(1)]).catch(thrown), BrokenInvariant);
    await older.close();
  }
});

test("events larger than one request go in several", 1, async (topic) => {
  const large = (sequence: number) => alertEmission(sequence, { flags: ["x".repeat(300_000)] });
  const one = sink(topic);
  await one.write([large(1), large(2), large(3), large(4), large(5)]);
  await one.close();
  assert.equal(await sequencesOf(topic), [1, 2, 3, 4, 5]);
});

test("a topic that is not there is an outage", 1, async (topic) => {
  const nowhere = sink(`${topic}-nowhere`);
  assert.instance(await nowhere.write([alertEmission(1)]).catch(thrown), Unavailable);
  await nowhere.close();
});

test("a curated row is a record with its table, keyed by its actor; an amendment of it is another one", 1, async (topic) => {
  const one = sink(topic);
  await one.write([rowEmission(3), rowEmission(4, { rowId: "row-3", amends: 3 })]);
  await one.close();
  const [first = "", second = ""] = await broker.consume(topic, 2);
  const [headers = "", key, value = ""] = first.split("\t");
  assert.match(headers, "ce_type:energy.row.meter_readings.v1,ce_source:/gridactor/main,ce_id:row-3/3,ce_subject:meter/SM-N-00042");
  assert.match(headers, "ce_sequence:00000000000000000003,epoch:store-a");
  assert.is(key, "meter/SM-N-00042");
  assert.is(JSON.parse(value)._row_id, "row-3");
  assert.is(JSON.parse(value).reading_kwh, 0.3);
  assert.match(second, "ce_id:row-3/4");
});

test("what the topic finds too large becomes a dead letter, and all else is there once", 1, async (topic) => {
  letters.length = 0;
  await (await broker.admin()).alterConfigs({
    validateOnly: false,
    resources: [{ type: 2, name: topic, configEntries: [{ name: "max.message.bytes", value: "100000" }] }],
  });
  const sized = (sequence: number, bytes: number) => alertEmission(sequence, { flags: ["x".repeat(bytes)] });
  const one = sink(topic);
  const extent = [sized(1, 60_000), sized(2, 150_000), sized(3, 60_000), sized(4, 300_000), sized(5, 10)];
  await written(one, extent);
  await written(one, [sized(6, 60_000), sized(7, 60_000)]);
  await one.close();
  assert.equal(await sequencesOf(topic), [1, 3, 5, 6, 7]);
  assert.equal(
    letters.map(({ sequence, actor, kind }) => [sequence, actor, kind]),
    [
      [2, "meter/SM-N-00042", "alerts"],
      [4, "meter/SM-N-00042", "alerts"],
    ],
  );
});

test("a link that lost its topic to a newer one is fenced off: what it still sends is not there", 2, async (topic) => {
  const extent = Array.from({ length: 20 }, (_, n) => meterEvent(n + 1));
  let reached = (): void => {};
  const isSending = new Promise<void>((resolve) => {
    reached = resolve;
  });
  let letGo = (): void => {};
  const waits = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const { client, ...place } = kafkaTopic(broker.connection, topic, `${topic}-tail`, wallClock);
  const late = kafka({
    ...COMMON,
    ...place,
    client: delayed(client, async () => {
      reached();
      await waits;
    }),
    hasTransactions: true,
    storeId,
    cursor: NO_CURSOR,
    nextSequence: () => 1_000,
  });
  const lost = late.write(extent).catch(thrown);
  await isSending;
  const next = sink(topic);
  await next.write(extent);
  letGo(); // Now the older link sends, after the topic was read back.
  assert.instance(await lost, Unavailable);
  await next.write([meterEvent(21)]); // Its own transactions go on.
  await next.close();
  assert.equal(
    [...(await sequencesOf(topic))].sort((a, b) => a - b),
    Array.from({ length: 21 }, (_, n) => n + 1),
  );
});

test("without transactions a topic gets the same", 2, async (topic) => {
  const one = sink(topic, { hasTransactions: false });
  const mark = await one.write([meterEvent(1), meterEvent(2)]);
  await one.close();
  const other = sink(topic, { hasTransactions: false, cursor: { settled: 2, mark, pending: null } });
  await other.write([meterEvent(3)]);
  await other.close();
  assert.equal([...(await sequencesOf(topic))].sort(), [1, 2, 3]);
});

test("a broker that is killed while events flow, and comes back, has each of them once", 2, async (topic) => {
  const log = scriptedLog(50);
  log.append(...Array.from({ length: 400 }, (_, n) => meterEvent(n + 1)));
  const stop = new AbortController();
  let sent = 0;
  const passing = (point: string): void => {
    if (point === "kafka.sent") sent += 1;
    if (point === "kafka.sent" && sent === 1) void broker.stop("SIGKILL").then(() => broker.start());
  };
  const loop = drain({
    store: log,
    sink: sink(topic, { passing }),
    stream: "alerts",
    decode: log.decode,
    clock: wallClock,
    random: () => 0.1,
  });
  const ended = loop.run(stop.signal);
  assert.ok(await loop.flush(60_000));
  log.append(...Array.from({ length: 400 }, (_, n) => meterEvent(n + 401)));
  assert.ok(await loop.flush(60_000));
  stop.abort();
  await ended;
  const sequences = [...(await sequencesOf(topic))].sort((a, b) => a - b);
  assert.equal(
    sequences,
    Array.from({ length: 800 }, (_, n) => n + 1),
  );
  assert.ok(sent > 0);
});

if (MISSING === null) {
  const contract = sinkContract("Kafka", async () => {
    const topic = await newTopic(1);
    return {
      name,
      stream: "alerts",
      emission: alertEmission,
      open: async (cursor, passing) => sink(topic, { cursor, passing }),
      seen: () => sequencesOf(topic),
      remove: async () => {},
    };
  });
  contract.after(() => broker.remove());
}

/** As a drain does. */
function written(one: Sink, extent: readonly Emission[]): Promise<unknown> {
  return retry(() => one.write(extent), { clock: wallClock, random: () => 0.1, signal: new AbortController().signal });
}

/** The client, which waits before the first request of a transaction. */
function delayed(client: Kafka, wait: () => Promise<void>): Kafka {
  return Object.assign(Object.create(client), {
    producer: (config: ProducerConfig): Producer => {
      const producer = client.producer(config);
      const transaction = async (): Promise<Transaction> => {
        const inner = await producer.transaction();
        return {
          ...inner,
          send: async (record: ProducerRecord) => {
            await wait();
            return inner.send(record);
          },
        };
      };
      return { ...producer, transaction };
    },
  });
}

function thrown(error: unknown): unknown {
  return error;
}
