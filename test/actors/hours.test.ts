import * as assert from "uvu/assert";
import { dateOf, dayOf, dayStart, type Hours, hourOf, isHeld, NO_HOURS, startMs, trimmed, withEnergy } from "../../actors/hours.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("hours");

const sumOf = ({ wh }: Hours): number => wh.reduce<number>((sum, value) => sum + (value ?? 0), 0);

test("an hour is of the grid zone, and a reading on the hour is of the one before", () => {
  const midnight = Date.parse("2025-06-14T18:30:00Z");
  assert.equal([startMs(hourOf(midnight + 1)), dateOf(hourOf(midnight + 1))], [midnight, "2025-06-15"]);
  assert.is(dateOf(hourOf(midnight)), "2025-06-14");
  assert.is(hourOf(midnight) + 1, hourOf(midnight + 3_600_000));
  assert.is(dayStart(hourOf(midnight + 3_600_000 * 24)), hourOf(midnight + 1));
});

test("48 hours before the open one are held, and no others", () => {
  assert.equal(
    [51, 52, 99, 100].map((hour) => isHeld(hour, 100)),
    [false, true, true, false],
  );
  const hours = [40, 60, 99].reduce((held, hour) => withEnergy(held, hour, hour), NO_HOURS);
  assert.equal([hours.first, hours.wh.length, sumOf(hours)], [40, 60, 199]);
  const kept = trimmed(hours, 100);
  assert.equal([kept.first, kept.wh.length, sumOf(kept), kept.dropped], [52, 48, 159, 40]);
  assert.equal(trimmed(kept, 1_000), { first: 952, wh: [], dropped: 99 });
  assert.is(trimmed(kept, 100), kept);
});

test("an hour without a reading is null, one with readings of nothing is 0", () => {
  const hours = withEnergy(withEnergy(NO_HOURS, 24, 0), 26, 5);
  assert.equal(dayOf(hours, 24).slice(0, 4), [0, null, 5, null]);
  assert.is(dayOf(hours, 24).length, 24);
  assert.ok(dayOf(hours, 48).every((wh) => wh === null));
});

test("the order in which energy comes makes no difference", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = seeded(seed);
    const added = Array.from({ length: 30 }, () => [1_000 + random.below(48), random.below(100_000) - 1_000] as const);
    const filled = (order: typeof added) => order.reduce((hours, [hour, wh]) => withEnergy(hours, hour, wh), NO_HOURS);
    assert.equal(filled([...random.shuffled(added)]), filled(added), `seed ${seed}`);
  }
});
