import * as assert from "uvu/assert";
import { byteOrder } from "../../engine/byte_order.ts";
import { ActorId } from "../../engine/ids.ts";
import { parseTimerKey, TimerQueue, type TimerRow, timerKey } from "../../engine/timers.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);

const test = suite("timers");

function anyRow(random: Seeded): TimerRow {
  const dueMs = random.pick([0, 9, 10, 99_999, 1_750_000_000_000]) + random.below(3);
  return { feed: "f", dueMs, actor: ActorId("meter", random.pick(["a", "ab", "b"])), name: random.pick(["v", "w", "alert:x"]) };
}

test("rows come out in the order of due time, actor and name, which is that of their keys", () => {
  for (let run = 0; run < 200; run += 1) {
    const random = seeded(SEED + run);
    const rows = Array.from({ length: random.below(40) }, () => anyRow(random));
    const queue = new TimerQueue();
    for (const row of rows) queue.push(row);
    const keys: string[] = [];
    for (let row = queue.pop(); row !== undefined; row = queue.pop()) keys.push(timerKey(row));
    assert.equal(keys, rows.map(timerKey).sort(byteOrder), `SEED=${SEED + run}`);
  }
});

test("pushed and popped in turns, the first is always the least", () => {
  const random = seeded(SEED);
  const queue = new TimerQueue();
  let held: string[] = [];
  for (let n = 0; n < 3_000; n += 1) {
    if (random.chance(55)) {
      const row = anyRow(random);
      queue.push(row);
      held = [...held, timerKey(row)].sort(byteOrder);
    } else {
      const row = queue.pop();
      assert.is(row === undefined ? undefined : timerKey(row), held.shift(), `SEED=${SEED}`);
    }
    const first = held[0];
    assert.is(queue.nextDueMs, first === undefined ? Number.POSITIVE_INFINITY : parseTimerKey(first).dueMs);
  }
});

test("a key says its row", () => {
  const row = { feed: "smart_meter", dueMs: 1_750_000_000_123, actor: ActorId("meter", "SM-N-00042"), name: "alert:meter.spike" };
  assert.equal(parseTimerKey(timerKey(row)), row);
});
