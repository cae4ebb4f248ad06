import * as assert from "uvu/assert";
import { SourceId } from "../../engine/ids.ts";
import { FeedClock } from "../../engine/watermark.ts";
import { suite } from "../kit/suite.ts";

const [ONE, TWO] = [SourceId("one"), SourceId("two")];

const test = suite("watermark");

test("before the first record the clock is nowhere", () => {
  const clock = new FeedClock("f", 10);
  clock.partition(ONE);
  assert.is(clock.reachableMs(), Number.NEGATIVE_INFINITY);
  assert.is(clock.latestMs(), Number.NEGATIVE_INFINITY);
});

test("the clock may go to the least watermark of those that are not idle", () => {
  const clock = new FeedClock("f", 10);
  clock.partition(ONE).latestMs = 100;
  clock.partition(TWO).latestMs = 50;
  assert.is(clock.reachableMs(), 40);
  assert.is(clock.latestMs(), 100);
  clock.partition(TWO).idle = true;
  assert.is(clock.reachableMs(), 90);
});

test("it never goes back, and stands still while all are idle", () => {
  const clock = new FeedClock("f", 10);
  clock.partition(ONE).latestMs = 100;
  clock.clockMs = 95;
  assert.is(clock.reachableMs(), 95);
  Object.assign(clock.partition(ONE), { latestMs: 500, idle: true });
  assert.is(clock.reachableMs(), 95);
});

test("a partition is made once", () => {
  const clock = new FeedClock("f", 0);
  assert.is(clock.partition(ONE), clock.partition(ONE));
  assert.is.not(clock.partition(ONE), clock.partition(TWO));
});
