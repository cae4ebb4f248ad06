import * as assert from "uvu/assert";
import {
  ageingRate,
  DISTRIBUTION_ONAN,
  designOf,
  heated,
  hotSpotC,
  lossShare,
  POWER_ONAF,
  settledOilC,
  type Thermal,
  thermal,
  upgradedAgeingRate,
} from "../../../actors/statistics/thermal.ts";
import { minutes } from "../../../engine/duration.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("thermal");
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

test("the guide's sample: 87.34 MW of 150 MW at 38.2 °C is oil of 64.84 °C and a hot spot of 77.71 °C", () => {
  const load = 87.34 / 150;
  assert.is(rounded(lossShare(POWER_ONAF, load), 5), 0.51234);
  assert.is(rounded(POWER_ONAF.oilRiseK * lossShare(POWER_ONAF, load), 2), 26.64);
  const state = thermal(POWER_ONAF, 0, load, 38.2, null);
  assert.is(rounded(state.oilC, 2), 64.84);
  assert.is(rounded(state.fastK - state.slowK, 2), 12.87);
  assert.is(rounded(hotSpotC(state), 2), 77.71);
  assert.is(rounded(ageingRate(hotSpotC(state)), 4), 0.096);
  assert.is(rounded(upgradedAgeingRate(hotSpotC(state)), 4), 0.0272);
  assert.is(rounded(settledOilC(DISTRIBUTION_ONAN, load, 38.2), 2), 67.19);
});

test("then an hour at full load, in one step, is oil of 78.81 °C", () => {
  const state = heated(POWER_ONAF, thermal(POWER_ONAF, 0, 87.34 / 150, 38.2, null), minutes(60), 1, 38.2) as Thermal;
  assert.is(rounded(state.oilC, 2), 78.81);
  assert.is(rounded(settledOilC(POWER_ONAF, 1, 38.2), 2), 90.2);
});

test("paper ages twice as fast for every 6 K above 98 °C", () => {
  assert.equal(
    [98, 110, 120, 130, 140].map((hotSpot) => rounded(ageingRate(hotSpot), 1)),
    [1, 4, 12.7, 40.3, 128],
  );
});

test("one step is as many small ones, as long as load and ambient hold", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const design = draw.seeded.pick([POWER_ONAF, DISTRIBUTION_ONAN]);
    const [load, ambientC, passed] = [draw.between(0, 1.5), draw.between(-5, 45), draw.between(1, 600)];
    const start = thermal(design, 0, draw.between(0, 1), ambientC, draw.between(20, 90));
    let small: Thermal = start;
    for (let n = 1; n <= 50; n += 1) small = heated(design, small, minutes((passed * n) / 50), load, ambientC) as Thermal;
    const large = heated(design, start, minutes(passed), load, ambientC) as Thermal;
    near(large.oilC, small.oilC, 1e-9, seed);
    near(hotSpotC(large), hotSpotC(small), 1e-9, seed);
  }
});

test("it is the solution of the differential equation", () => {
  const step = 0.001; // Minutes: the slow reference walks in small straight steps.
  for (const design of [POWER_ONAF, DISTRIBUTION_ONAN]) {
    const start = thermal(design, 0, 0.5, 30, 60);
    const { k11, k21, k22, oilMinutes, windingMinutes, hotSpotRiseK, windingExponent } = design;
    const [target, gradientK] = [settledOilC(design, 0.9, 30), hotSpotRiseK * 0.9 ** windingExponent];
    let { oilC, fastK, slowK } = start;
    for (let n = 0; n < 20_000; n += 1) {
      oilC += (step / (k11 * oilMinutes)) * (target - oilC);
      fastK += (step / (k22 * windingMinutes)) * (k21 * gradientK - fastK);
      slowK += (step / (oilMinutes / k22)) * ((k21 - 1) * gradientK - slowK);
    }
    const state = heated(design, start, minutes(20), 0.9, 30) as Thermal;
    near(state.oilC, oilC, 1e-4, "none");
    near(hotSpotC(state), oilC + fastK - slowK, 1e-4, "none");
  }
});

test("beyond ten hours the model begins anew; back in time it stays", () => {
  const state = thermal(POWER_ONAF, minutes(5), 0.5, 30, null);
  assert.is(heated(POWER_ONAF, state, minutes(606), 1, 30), null);
  assert.is(heated(POWER_ONAF, state, minutes(4), 1, 30), state);
});

test("below 2.5 MW it is a distribution transformer", () => {
  assert.is(designOf(2.49), DISTRIBUTION_ONAN);
  assert.is(designOf(2.5), POWER_ONAF);
  assert.is(designOf(null), POWER_ONAF);
});
