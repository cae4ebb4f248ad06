import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { landedShare, progressBar, progressText } from "../../admin/progress_bar.ts";
import type { StoredBatch } from "../../engine/engine.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("progress");

test("it says what is done, how fast, and how long the rest will take", () => {
  assert.is(progressText("drain", 1_234_567, 0.625, 10_000), "drain 62 % · 1 234 567 rows · 123 457 rows/s · 6 s left");
  assert.is(progressText("drain", 10, null, 2_000), "drain · 10 rows · 5 rows/s");
  assert.is(progressText("drain", 0, 0, 0), "drain 0 % · 0 rows · 0 rows/s");
  assert.is(progressText("drain", 5, 1, 1_000), "drain 100 % · 5 rows · 5 rows/s");
});

test("on a terminal it is one line that is drawn again, fits, and is gone in the end", () => {
  const written: string[] = [];
  let nowMs = 0;
  const bar = progressBar({
    what: "drain",
    screen: { write: (text) => written.push(text), columns: 40 },
    line: assert.unreachable,
    nowMs: () => nowMs,
  });
  bar.step(1, 0.1);
  assert.equal(written, [], "what is done at once shows nothing");
  nowMs = 150;
  bar.step(1, 0.5);
  nowMs = 160;
  bar.step(1, 0.6);
  assert.equal(written, ["\r\u001b[2K[############............] drain 50 % ·"]);
  bar.end();
  bar.end();
  assert.equal(written.slice(1), ["\r\u001b[2K"]);
});

test("without a terminal it is a line every 10 s", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const bar = progressBar({ what: "drain", screen: null, line: (text) => lines.push(text), nowMs: () => nowMs });
  for (nowMs = 1_000; nowMs <= 25_000; nowMs += 1_000) bar.step(100, null);
  bar.end();
  assert.equal(lines, ["drain · 1 000 rows · 100 rows/s", "drain · 2 000 rows · 100 rows/s"]);
});

test("the share is that of the bytes in files that are done", () =>
  inTempFolder(async (folder) => {
    mkdirSync(join(folder, "a"));
    writeFileSync(join(folder, "a/1.json"), "x".repeat(30));
    writeFileSync(join(folder, "a/2.json"), "x".repeat(70));
    writeFileSync(join(folder, "other.txt"), "x".repeat(900));
    const source = { type: "landing", location: { type: "folder", path: folder }, include: ["**/*.json"] } as const;
    const share = await landedShare([source]);
    assert.is(share(batch("a/1.json", 30, "processing")), 0.1);
    assert.is(share(batch("a/1.json", 30, "processing")), 0.1);
    assert.is(share(batch("a/1.json", 30, "committed")), 0.3);
    assert.is(share(batch("a/2.json", 70, "quarantined")), 1);
    const unknown = await landedShare([{ ...source, location: { type: "blob", connection: "", container: "", prefix: "" } }]);
    assert.is(unknown(batch("a/1.json", 30, "committed")), null);
  }));

function batch(path: string, sizeBytes: number, state: string): StoredBatch {
  const file = { path, sizeBytes, contentId: "c", etag: null, state, offset: 10, rows: 1, faults: 0, row: 1, error: null };
  const resumeAt = new Map([[path, Position(JSON.stringify(file))]]);
  return { source: SourceId("meters"), feed: "smart_meter", records: 1, turnMs: 0, commitMs: 0, diskMs: 0, resumeAt };
}
