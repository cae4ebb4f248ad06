// timeout: 540 s
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import * as assert from "uvu/assert";
import { wallClock } from "../../engine/clock.ts";
import { Unavailable } from "../../engine/fault.ts";
import { type Position, SourceId } from "../../engine/ids.ts";
import type { Batch, Source, SourceRecord } from "../../engine/source.ts";
import { simulate } from "../../simulators/simulate.ts";
import { crc32c } from "../../sources/kafka/crc32c.ts";
import { ForeignPartition } from "../../sources/kafka/foreign_partition.ts";
import type { KafkaOptions } from "../../sources/kafka/options.ts";
import { kafkaReach } from "../../sources/kafka/reach.ts";
import { kafka } from "../../sources/kafka.ts";
import { brokerMissing, type KafkaBroker, LOGIN, type Produced, startBroker } from "../kit/kafka_broker.ts";
import { SourceFollower } from "../kit/source_follower.ts";
import { positionsBehind, provenance, readToIdle, texts } from "../kit/source_reading.ts";
import { notRun, suite } from "../kit/suite.ts";

const MISSING = brokerMissing();
let broker: KafkaBroker;
let names = 0;

const whole = suite("topics of a real broker");
whole.before(async () => {
  if (MISSING === null) broker = await startBroker();
});
whole.after(() => broker?.remove());

/** A test with a new topic of so many partitions. */
function test(title: string, partitions: number, body: (topic: string) => Promise<void>): void {
  whole(title, async () => {
    if (MISSING !== null) return notRun(`kafka: ${title}`, MISSING);
    names += 1;
    const topic = `topic-${names}`;
    await broker.createTopic(topic, partitions);
    await body(topic);
  });
}

function source(topic: string, options: Partial<KafkaOptions> = {}): Source {
  return kafka({
    id: SourceId("meters"),
    connection: broker.connection,
    topics: [topic],
    group: topic,
    owner: "our-store",
    start: "earliest",
    onGap: "stop",
    bounds: { records: 1_000, bytes: 1_000_000 },
    idleMs: 60_000,
    clock: wallClock,
    onTrouble: () => {},
    ...options,
  });
}

const records = (count: number, from = 0, partition = 0): readonly Produced[] =>
  Array.from({ length: count }, (_, n) => ({ partition, value: `record ${from + n}` }));
const valuesOf = (some: readonly Produced[]): readonly string[] => some.map(({ value }) => value ?? "");

// What came is what is read. --------------------------------------------------------------------------------------------------------------

for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
  test(`what another client produced with ${codec} comes as it was`, 1, async (topic) => {
    const sent = Array.from({ length: 3_000 }, (_, n) => ({ partition: 0, value: `{"n":${n},"text":"${"abc ".repeat(n % 97)}"}` }));
    await broker.produce(topic, sent, { "compression.type": codec, "linger.ms": "50", "batch.size": "400000" });
    assert.equal(texts(await readToIdle(source(topic))), valuesOf(sent));
  });
}

test("aborted transactions are never seen, committed ones are, and what lies between is no gap", 1, async (topic) => {
  const steps = [
    ...(["begin", ...records(3), "commit", "begin", ...records(2, 900), "flush", "abort", "begin", ...records(3, 3), "commit"] as const),
    ...(["begin", ...records(1, 990), "flush", "abort"] as const),
  ];
  await broker.produce(topic, steps, { "transactional.id": topic });
  const troubles: string[] = [];
  const onTrouble: KafkaOptions["onTrouble"] = (_, reason) => troubles.push(reason);
  const batches = await readToIdle(source(topic, { onTrouble }));
  assert.equal(texts(batches), valuesOf(records(6)));
  const known = positionsBehind(batches);
  assert.match(known.get(`${topic}/0`) ?? "", /^13 /, "behind the last marker");
  await broker.produce(topic, records(2, 6));
  assert.equal(texts(await readToIdle(source(topic, { onTrouble }), known)), valuesOf(records(2, 6)));
  assert.equal(troubles, []);
});

