import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { snappyCompress } from "hysnappy";
import * as assert from "uvu/assert";
import { BadBatch } from "../../../sources/kafka/bad_batch.ts";
import { decompress } from "../../../sources/kafka/codecs.ts";
import { crc32c } from "../../../sources/kafka/crc32c.ts";
import { type FilteredMessage, markPassedOver, packedBatch } from "../../../sources/kafka/packed_batch.ts";
import { type BatchRecord, batchRecords, packedRecords } from "../../../sources/kafka/record_batch.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("record batches");

const CODECS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;
const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, `../../fixtures/kafka/${name}.batches`));

/** All batches of a segment, as the library would ask for them. */
async function batchesOf(buffer: Buffer): Promise<readonly FilteredMessage[]> {
  const decoder = { buffer, offset: 0 };
  const messages: FilteredMessage[] = [];
  while (decoder.offset < buffer.length) messages.push(...(await packedBatch(decoder)).records);
  return messages;
}

async function recordsOf(buffer: Buffer): Promise<readonly BatchRecord[]> {
  const records: BatchRecord[] = [];
  for (const { packed, damage } of await batchesOf(buffer)) {
    assert.is(damage, null);
    records.push(...batchRecords(packed, await decompress(packed.codec, packedRecords(packed))));
  }
  return records;
}

