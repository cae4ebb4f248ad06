import * as assert from "uvu/assert";
import { paces } from "../../admin/live.ts";
import { SourceId } from "../../engine/ids.ts";
import { suite } from "../kit/suite.ts";

const test = suite("pace of a source");

const batch = (records: number) => {
  const measured = { turnMs: 5, commitMs: 5, diskMs: 1, resumeAt: new Map() };
  return { source: SourceId("meters"), feed: "smart_meter", records, ...measured };
};

test("a rate is told once a second is over, not from the first few milliseconds", () => {
  let nowMs = 0;
  const pace = paces(() => nowMs);
  assert.is(pace.pace("meters"), null);
  pace.batch(batch(500));
  nowMs = 3;
  assert.equal([pace.pace("meters")?.inputPerSecond, pace.pace("meters")?.processedPerSecond], [null, 50_000]);
  nowMs = 2_000;
  pace.batch(batch(500));
  assert.is(pace.pace("meters")?.inputPerSecond, 500);
  nowMs = 10_000;
  assert.is(pace.pace("meters")?.inputPerSecond, 100);
});