test(
  "a tombstone has no bytes and an empty value is none, a key plays no part, and the time of a record is its arrival, if it can be one",
  1,
  async (topic) => {
    await broker.produce(topic, [
      { partition: 0, key: "k", timestampMs: 1_750_000_000_000, value: null },
      { partition: 0, key: null, timestampMs: 1_749_999_999_999, value: "" },
      { partition: 0, key: "\u{1f600}", timestampMs: Date.UTC(9999, 0), value: "far" },
      { partition: 0, key: "k", timestampMs: 0, value: "early" },
    ]);
    const batches = await readToIdle(source(topic));
    assert.equal(
      provenance(batches).map(({ from, arrivedAtMs, text }) => [from.replace(/^kafka:[^/]+\//, ""), arrivedAtMs, text]),
      [
        [`${topic}/0/0`, 1_750_000_000_000, ""],
        [`${topic}/0/1`, 1_749_999_999_999, "!bad_json"],
        [`${topic}/0/2`, 0, "!bad_time"],
        [`${topic}/0/3`, 0, "!bad_time"],
      ],
    );
  },
);

test("several topics are read by one source, each partition in its order", 2, async (topic) => {
  const other = `${topic}-other`;
  await broker.createTopic(other, 1);
  await broker.produce(topic, [...records(5), ...records(5, 10, 1)]);
  await broker.produce(other, records(5, 20));
  const follower = new SourceFollower(source(topic, { topics: [topic, other] }));
  await follower.until(() => follower.count === 15);
  await follower.stop();
  assert.equal(follower.order, {
    [`${topic}/0`]: valuesOf(records(5)),
    [`${topic}/1`]: valuesOf(records(5, 10)),
    [`${other}/0`]: valuesOf(records(5, 20)),
  });
});

test("the live simulator fills a topic", 2, async (topic) => {
  const to = `kafka://${broker.connection.brokers[0]}/${topic}`;
  const { sent } = await simulate({
    profile: "meters",
    seconds: 2,
    rate: 50,
    seed: 42,
    scale: 1,
    to,
    signal: new AbortController().signal,
  });
  const batches = await readToIdle(source(topic));
  const readings = texts(batches).map((text) => JSON.parse(text) as { event_id: string });
  assert.is(new Set(readings.map(({ event_id }) => event_id)).size, sent);
  assert.is(readings.length, 100);
});

// Where reading begins. -------------------------------------------------------------------------------------------------------------------

test(
  "`latest` begins at the present end, which is stored before any record; new partitions begin at their first record",
  1,
  async (topic) => {
    await broker.produce(topic, records(5));
    const first = await readToIdle(source(topic, { start: "latest" }));
    assert.equal(texts(first), []);
    await broker.produce(topic, records(2, 5));
    await (await broker.admin()).createPartitions({ topicPartitions: [{ topic, count: 2 }] });
    await broker.produce(topic, records(2, 10, 1));
    const follower = new SourceFollower(source(topic, { start: "latest" }), positionsBehind(first));
    await follower.until(() => follower.count === 4);
    await follower.stop();
    assert.equal(follower.order, { [`${topic}/0`]: valuesOf(records(2, 5)), [`${topic}/1`]: valuesOf(records(2, 10)) });
  },
);

test(
  "`latest` stores the present ends of all partitions at once: after a kill behind the first batch nothing old is read",
  3,
  async (topic) => {
    await broker.produce(
      topic,
      [0, 1, 2].flatMap((partition) => records(2, 0, partition)),
    );
    const stop = new AbortController();
    const batches = source(topic, { start: "latest" }).read(new Map(), stop.signal)[Symbol.asyncIterator]();
    const first: Batch = (await batches.next()).value;
    stop.abort();
    while ((await batches.next()).done !== true);
    const known = positionsBehind([first]);
    assert.equal(
      [...known].map(([name, position]) => [name, position.split(" ")[0]]).sort(),
      [0, 1, 2].map((n) => [`${topic}/${n}`, "2"]),
    );
    await broker.produce(topic, records(1, 10, 2));
    assert.equal(texts(await readToIdle(source(topic, { start: "latest" }), known)), ["record 10"]);
  },
);

test(
  "the broker gets our positions after they are stored, with our name on them, and its own idea of them counts for nothing",
  1,
  async (topic) => {
    await broker.produce(topic, records(10));
    const follower = new SourceFollower(source(topic));
    await follower.until(() => follower.count === 10);
    await follower.stop();
    const admin = await broker.admin();
    const [told] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
    assert.equal(
      told?.partitions.map(({ offset, metadata }) => [offset, metadata]),
      [["10", "gridactor our-store"]],
    );
    for (const offset of ["0", "7"]) {
      await admin.setOffsets({ groupId: topic, topic, partitions: [{ partition: 0, offset }] });
      assert.equal(texts(await readToIdle(source(topic), follower.positions)), []);
    }
  },
);

// What is missing or damaged. -------------------------------------------------------------------------------------------------------------

interface Trouble {
  readonly partition: string;
  readonly reason: string;
  readonly isStopped: boolean;
}

/** Reads on with trouble ahead in partition 0, until all is read that can be. */
async function inTrouble(topic: string, after: ReadonlyMap<string, Position>, onGap: "stop" | "accept") {
  const troubles: Trouble[] = [];
  const onTrouble: KafkaOptions["onTrouble"] = (partition, reason, isStopped) => troubles.push({ partition, reason, isStopped });
  const batches = await readToIdle(source(topic, { onGap, onTrouble }), after);
  return { texts: texts(batches).toSorted(), troubles };
}

test("a partition whose next record is gone stops, the others go on; accepted, it begins at the first that is there", 2, async (topic) => {
  await broker.produce(topic, [...records(5), ...records(5, 100, 1)]);
  const known = positionsBehind(await readToIdle(source(topic)));
  await broker.produce(topic, [...records(5, 5), ...records(1, 105, 1)]);
  await broker.deleteRecords(topic, "8");
  const stopped = await inTrouble(topic, known, "stop");
  assert.equal(stopped.texts, ["record 105"]);
  assert.equal(stopped.troubles, [{ partition: `${topic}/0`, reason: "offsets 5 to 7 are gone", isStopped: true }]);
  const accepted = await inTrouble(topic, known, "accept");
  assert.equal(accepted.texts, ["record 105", "record 8", "record 9"]);
  assert.is(accepted.troubles[0]?.isStopped, false);
});

test(
  "a partition that stopped goes on once its gap is accepted, behind a batch that says what is lost, and others lose nothing",
  2,
  async (topic) => {
    await broker.produce(topic, [...records(5), ...records(5, 100, 1)]);
    const known = positionsBehind(await readToIdle(source(topic)));
    await broker.produce(topic, records(5, 5));
    await broker.deleteRecords(topic, "8");
    const accepted = new Set<string>();
    const troubles: string[] = [];
    const isAccepted = (name: string): boolean => accepted.has(name);
    const onTrouble: KafkaOptions["onTrouble"] = (_, reason, isStopped) => troubles.push(`${reason} ${isStopped}`);
    const reading = source(topic, { isAccepted, onTrouble });
    const follower = new SourceFollower(reading, known);
    await follower.untilIdle();
    reading.goOn?.();
    await broker.produce(topic, records(1, 105, 1));
    await follower.until(() => follower.count === 1);
    accepted.add(`${topic}/0`);
    reading.goOn?.();
    await broker.produce(topic, records(1, 106, 1));
    await follower.until(() => follower.count === 4);
    await follower.stop();
    assert.equal(follower.order, { [`${topic}/0`]: valuesOf(records(2, 8)), [`${topic}/1`]: valuesOf(records(2, 105)) });
    assert.equal(troubles, ["offsets 5 to 7 are gone true", "offsets 5 to 7 are gone false"]);
    const gaps = follower.batches.filter(({ gap }) => gap !== undefined);
    assert.equal(
      gaps.map(({ gap, partition, resumeAt }) => [gap, partition, resumeAt.get(`${topic}/0`)?.split(" ")[0]]),
      [["offsets 5 to 7 are gone", `${topic}/0`, "8"]],
    );
  },
);

test("a topic that was made again is told by the record before our position, and by where it ends", 1, async (topic) => {
  const admin = await broker.admin();
  await broker.produce(topic, records(5));
  const known = positionsBehind(await readToIdle(source(topic)));
  const again = async (count: number): Promise<void> => {
    await admin.deleteTopics({ topics: [topic] });
    await createAgain(topic);
    await broker.produce(topic, records(count, 50));
  };
  await again(9);
  const other = await inTrouble(topic, known, "stop");
  assert.equal(other.texts, []);
  assert.match(other.troubles[0]?.reason ?? "", "is not the one that was read there");
  assert.is((await inTrouble(topic, known, "accept")).texts.length, 9);
  await again(2);
  const shorter = await inTrouble(topic, known, "stop");
  assert.equal(shorter.texts, []);
  assert.match(shorter.troubles[0]?.reason ?? "", "the topic ends at 2");
});

/** A deleted topic is gone a moment later; until then its name is taken. */
async function createAgain(topic: string): Promise<void> {
  for (;;) {
    try {
      return await broker.createTopic(topic, 1);
    } catch (error) {
      if (!String(error).includes("already exists") && !String(error).includes("Topic creation errors")) throw error;
    }
  }
}

test("records that are deleted behind us are no gap", 1, async (topic) => {
  await broker.produce(topic, records(5));
  const troubles: string[] = [];
  const follower: SourceFollower = new SourceFollower(
    source(topic, {
      onTrouble: (_, reason) => {
        troubles.push(reason);
        follower.look();
      },
    }),
  );
  await follower.untilIdle();
  await broker.deleteRecords(topic, "-1");
  await broker.produce(topic, records(1, 5));
  await follower.until(() => follower.count === 6 || troubles.length > 0);
  await follower.stop();
  assert.equal(troubles, []);
});

/** Changes the batches of partition 0 on the broker's disk. */
async function rewritten(topic: string, change: (log: Buffer) => void): Promise<void> {
  await broker.stop("SIGTERM");
  const path = broker.logOf(topic, 0);
  const log = await readFile(path);
  change(log);
  await writeFile(path, log);
  await broker.start();
}

const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const SAME = (log: Buffer): Buffer => log.subarray(ATTRIBUTES_AT, 12 + log.readInt32BE(8));

test(
  "a batch with a flipped bit, and one of an unknown codec, stop their partition; accepted, they are quarantined whole",
  2,
  async (topic) => {
    await broker.produce(topic, [...records(3), "flush", ...records(2, 3), "flush", ...records(2, 100, 1)]);
    await rewritten(topic, (log) => log.writeUInt8(log.readUInt8(80) ^ 0x10, 80));
    const damaged = await inTrouble(topic, new Map(), "stop");
    assert.equal(damaged.texts, ["record 100", "record 101"]);
    assert.equal(damaged.troubles, [
      { partition: `${topic}/0`, reason: "the batch at 0 cannot be read: its checksum is wrong", isStopped: true },
    ]);
    assert.equal((await inTrouble(topic, new Map(), "accept")).texts, [
      "!bad_encoding",
      "record 100",
      "record 101",
      "record 3",
      "record 4",
    ]);
    await rewritten(topic, (log) => {
      log.writeUInt8(log.readUInt8(80) ^ 0x10, 80);
      log.writeInt16BE(5, ATTRIBUTES_AT);
      log.writeUInt32BE(crc32c(SAME(log)), CRC_AT);
    });
    const unknown = await inTrouble(topic, new Map(), "stop");
    assert.equal(unknown.texts, ["record 100", "record 101"]);
    assert.match(unknown.troubles[0]?.reason ?? "", "compression 5 is not known");
  },
);

test("a batch that is far larger inside stops its partition, and no more memory is taken for it", 2, async (topic) => {
  const bomb = { partition: 0, value: "0".repeat(20_000_000) };
  await broker.produce(topic, records(2, 100, 1));
  const large = { "compression.type": "gzip", "max.request.size": "40000000" };
  await broker.produce(topic, [bomb], large);
  const before = process.memoryUsage().arrayBuffers;
  const seen = await inTrouble(topic, new Map(), "stop");
  assert.equal(seen.texts, ["record 100", "record 101"]);
  assert.match(seen.troubles[0]?.reason ?? "", "cannot be decompressed");
  assert.ok(process.memoryUsage().arrayBuffers - before < 64_000_000);
});

// The group. ------------------------------------------------------------------------------------------------------------------------------

test("an engine with another store is refused by the group, and the first one reads on, each record once", 4, async (topic) => {
  const all = (from: number): readonly Produced[] => [0, 1, 2, 3].flatMap((partition) => records(25, from, partition));
  await broker.produce(topic, all(0));
  const first = new SourceFollower(source(topic));
  await first.until(() => first.count === 100);
  await untilTold(topic, 4);
  const second = new SourceFollower(source(topic, { owner: "another-store" }));
  const refusal = await second.ended;
  assert.instance(refusal, ForeignPartition);
  assert.match(String(refusal), "for the store our-store");
  assert.is(second.count, 0);
  await broker.produce(topic, all(25));
  await first.until(() => first.count >= 200);
  await first.stop();
  assert.equal(first.order, Object.fromEntries([0, 1, 2, 3].map((n) => [`${topic}/${n}`, valuesOf(records(50))])));
});

/** Resolves once the group has told the broker where it is, in so many partitions. */
async function untilTold(topic: string, count: number): Promise<void> {
  const admin = await broker.admin();
  for (let told = 0; told < count; ) {
    const [offsets] = await admin.fetchOffsets({ groupId: topic, topics: [topic] });
    told = offsets?.partitions.filter(({ offset }) => Number(offset) > 0).length ?? 0;
  }
}

test("members that come and go cost no record and repeat none", 3, async (topic) => {
  const first = new SourceFollower(source(topic));
  await first.untilIdle();
  for (let round = 0; round < 3; round += 1) {
    const guest = await broker.joinGroup(topic, topic);
    await broker.produce(
      topic,
      [0, 1, 2].flatMap((partition) => records(20, round * 20, partition)),
    );
    await guest.leave();
    await first.until(() => first.count >= (round + 1) * 60);
  }
  await first.stop();
  assert.equal(first.order, Object.fromEntries([0, 1, 2].map((n) => [`${topic}/${n}`, valuesOf(records(60))])));
});

// Outages. --------------------------------------------------------------------------------------------------------------------------------

test("a broker that is killed and started again is read on, each record once", 2, async (topic) => {
  const follower = new SourceFollower(source(topic), new Map(), true);
  for (let round = 0; round < 2; round += 1) {
    await broker.produce(topic, records(10, round * 10));
    await follower.until(() => follower.count >= (round + 1) * 10);
    await broker.stop("SIGKILL");
    await broker.start();
  }
  await broker.produce(topic, records(10, 20));
  await follower.until(() => follower.count >= 30);
  await follower.stop();
  assert.equal(texts(follower.batches), valuesOf(records(30)));
});

test("a broker that does not answer is an outage at the start, and does not hold up the end", 1, async (topic) => {
  const follower = new SourceFollower(source(topic));
  await follower.untilIdle();
  broker.signal("SIGSTOP");
  const beganAtMs = performance.now();
  await follower.stop();
  broker.signal("SIGCONT");
  assert.ok(performance.now() - beganAtMs < 2_000);
  const nowhere = { ...broker.connection, brokers: ["127.0.0.1:1"] };
  assert.instance(await new SourceFollower(source(topic, { connection: nowhere })).ended, Unavailable);
  const nothing = await new SourceFollower(source("no-such-topic")).ended;
  assert.instance(nothing, Unavailable);
});

test(
  "what waits for a reader that has stopped is bounded, the group keeps us, and what is deleted meanwhile is a gap",
  1,
  async (topic) => {
    const big = Array.from({ length: 1_200 }, (_, n) => ({ partition: 0, value: `${n} ${"x".repeat(100_000)}` }));
    await broker.produce(topic, big);
    await broker.produce(topic, ["begin", ...records(3), "flush", "abort"], { "transactional.id": topic });
    const stop = new AbortController();
    const troubles: string[] = [];
    const reading = source(topic, { onTrouble: (_, reason) => troubles.push(reason) });
    const batches = reading.read(new Map(), stop.signal)[Symbol.asyncIterator]();
    const seen: SourceRecord[] = [];
    const next = async (): Promise<boolean> => {
      const { value } = await batches.next();
      seen.push(...(value?.records ?? []));
      return value?.idle ?? true;
    };
    while (seen.length === 0) await next();
    const before = process.memoryUsage().arrayBuffers;
    await once(AbortSignal.timeout(8_000), "abort"); // deadline: longer than a session without a heartbeat.
    assert.ok(process.memoryUsage().arrayBuffers - before < 100_000_000);
    const { groups } = await (await broker.admin()).describeGroups([topic]);
    assert.is(groups[0]?.members.length, 1);
    await broker.deleteRecords(topic, "1200"); // What is left of the topic was aborted.
    while (!(await next()));
    stop.abort();
    await batches.return?.();
    assert.ok(seen.length < 1_000, `${seen.length}`);
    assert.equal(
      seen.map(({ at }) => at),
      seen.map((_, n) => n),
    );
    assert.equal(troubles, [`offsets ${seen.length} to 1199 are gone`]);
  },
);

test("whether brokers answer and have a topic can be asked, and nothing is made by that", 1, async (topic) => {
  const there = await kafkaReach(broker.connection, [topic, "not-there"]);
  assert.equal([there.brokers, [...there.topics.keys()]], [null, ["not-there"]]);
  assert.equal([...(await kafkaReach(broker.connection, ["not-there"])).topics.keys()], ["not-there"]);
  const { brokers } = await kafkaReach({ ...broker.connection, brokers: ["127.0.0.1:1"] }, [topic]);
  assert.match(brokers ?? "", "127.0.0.1:1 is unavailable");
});

// Logins. ---------------------------------------------------------------------------------------------------------------------------------

const token = (claims: object): string => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.`;
};

test("all logins let us in, and a wrong one is an outage that tells no secret", 1, async (topic) => {
  await broker.produce(topic, records(3));
  const nowS = Date.now() / 1_000;
  const logins: readonly NonNullable<KafkaOptions["connection"]["sasl"]>[] = [
    { mechanism: "plain", ...LOGIN },
    { mechanism: "scram-sha-256", ...LOGIN },
    { mechanism: "scram-sha-512", ...LOGIN },
    { mechanism: "oauthbearer", token: token({ sub: "gridactor", iat: nowS - 10, exp: nowS + 600 }) },
  ];
  const connection = { ...broker.connection, brokers: [broker.saslAddress] };
  for (const sasl of logins)
    assert.equal(texts(await readToIdle(source(topic, { connection: { ...connection, sasl } }))), valuesOf(records(3)));
  const wrong = { mechanism: "scram-sha-512", username: LOGIN.username, password: "canary-secret" } as const;
  const error = await new SourceFollower(source(topic, { connection: { ...connection, sasl: wrong } })).ended;
  assert.instance(error, Unavailable);
  assert.not.match(String(error), "canary-secret");
});

test("an encrypted broker is read if its certificate is known, and not otherwise", 1, async (topic) => {
  await broker.produce(topic, records(3));
  const sasl = { mechanism: "plain", ...LOGIN } as const;
  const at = (tls: KafkaOptions["connection"]["tls"], host = broker.tlsAddress): Source =>
    source(topic, { connection: { ...broker.connection, brokers: [host], tls, sasl } });
  assert.equal(texts(await readToIdle(at({ ca: broker.certificate }))), valuesOf(records(3)));
  assert.instance(await new SourceFollower(at({})).ended, Unavailable);
  assert.instance(
    await new SourceFollower(at({ ca: broker.certificate }, broker.tlsAddress.replace("localhost", "127.0.0.1"))).ended,
    Unavailable,
  );
  assert.equal(texts(await readToIdle(at({ isUnchecked: true }))), valuesOf(records(3)));
});
