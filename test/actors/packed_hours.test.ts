import * as assert from "uvu/assert";
import { type Hours, NO_HOURS, trimmed, withEnergy } from "../../actors/hours.ts";
import { closeHour, packHours, unpackHours } from "../../actors/packed_hours.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("packed hours");

test("hours come back as they were packed, whatever their size and sign", () => {
  const wh = [0, null, 1, -1, 63, 64, -64, -65, 8_191, 8_192, 4_000_000, -36_000_000_000, null, 36_000_000_000, 2 ** 50];
  const hours: Hours = { first: 490_000, wh, dropped: 489_999 };
  assert.equal(unpackHours(packHours(hours)), hours);
  assert.equal(unpackHours(packHours(NO_HOURS)), NO_HOURS);
  assert.equal(unpackHours(undefined), NO_HOURS);
});

test("an ordinary hour takes two bytes", () => {
  assert.is(packHours({ first: 1, wh: [500], dropped: 0 }).length - packHours(NO_HOURS).length, 2);
});

test("closing an hour is adding its energy and dropping what is too old, for meters that report often, seldom, or come back", () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    let hours = NO_HOURS;
    let packed: Uint8Array | undefined;
    let open = 1_000;
    for (let n = 0; n < 80; n += 1) {
      const next = open + 1 + (random.below(4) === 0 ? random.below(60) : 0);
      const wh = random.below(20_000) - 1_000;
      hours = trimmed(withEnergy(hours, open, wh), next);
      packed = closeHour(packed, open, wh, next);
      assert.equal(unpackHours(packed), hours, `seed ${seed}, hour ${open}`);
      open = next;
    }
  }
});
