import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { Unavailable } from "../../engine/fault.ts";
import { type RetryOptions, retry } from "../../engine/retry.ts";
import { suite } from "../kit/suite.ts";

const test = suite("retry");
const outage = new Unavailable("broker", new Error("refused"));

/** Fails so many times, then gives `done`. */
function failing(times: number, error: Error = outage): () => Promise<string> {
  let left = times;
  return async () => {
    if (left-- > 0) throw error;
    return "done";
  };
}

/** Options whose pauses take no time and are kept in `pauses`. */
function timed(random: number): RetryOptions & { readonly pauses: number[] } {
  const pauses: number[] = [];
  const clock = { sleep: async (forMs: number) => void pauses.push(forMs) };
  return { clock, random: () => random, signal: new AbortController().signal, firstMs: 100, longestMs: 1_000, pauses };
}

test("an outage is tried again until it is over", async () => {
  assert.is(await retry(failing(3), timed(0.5)), "done");
});

test("the bound of a pause doubles up to the longest", async () => {
  const options = timed(1);
  await retry(failing(6), options);
  assert.equal(options.pauses, [100, 200, 400, 800, 1_000, 1_000]);
});

test("a pause is chance between nothing and its bound", async () => {
  const none = timed(0);
  await retry(failing(3), none);
  assert.equal(none.pauses, [0, 0, 0]);
  const some = timed(0.25);
  await retry(failing(3), some);
  assert.equal(some.pauses, [25, 50, 100]);
});

test("what is no outage is not tried again", async () => {
  const bug = new TypeError("bug");
  const options = timed(1);
  assert.is(await retry(failing(1, bug), options).catch((error: unknown) => error), bug);
  assert.equal(options.pauses, []);
});

test("each failure is told before its pause", async () => {
  const told: unknown[] = [];
  await retry(failing(2), { ...timed(1), onRetry: (error, pauseMs) => told.push([error.what, pauseMs]) });
  assert.equal(told, [
    ["broker", 100],
    ["broker", 200],
  ]);
});

test("the signal ends a pause, and the outage is what is thrown", async () => {
  const clock = settableClock();
  const stop = new AbortController();
  const result = retry(failing(Number.POSITIVE_INFINITY), { clock, random: () => 1, signal: stop.signal }).catch((error: unknown) => error);
  await clock.asleep();
  stop.abort();
  assert.is(await result, outage);
});

test("after the signal there is one attempt, no second", async () => {
  const options = { ...timed(1), signal: AbortSignal.abort() };
  assert.is(await retry(failing(1), options).catch((error: unknown) => error), outage);
  assert.is(await retry(failing(0), options), "done");
  assert.equal(options.pauses, []);
});
