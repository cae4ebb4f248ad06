import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { append, bodyStart, checkBlock, createSegment, cutBack, Draft, openSegment, readSegments } from "../../engine/segment_file.ts";
import { rejects } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("segment file");

const isDamage = (error: unknown): boolean => error instanceof DamagedStore;

test("records come back in order, in blocks of bounded length, and none spans two", () => {
  const records = Array.from({ length: 3_000 }, (_, n) => `<${n} ${"x".repeat(n)}>`);
  const blocks = blocksOf(drafted(records));
  assert.is(blocks.join(""), records.join(""));
  assert.ok(blocks.length > 10);
  for (const block of blocks) assert.ok(block.length < 300_000 && block.startsWith("<") && block.endsWith(">"));
});

test("a record longer than a block has one of its own", () => {
  const long = "x".repeat(1_000_000);
  assert.equal(
    blocksOf(drafted(["a", long, "b"])).map(({ length }) => length),
    [1_000_001, 1],
  );
});

test("a draft is used again as if it were new", () => {
  const draft = new Draft();
  for (const text of ["first", "second"]) {
    write(draft, text);
    draft.closeBlock();
    assert.equal(blocksOf(Buffer.from(draft.filled)), [text]);
    draft.clear();
  }
  draft.closeBlock();
  assert.is(draft.length, 0);
});

test("what was filled since a mark can be taken back, over the borders of blocks", () => {
  const draft = new Draft();
  write(draft, "kept");
  draft.mark();
  for (const text of ["x", "y".repeat(300_000), "z"]) write(draft, text);
  draft.backToMark();
  write(draft, " on");
  draft.closeBlock();
  assert.equal(blocksOf(draft.filled), ["kept on"]);
});

test("a flip of any one bit of a block is damage, and so is a block cut short", () => {
  const block = drafted(["some bytes"]);
  for (let bit = 0; bit < block.length * 8; bit += 1) {
    const flipped = Buffer.from(block);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.throws(() => checkBlock(flipped, 0, "a segment"), isDamage, `bit ${bit}`);
  }
  for (let bytes = 0; bytes < block.length; bytes += 1) assert.throws(() => checkBlock(block.subarray(0, bytes), 0, "a segment"), isDamage);
});

test("zeros where a block should be are damage", () => {
  for (const bytes of [4, 8, 100]) assert.throws(() => checkBlock(Buffer.alloc(bytes), 0, "a segment"), isDamage);
});

test("what is appended lies behind the committed length, and over what a crash left there", async () => {
  await inTempFolder(async (dir) => {
    const made = await createSegment(dir, "a.seg");
    await append(made, draftOf("one"));
    await made.handle.close();
    writeFileSync(join(dir, "a.seg"), Buffer.concat([readFileSync(join(dir, "a.seg")), Buffer.from("left over")]));
    const opened = await openSegment(dir, "a.seg", made.lengthBytes);
    await append(opened, draftOf("two"));
    await opened.handle.close();
    assert.equal(blocksOf(readSegments(dir, [["a.seg", opened.lengthBytes]])), ["one", "two"]);
  });
});

test("a segment that is there already is not made again", async () => {
  await inTempFolder(async (dir) => {
    writeFileSync(join(dir, "a.seg"), "x");
    await rejects(createSegment(dir, "a.seg"));
    assert.is(readFileSync(join(dir, "a.seg"), "utf8"), "x");
  });
});

test("segments are read one behind the other, to their committed lengths", async () => {
  await inTempFolder(async (dir) => {
    writeFileSync(join(dir, "a.seg"), "first, and more");
    writeFileSync(join(dir, "b.seg"), "second");
    assert.is(
      readSegments(dir, [
        ["a.seg", 5],
        ["b.seg", 6],
      ]).toString(),
      "firstsecond",
    );
    assert.throws(
      () =>
        readSegments(dir, [
          ["a.seg", 5],
          ["b.seg", 7],
        ]),
      isDamage,
    );
    assert.throws(() => readSegments(dir, [["c.seg", 0]]), isDamage);
  });
});

test("cutting back leaves the committed length, and finds a file that is too short or missing", async () => {
  await inTempFolder(async (dir) => {
    writeFileSync(join(dir, "a.seg"), "0123456789");
    await cutBack(dir, "a.seg", 10);
    await cutBack(dir, "a.seg", 4);
    assert.is(readFileSync(join(dir, "a.seg"), "utf8"), "0123");
    truncateSync(join(dir, "a.seg"), 3);
    assert.instance(await rejects(cutBack(dir, "a.seg", 4)), DamagedStore);
    assert.instance(await rejects(cutBack(dir, "b.seg", 0)), DamagedStore);
  });
});

function write(draft: Draft, text: string): void {
  draft.beginRecord();
  draft.bytes(Buffer.from(text));
}

function draftOf(...texts: readonly string[]): Draft {
  const draft = new Draft();
  for (const text of texts) write(draft, text);
  draft.closeBlock();
  return draft;
}

function drafted(texts: readonly string[]): Buffer {
  return draftOf(...texts).filled;
}

function blocksOf(bytes: Buffer): readonly string[] {
  const blocks: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = checkBlock(bytes, at, "a segment");
    blocks.push(bytes.toString("utf8", bodyStart(at), end));
    at = end;
  }
  return blocks;
}