test("the checksum is the one of the standard", () => {
  assert.is(crc32c(Buffer.from("123456789")), 0xe3069283);
  assert.is(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

for (const codec of CODECS) {
  test(`batches with ${codec} hold every record, with its offset and time`, async () => {
    const records = await recordsOf(fixture(codec));
    assert.equal(
      records.map(({ offset, timestampMs, value }) => [offset, timestampMs, value?.toString() ?? null]),
      Array.from({ length: 60 }, (_, n) => [n, 1_750_000_000_000 + n, n === 7 ? null : `record ${n} ${"é ".repeat(n * 2)}`]),
    );
  });

  test(`a batch with ${codec} of which any byte behind its checksum is another one is seen as damaged`, async () => {
    const whole = fixture(codec);
    const end = 12 + whole.readInt32BE(8);
    for (let at = 17; at < end; at += 1) {
      const changed = Buffer.from(whole.subarray(0, end));
      changed.writeUInt8(changed.readUInt8(at) ^ 0x04, at);
      assert.equal(
        (await batchesOf(changed)).map(({ damage }) => damage),
        ["its checksum is wrong"],
        `byte ${at}`,
      );
    }
  });

  test(`content with ${codec} that was changed or cut is refused, or is other content; nothing else happens`, async () => {
    const [first] = await batchesOf(fixture(codec));
    assert.ok(first);
    const packed = packedRecords(first.packed);
    for (let at = 0; at < packed.length; at += 1) {
      const changed = Buffer.from(packed);
      changed.writeUInt8(changed.readUInt8(at) ^ 0xff, at);
      for (const bytes of [changed, packed.subarray(0, at)]) await refusedOrRead(first, bytes);
    }
  });
}

async function refusedOrRead({ packed }: FilteredMessage, bytes: Buffer): Promise<void> {
  try {
    const inside = await decompress(packed.codec, bytes);
    assert.ok(inside.length <= Math.max(1, bytes.length * 200));
    for (const _ of batchRecords(packed, inside));
  } catch (error) {
    assert.instance(error, BadBatch);
  }
}

const lz4Frame = (...blocks: readonly Buffer[]): Buffer => {
  const withLength = blocks.map((block) => Buffer.concat([u32(block.length), block]));
  return Buffer.concat([u32(0x184d2204), Buffer.from([0x60, 0x70, 0]), ...withLength, u32(0)]);
};
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
/** Raw zeros as Zstandard: blocks of one repeated byte, each 128 KiB; the window is 2 ** `windowLog`. */
const zstdZeros = (blocks: number, windowLog: number): Buffer => {
  const block = (isLast: boolean): Buffer => u32((131_072 << 3) | 2 | (isLast ? 1 : 0)).subarray(0, 3);
  const all = Array.from({ length: blocks }, (_, n) => Buffer.concat([block(n === blocks - 1), Buffer.from([0])]));
  return Buffer.concat([u32(0xfd2fb528), Buffer.from([0, (windowLog - 10) << 3]), ...all]);
};

const LARGE: Readonly<Record<string, readonly [codec: number, bytes: Buffer]>> = {
  "gzip of 100 MB of zeros": [1, gzipSync(Buffer.alloc(100_000_000))],
  "snappy that says it holds 4 GB": [2, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0])],
  "LZ4 with a match of a million bytes": [
    3,
    lz4Frame(Buffer.concat([Buffer.from([0x1f, 65, 1, 0]), Buffer.alloc(4_000, 255), Buffer.from([0, 0])])),
  ],
  "Zstandard of 100 MB of zeros": [4, zstdZeros(800, 20)],
  "Zstandard with a window of 1 GB": [4, zstdZeros(1, 30)],
};

for (const [what, [codec, bytes]] of Object.entries(LARGE)) {
  test(`${what}: no more is taken than is allowed`, async () => {
    const before = process.memoryUsage().arrayBuffers;
    await decompress(codec, bytes).then(
      () => assert.unreachable("it was let through"),
      (error: unknown) => assert.instance(error, BadBatch),
    );
    assert.ok(process.memoryUsage().arrayBuffers - before < 100_000_000);
  });
}

test("a plain snappy block is read as a framed stream is, and an unknown compression is refused", async () => {
  const text = Buffer.from("some text ".repeat(50));
  assert.equal(await decompress(2, Buffer.from(snappyCompress(text))), text);
  for (const codec of [5, 6, 7]) {
    await decompress(codec, text).then(
      () => assert.unreachable(),
      (error: unknown) => assert.match(String(error), `compression ${codec} is not known`),
    );
  }
});

test("the beginning of a batch that did not fit is the library's to see, and a length that is none comes through as damage", async () => {
  const whole = fixture("none");
  const failed = await packedBatch({ buffer: whole.subarray(0, 200), offset: 0 }).catch((error: unknown) => error);
  assert.is(failed instanceof Error && failed.name, "KafkaJSPartialMessageError");
  const changed = Buffer.from(whole);
  changed.writeInt32BE(-5, 8);
  assert.equal(
    (await batchesOf(changed)).map(({ damage }) => damage),
    ["its length is none"],
  );
});

test("what a transaction wrote is passed over from its first offset to its abort, whatever was compacted away", async () => {
  const messages = await batchesOf(fixture("txn"));
  assert.equal(
    messages.map(({ isControlRecord }) => isControlRecord),
    [false, true, false, true],
  );
  const aborted = [{ producerId: messages[2]?.batchContext.producerId ?? "", firstOffset: "2" }];
  assert.equal(passedOver(markPassedOver({ messages, abortedTransactions: aborted })), [false, true, true, true]);
  // Another producer's transaction began before, and none of its records is left.
  const two = [{ producerId: "77", firstOffset: "1" }, ...aborted];
  assert.equal(passedOver(markPassedOver({ messages: messages.slice(2), abortedTransactions: two })), [true, true]);
  assert.equal(passedOver(markPassedOver({ messages })), [false, true, false, true], "and a committed one is not");
});

test("messages of a format before record batches know no transactions, and come through", () => {
  const old = [{ offset: "1", key: null, value: Buffer.from("a"), magicByte: 1 }];
  assert.equal(markPassedOver({ messages: old, abortedTransactions: [{ producerId: "1", firstOffset: "0" }] }), old);
});

/** Whether each is passed over; all of them come through the library's own filter, so that it tells where they were fetched. */
function passedOver(messages: readonly FilteredMessage[]): readonly boolean[] {
  assert.ok(messages.every(({ isControlRecord }) => !isControlRecord));
  return messages.map(({ isPassedOver = false }) => isPassedOver);
}
