import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { EntryDraft } from "../../engine/log_draft.ts";
import { type LogSegment, logSegment, readEntries } from "../../engine/log_file.ts";
import { rejects } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("log file");

test("reading may begin anywhere in long segments, before and after the index has grown", async () => {
  await inTempFolder(async (dir) => {
    // Every third number belongs to this stream; blocks of one entry and of many, the index knows one in 64 KiB.
    const numbers = Array.from({ length: 6_000 }, (_, n) => n * 3 + 1);
    const segments = [
      segmentIn(dir, numbers.slice(0, 2_500), 1),
      segmentIn(dir, numbers.slice(2_500, 2_501), 1),
      segmentIn(dir, numbers.slice(2_501), 900),
    ];
    for (const from of [17_000, 1, 0, 2, 4_999, 7_499, 7_500, 7_501, 7_502, 7_505, 12_345, 17_998]) {
      const wanted = numbers.filter((n) => n >= from).slice(0, 5);
      const read = await readEntries(dir, segments, from, 4 * BODY_BYTES + 1);
      assert.equal(
        read.map(({ sequence }) => sequence),
        wanted,
        `from ${from}`,
      );
      for (const { sequence, bytes } of read) assert.is(Buffer.from(bytes).toString(), bodyOf(sequence));
    }
    assert.equal(await readEntries(dir, segments, 17_999, 1_000), []);
    assert.equal(await readEntries(dir, [], 1, 1_000), []);
  });
});

test("entries beyond the committed length are not there", async () => {
  await inTempFolder(async (dir) => {
    const segment = segmentIn(dir, [1, 2, 3], 1);
    segment.lengthBytes = (segment.lengthBytes / 3) * 2;
    assert.equal(await sequences(dir, [segment], 1), [1, 2]);
    segment.lengthBytes = (segment.lengthBytes / 2) * 3;
    assert.equal(await sequences(dir, [segment], 2), [2, 3]);
  });
});

test("several may read at once", async () => {
  await inTempFolder(async (dir) => {
    const segment = segmentIn(
      dir,
      Array.from({ length: 3_000 }, (_, n) => n + 1),
      7,
    );
    const froms = Array.from({ length: 30 }, (_, n) => n * 100 + 1);
    const firsts = await Promise.all(froms.map(async (from) => (await readEntries(dir, [segment], from, 1))[0]?.sequence));
    assert.equal(firsts, froms);
    assert.equal(
      [...segment.sequences].sort((a, b) => a - b),
      segment.sequences,
    );
    assert.is(new Set(segment.offsets).size, segment.offsets.length);
  });
});

test("a segment of zeros or of other bytes is damage", async () => {
  await inTempFolder(async (dir) => {
    for (const bytes of [Buffer.alloc(200_000), Buffer.alloc(10), Buffer.alloc(200_000, 7)]) {
      writeFileSync(join(dir, "a.seg"), bytes);
      assert.instance(await rejects(readEntries(dir, [logSegment("a.seg", 1, bytes.length)], 1, 100)), DamagedStore);
    }
  });
});

const BODY_BYTES = 50;

function bodyOf(sequence: number): string {
  return `${sequence}`.padEnd(BODY_BYTES, ".");
}

/** A file of these entries, so many to a block. */
function segmentIn(dir: string, numbers: readonly number[], entriesPerBlock: number): LogSegment {
  const draft = new EntryDraft();
  for (const [n, sequence] of numbers.entries()) {
    if (n % entriesPerBlock === 0) draft.closeBlock();
    draft.open(sequence);
    draft.bytes(Buffer.from(bodyOf(sequence)));
    draft.close();
  }
  draft.closeBlock();
  const name = `${numbers[0]}.seg`;
  writeFileSync(join(dir, name), draft.filled);
  return logSegment(name, numbers[0] ?? 0, draft.length);
}

async function sequences(dir: string, segments: readonly LogSegment[], from: number): Promise<readonly number[]> {
  return (await readEntries(dir, segments, from, 1_000_000)).map(({ sequence }) => sequence);
}
