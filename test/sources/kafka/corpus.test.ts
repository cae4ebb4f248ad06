import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { billing } from "../../../actors/feeds/billing.ts";
import { smartMeter } from "../../../actors/feeds/smart_meter.ts";
import { decode } from "../../../engine/decode.ts";
import { ActorId } from "../../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../../engine/limits.ts";
import { firstSchema } from "../../../engine/schema.ts";
import type { SourceRecord } from "../../../engine/source.ts";
import { BadBatch } from "../../../sources/kafka/bad_batch.ts";
import { decompress } from "../../../sources/kafka/codecs.ts";
import { Lane, sourceRecord } from "../../../sources/kafka/lane.ts";
import { type FilteredMessage, markPassedOver, packedBatch } from "../../../sources/kafka/packed_batch.ts";
import { batchRecords, packedRecords } from "../../../sources/kafka/record_batch.ts";
import { grid, reading } from "../../kit/grid.ts";
import { GUIDE_READING } from "../../kit/guide_samples.ts";
import { type ForgedBatch, forgedBatch, forgedMessage } from "../../kit/kafka_batches.ts";
import { at } from "../../kit/puppets.ts";
import { suite } from "../../kit/suite.ts";

// The cases of the bad-input corpus that a broker brings, on bytes that no producer writes. On a real broker: test/sources/kafka.test.ts.
const test = suite("corpus: brokers");

const GOOD = Buffer.from(JSON.stringify(GUIDE_READING));

test("corpus 77, 79: a record without a value or with an empty one is refused, but where a feed knows tombstones", async () => {
  const records = await recordsOf({ records: [{ offset: 0 }, { offset: 1, value: Buffer.alloc(0) }, { offset: 2, value: GOOD }] });
  assert.equal(records.map(outcome), ["bad_json", "bad_json", "sound"]);
  const [tombstone] = records;
  assert.equal(tombstone && decode(billing, tombstone, firstSchema(billing), DEFAULT_LIMITS), { row: null });
});

test("corpus 78, 92: a key that is missing, or is not UTF-8, plays no part", async () => {
  const keys = [undefined, Buffer.from([0xff, 0xfe, 0xc0]), Buffer.alloc(0)];
  const records = await recordsOf({ records: keys.map((key, n) => ({ offset: n, value: GOOD, ...(key === undefined ? {} : { key }) })) });
  assert.equal(records.map(outcome), ["sound", "sound", "sound"]);
});

test("corpus 80: a value of 10 MB is refused, and what is around it is read", async () => {
  const large = Buffer.from(`{"event_id":"${"x".repeat(10_000_000)}"}`);
  const records = await recordsOf({ records: [GOOD, large, GOOD].map((value, n) => ({ offset: n, value })) });
  assert.equal(records.map(outcome), ["sound", "too_large", "sound"]);
});

test("corpus 81: 100,000 tiny records come in batches within their bounds, each once", async () => {
  const count = 100_000;
  const records = await recordsOf({ records: Array.from({ length: count }, (_, n) => ({ offset: n, value: Buffer.from("1") })) });
  const lane = new Lane({ topic: "t", partition: 0, cluster: "c" }, { seekTo: 0, next: 0, mark: null }, { low: 0, high: count });
  lane.queue(records, count, count);
  const seen: number[] = [];
  for (let batch = lane.take({ records: 5_000, bytes: 2 ** 23 }); batch !== null; batch = lane.take({ records: 5_000, bytes: 2 ** 23 })) {
    assert.ok(batch.records.length <= 5_000);
    for (const { at: offset } of batch.records) seen.push(offset);
  }
  assert.is(seen.length, count);
  assert.ok(seen.every((offset, n) => offset === n));
});

test("corpus 82, 83: a bomb and an unknown codec stop their partition; they are not inflated", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const zeros = Buffer.alloc(100_000_000);
  for (const forged of [
    { records: [{ offset: 0, value: GOOD }], codec: 1, compress: () => gzipSync(zeros) },
    { records: [{ offset: 0, value: GOOD }], codec: 5 },
    { records: [{ offset: 0, value: GOOD }], codec: 7 },
  ]) {
    const error = await recordsOf(forged).catch((thrown: unknown) => thrown);
    assert.instance(error, BadBatch);
  }
  assert.ok(process.memoryUsage().arrayBuffers - before < 164_000_000, "our own zeros, and 64 MB");
});

