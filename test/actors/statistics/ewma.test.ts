import * as assert from "uvu/assert";
import { alphaOf, drift, drifted, ewma, zOf } from "../../../actors/statistics/ewma.ts";
import { days, hours } from "../../../engine/duration.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("ewma");

/** Each sample weighs e^(-age/tau) of what its own step gave it. */
function slow(values: readonly (readonly [value: number, elapsedMs: number])[], tauMs: number): number {
  let weightAfter = 1;
  let sum = 0;
  for (const [value, elapsedMs] of [...values].reverse()) {
    const kept = Math.exp(-Math.max(0, elapsedMs) / tauMs);
    const isFirst = value === values[0]?.[0] && elapsedMs === values[0][1];
    sum += weightAfter * (isFirst ? 1 : 1 - kept) * value;
    weightAfter *= isFirst ? 0 : kept;
  }
  return sum;
}

test("the mean is the sum of all samples with weights that fall off with time", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const values = Array.from({ length: 1 + draw.seeded.below(60) }, () => [draw.between(-3, 9), draw.between(1, hours(30))] as const);
    let mean: number | null = null;
    for (const [value, elapsedMs] of values) mean = ewma(mean, value, elapsedMs);
    near(mean ?? Number.NaN, slow(values, days(1)), 1e-9, seed);
  }
});

test("a step that is cut in two with the same value leads to the same mean", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const [from, to, step] = [draw.between(0, 9), draw.between(0, 9), draw.between(1, days(3))];
    const cut = draw.between(0, 1) * step;
    near(ewma(ewma(from, to, cut), to, step - cut), ewma(from, to, step), 1e-12, seed);
  }
});

test("a step without time teaches nothing", () => {
  assert.is(ewma(5, 100, 0), 5);
  assert.is(ewma(5, 100, -1), 5);
  assert.is(alphaOf(0, days(1)), 0);
  const state = drift(5);
  drifted(state, 100, 0, days(1));
  assert.equal(state, drift(5));
});

test("a mean that forgets finds the mean and spread of noise", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const draw = samples(seed);
    const state = drift(40);
    for (let n = 0; n < 2_000; n += 1) drifted(state, 20 + 3 * draw.bell(), hours(1), days(30));
    near(state.mean, 20, 0.05, seed);
    near(Math.sqrt(state.variance), 3, 0.25, seed);
    near(zOf(state, 26), 2, 0.25, seed);
  }
});
