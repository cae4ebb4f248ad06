import * as assert from "uvu/assert";
import { HOURS_OF_DAY, learnProfile, profile, profileZ, seenOf, typicalKwh, upperKwh } from "../../../actors/statistics/profile.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("profile");

/** The same without packing: doubles in plain arrays. */
function slowHour(values: readonly number[]): { upper: number; typical: number } {
  let [upper, typical] = [values[0] ?? 0, Math.log((values[0] ?? 0) + 0.05)];
  for (const value of values.slice(1)) {
    const clipped = Math.min(value, Math.max(4 * upper, 1));
    upper += (clipped > upper ? 0.3 : 0.05) * (clipped - upper);
    typical += 0.1 * (Math.log(value + 0.05) - typical);
  }
  return { upper, typical: Math.exp(typical) - 0.05 };
}

test("each hour is what it is without packing, within 1 %", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const draw = samples(seed);
    const bytes = profile();
    const byHour = HOURS_OF_DAY.map((hour) => Array.from({ length: 40 }, () => (1 + hour / 10) * Math.exp(0.5 * draw.bell())));
    for (let day = 0; day < 40; day += 1) for (const hour of HOURS_OF_DAY) learnProfile(bytes, hour, false, byHour[hour]?.[day] ?? 0);
    for (const hour of HOURS_OF_DAY) {
      const exact = slowHour(byHour[hour] ?? []);
      near(upperKwh(bytes, hour) / exact.upper, 1, 0.01, seed);
      near(typicalKwh(bytes, hour, false) / exact.typical, 1, 0.01, seed);
    }
  }
});

test("honest hours lie beyond three sigma in 1 % of the cases or so; a tenth of the use always does", () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const draw = samples(seed);
    const bytes = profile();
    const use = (hour: number): number => (0.3 + 0.05 * hour) * Math.exp(0.4 * draw.bell());
    for (let day = 0; day < 60; day += 1) for (const hour of HOURS_OF_DAY) learnProfile(bytes, hour, false, use(hour));
    let beyond = 0;
    for (let day = 0; day < 100; day += 1) {
      for (const hour of HOURS_OF_DAY) if (Math.abs(profileZ(bytes, hour, false, use(hour))) > 3) beyond += 1;
    }
    assert.ok(beyond / 2_400 < 0.03, `${beyond} (seed ${seed})`);
    const low = HOURS_OF_DAY.filter((hour) => profileZ(bytes, hour, false, 0.05 * (0.3 + 0.05 * hour)) < -2).length;
    assert.ok(low >= 20, `${low} (seed ${seed})`);
  }
});

test("one spike of 100 kWh moves an hour by little; held, the envelope does not move down", () => {
  const bytes = profile();
  for (let day = 0; day < 20; day += 1) learnProfile(bytes, 5, false, 1);
  learnProfile(bytes, 5, false, 100);
  near(upperKwh(bytes, 5), 1.9, 0.01, "none"); // 1 + 0.3 (4 - 1)
  const held = upperKwh(bytes, 5);
  for (let day = 0; day < 50; day += 1) learnProfile(bytes, 5, false, 0.1, true);
  assert.is(upperKwh(bytes, 5), held);
  for (let day = 0; day < 50; day += 1) learnProfile(bytes, 5, false, 0.1);
  assert.ok(upperKwh(bytes, 5) < 0.3);
});

test("a weekend that differs in all hours is learnt", () => {
  const bytes = profile();
  for (let day = 0; day < 400; day += 1) {
    const isWeekend = day % 7 >= 5;
    for (const hour of HOURS_OF_DAY) learnProfile(bytes, hour, isWeekend, isWeekend ? 1 : 4);
  }
  const ratio = typicalKwh(bytes, 12, true) / typicalKwh(bytes, 12, false);
  assert.ok(ratio < 0.35, String(ratio));
});

test("an hour that was never seen says so, and so do few", () => {
  const bytes = profile();
  assert.is(seenOf(bytes, 7), 0);
  for (let n = 0; n < 20; n += 1) learnProfile(bytes, 7, false, 1);
  assert.is(seenOf(bytes, 7), 15);
  assert.is(seenOf(bytes, 6), 0);
  assert.is(bytes.length, 112);
});