test("corpus 84: a batch with another checksum is seen before anything of it is read", async () => {
  const [message] = await messagesOf(forgedBatch({ records: [{ offset: 0, value: GOOD }], crc: 1 }));
  assert.is(message?.damage, "its checksum is wrong");
});

interface Library {
  readonly decodeSet: (decoder: object, bytes: number) => Promise<readonly { readonly offset: string; readonly value: Buffer | null }[]>;
  readonly Decoder: new (bytes: Buffer) => object;
}

test("corpus 85: messages of a format before record batches come through, in their order", async () => {
  const require = createRequire(import.meta.url);
  const library: Library = {
    decodeSet: require("kafkajs/src/protocol/messageSet/decoder.js"),
    Decoder: require("kafkajs/src/protocol/decoder.js"),
  };
  const set = Buffer.concat([forgedMessage(3, "a"), forgedMessage(4, "b")]);
  const messages = await library.decodeSet(new library.Decoder(set), set.length);
  const kept = markPassedOver({ messages, abortedTransactions: [{ producerId: "1", firstOffset: "0" }] });
  assert.equal(
    kept.map(({ offset, value }) => [offset, value?.toString()]),
    [
      ["3", "a"],
      ["4", "b"],
    ],
  );
});

test("corpus 86: batches of control records only, and aborted ones, are passed over from where they begin to where they end", async () => {
  const abort = { offset: 7, key: Buffer.alloc(4), value: Buffer.alloc(6) };
  const bytes = Buffer.concat([
    forgedBatch({ records: [{ offset: 5, value: GOOD }], isTransactional: true, producerId: 9 }),
    forgedBatch({ records: [{ offset: 6, value: GOOD }], isTransactional: true, producerId: 8 }),
    forgedBatch({ records: [abort], isControl: true, isTransactional: true, producerId: 9 }),
  ]);
  const messages = markPassedOver({ messages: await messagesOf(bytes), abortedTransactions: [{ producerId: "9", firstOffset: "5" }] });
  assert.equal(
    messages.map(({ isPassedOver = false, packed: { baseOffset, lastOffset } }) => [isPassedOver, baseOffset, lastOffset]),
    [
      [true, 5, 5],
      [false, 6, 6],
      [true, 7, 7],
    ],
  );
});

test("corpus 87: offsets that compaction has left sparse are no gap, and the batch ends where it ended", async () => {
  const forged = { records: [2, 5, 900].map((offset) => ({ offset, value: GOOD })), lastOffset: 950 };
  const records = await recordsOf(forged);
  const [message] = await messagesOf(forgedBatch(forged));
  const lane = new Lane({ topic: "t", partition: 0, cluster: "c" }, { seekTo: 0, next: 0, mark: null }, { low: 0, high: 951 });
  assert.ok(lane.queue(records, (message?.packed.lastOffset ?? 0) + 1, 1));
  assert.equal(
    lane.take({ records: 9, bytes: 2 ** 20 })?.records.map(({ at: offset }) => offset),
    [2, 5, 900],
  );
  assert.is(lane.position.next, 951);
});

test("corpus 88: another record where one was read before is told, wherever the offsets begin again", async () => {
  const [known, other] = [await recordsOf(good(0)), await recordsOf({ records: [{ offset: 0, value: Buffer.from("other") }] })];
  const lane = (): Lane => new Lane({ topic: "t", partition: 0, cluster: "c" }, { seekTo: 0, next: 1, mark: MARK }, { low: 0, high: 1 });
  const first = new Lane({ topic: "t", partition: 0, cluster: "c" }, { seekTo: 0, next: 0, mark: null }, { low: 0, high: 1 });
  first.queue(known, 1, 1);
  first.take({ records: 9, bytes: 2 ** 20 });
  const MARK = first.position.mark;
  assert.ok(lane().queue(known, 1, 1));
  assert.not.ok(lane().queue(other, 1, 1));
});

test("corpus 89: a time that none can be costs its record, one before its neighbour's does not", async () => {
  const times = [1_750_000_000_500, 1_750_000_000_100, -1, Date.UTC(9999, 0)];
  const records = await recordsOf({ records: times.map((timestampMs, n) => ({ offset: n, value: GOOD, timestampMs })) });
  assert.equal(records.map(outcome), ["sound", "sound", "bad_time", "bad_time"]);
});

