import * as assert from "uvu/assert";
import { balance, balanceHour } from "../../../../actors/detectors/transformer/balance.ts";
import { energyBook, holdEnvelopes, takeMeterDay } from "../../../../actors/detectors/transformer/energy_book.ts";
import { unpackMeters } from "../../../../actors/detectors/transformer/packed_meters.ts";
import { kwhOf, readWord } from "../../../../actors/statistics/packed.ts";
import { streetOf } from "../../../../simulators/street.ts";
import { THEFT_PATTERNS } from "../../../../simulators/theft_patterns.ts";
import { areaUnderCurve, runStreet } from "../../../kit/street_days.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("energy balance");
const honest = { seed: 1, meters: 10, days: 60, pattern: null, thieves: 0, fromDay: 0 } as const;

test("the ranking finds thieves of all seven patterns: mean area under the curve of 0.88 and more, on seeds that nothing was tuned on", () => {
  const areas = THEFT_PATTERNS.map((pattern) => {
    const ofSeeds = [9_001, 9_002, 9_003, 9_004].map((seed) => {
      const street = streetOf({ seed, meters: 14, days: 66, pattern, thieves: 2, fromDay: 33 });
      return areaUnderCurve(runStreet(street, 66).scores, street.thieves);
    });
    return ofSeeds.reduce((sum, area) => sum + area, 0) / ofSeeds.length;
  });
  const mean = areas.reduce((sum, area) => sum + area, 0) / areas.length;
  assert.ok(mean >= 0.88, areas.map((area) => area.toFixed(2)).join(" "));
});

test("without a theft little is missing, day after day", () => {
  const { shares } = runStreet(streetOf(honest), 60);
  assert.ok(
    shares.slice(7).every((share) => share !== null && share > 0 && share < 0.05),
    String(Math.max(...shares.map((share) => share ?? 9))),
  );
});

test("a child that is missing for two hours a day leaves just those hours indeterminate", () => {
  const { book } = runStreet(streetOf({ ...honest, meters: 5, days: 20 }), 20, { missing: [3, 4] });
  const whole = runStreet(streetOf({ ...honest, meters: 5, days: 20 }), 20);
  assert.is(whole.book.balance.hours, 480);
  assert.is(book.balance.hours, 440);
});

test("a unit that is a thousand times as small leaves the order of the scores", () => {
  const street = streetOf({ ...honest, days: 50, pattern: "under_report", thieves: 1, fromDay: 25 });
  const order = (scores: readonly number[]) => scores.map((score, meter) => [score, meter] as const).sort(([a], [b]) => b - a)[0]?.[1];
  assert.is(order(runStreet(street, 50, { unit: 20 }).scores), order(runStreet(street, 50).scores));
});

test("more losses that grow with the square leave the thief first", () => {
  const street = streetOf({ ...honest, days: 50, pattern: "scale", thieves: 1, fromDay: 25 });
  const [thief] = [...street.thieves];
  for (const extra of [() => 0, (kwh: number) => (0.03 * kwh * kwh) / 10]) {
    const { scores } = runStreet(street, 50, { extra });
    assert.is(scores.indexOf(Math.max(...scores)), thief);
  }
});

test("an hour that cannot be judged says why, and is never a loss of 99.99 %", () => {
  const child = (kwh: number | null) => ({ id: "a", kwh, upperKwh: 1 });
  assert.equal(balanceHour(balance(), null, [child(1)]), { type: "indeterminate", reason: "coverage" });
  assert.equal(balanceHour(balance(), 5, [child(null)]), { type: "indeterminate", reason: "coverage" });
  assert.equal(balanceHour(balance(), 5, []), { type: "indeterminate", reason: "coverage" });
  assert.equal(balanceHour(balance(), 20_000, [child(1)]), { type: "indeterminate", reason: "scale_mismatch" });
  assert.equal(balanceHour(balance(), 0.5, [child(1)]), { type: "indeterminate", reason: "scale_mismatch" });
});

test("while much is missing no envelope sinks, even if the meters had learnt less before they heard of it", () => {
  const book = energyBook();
  const wh = (value: number) => Array.from({ length: 24 }, () => value);
  const upperOf = (day: number) => {
    holdEnvelopes(book, day);
    return Math.round(kwhOf(readWord(unpackMeters(book.waiting[String(day)])["a"] ?? new Uint8Array(0), 24 + 5)) * 1_000);
  };
  [900, 800, 300, 1_000].forEach((upper, n) => {
    takeMeterDay(book, 100 + n, "a", wh(100), wh(upper));
  });
  assert.ok(Math.abs(upperOf(100) - 900) <= 1);
  assert.ok(Math.abs(upperOf(101) - 800) <= 1); // Nothing is missing: the meter may learn.
  book.heldSinceDay = 101;
  assert.ok(Math.abs(upperOf(102) - 800) <= 1);
  assert.ok(Math.abs(upperOf(103) - 1_000) <= 1);
});
