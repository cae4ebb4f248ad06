import * as assert from "uvu/assert";
import { settableClock, wallClock } from "../../engine/clock.ts";
import { suite } from "../kit/suite.ts";

const test = suite("clock");
const never = new AbortController().signal;

test("a settable clock wakes those whose time has come, earliest first", async () => {
  const clock = settableClock(1_000);
  const woken: string[] = [];
  const sleepers = [clock.sleep(20, never).then(() => woken.push("late")), clock.sleep(10, never).then(() => woken.push("early"))];
  clock.sleep(21, never).then(() => woken.push("later"));
  clock.advance(20);
  await Promise.all(sleepers);
  assert.equal(woken, ["early", "late"]);
  assert.is(clock.now(), 1_020);
});

for (const [name, clock] of [["the wall clock", wallClock] as const, ["a settable clock", settableClock()] as const]) {
  test(`the signal ends a sleep of ${name}, however long`, async () => {
    const stop = new AbortController();
    const sleep = clock.sleep(Number.POSITIVE_INFINITY, stop.signal);
    stop.abort();
    await sleep;
  });

  test(`${name} does not sleep once the signal has fired, nor for no time`, async () => {
    await clock.sleep(Number.POSITIVE_INFINITY, AbortSignal.abort());
    await clock.sleep(0, never);
    await clock.sleep(-5, never);
  });
}

test("asleep waits for the first sleeper", async () => {
  const clock = settableClock();
  const asleep = clock.asleep();
  const sleep = clock.sleep(5, never);
  await asleep;
  await clock.asleep();
  clock.advance(5);
  await sleep;
});