test("corpus 90: headers are passed over, however many, large or named", async () => {
  const many = Array.from({ length: 1_000 }, (_, n): [string, Buffer] => [n % 2 === 0 ? "twice" : `h${n}`, Buffer.from("v")]);
  const odd: [string, Buffer][] = [
    ["__proto__", Buffer.from("x")],
    ["large", Buffer.alloc(1_000_000)],
  ];
  const records = await recordsOf({ records: [many, odd].map((headers, n) => ({ offset: n, value: GOOD, headers })) });
  assert.equal(records.map(outcome), ["sound", "sound"]);
  assert.equal(Buffer.from(records[1]?.bytes ?? []), GOOD);
});

test("corpus 91: a value behind the magic byte of a schema registry is refused, with its bytes", async () => {
  const value = Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), GOOD]);
  const [record] = await recordsOf({ records: [{ offset: 0, value }] });
  assert.is(record && outcome(record), "bad_encoding");
  assert.equal(Buffer.from(record?.bytes ?? []), value);
});

test("corpus 93, 94: one event in two partitions, and the same id with another body, are duplicates, and counted", async () => {
  const first = { ...reading(0, 5), partition: "0" };
  const again = { ...reading(0, 5), partition: "1" };
  const other = { ...reading(0, 6), partition: "1" };
  const sameId = { ...other, record: { ...(other.record as object), event_id: (first.record as { event_id: string }).event_id } };
  const { counters } = await grid({})().when(first, again, sameId);
  assert.equal(counters("feed smart_meter"), { accepted: 1, duplicates: 2, read: 3 });
});

test("corpus 95: ids that are equal only after folding case are refused, others that look alike are two", async () => {
  const folded = reading(0, 5, { meter_id: "sm-n-00042" });
  const composed = reading(1, 5, { event_id: "caf\u00e9" });
  const decomposed = reading(2, 5, { event_id: "cafe\u0301" });
  const { counters, quarantine } = await grid({})().when(folded, composed, decomposed);
  assert.equal(counters("feed smart_meter"), { accepted: 2, quarantined: 1, read: 3 });
  assert.equal(
    quarantine.map(({ reason, field }) => [reason, field]),
    [["bad_id", "meter_id"]],
  );
});

test("corpus 96: more keys than there may be are refused, and the known ones are not harmed", async () => {
  const keys = Array.from({ length: 1_000 }, (_, n) => reading(n % 50, 5, { meter_id: `SM-N-${String(n).padStart(5, "0")}` }));
  const known = reading(51, 7, { meter_id: "SM-N-00000" });
  const { counters, quarantine, actor } = await grid({ limits: { actors: 100 } })().when(...keys, known);
  const { accepted = 0, quarantined = 0 } = counters("feed smart_meter");
  assert.equal([accepted + quarantined, quarantine.length], [1_001, quarantined]);
  assert.ok(quarantine.every(({ reason }) => reason === "actor_limit"));
  assert.ok(accepted >= 100 - 5 && accepted <= 101, `${accepted}`); // Regions are actors, too.
  assert.is(actor(ActorId("meter", "SM-N-00000")).clock("smart_meter"), at(51));
});

const good = (offset: number): ForgedBatch => ({ records: [{ offset, value: GOOD }] });

async function messagesOf(bytes: Buffer): Promise<readonly FilteredMessage[]> {
  const decoder = { buffer: bytes, offset: 0 };
  const messages: FilteredMessage[] = [];
  while (decoder.offset < bytes.length) messages.push(...(await packedBatch(decoder)).records);
  return messages;
}

/** The records of a forged batch, as the engine gets them. */
async function recordsOf(forged: ForgedBatch): Promise<readonly SourceRecord[]> {
  const [message] = await messagesOf(forgedBatch(forged));
  if (message === undefined || message.damage !== null) throw new Error(message?.damage ?? "no batch");
  const inside = await decompress(message.packed.codec, packedRecords(message.packed));
  return [...batchRecords(message.packed, inside)].map(sourceRecord);
}

/** What becomes of a record as a reading of a meter. */
function outcome(record: SourceRecord): string {
  const result = decode(smartMeter, record, firstSchema(smartMeter), DEFAULT_LIMITS);
  return "code" in result ? result.code : "sound";
}
