import * as assert from "uvu/assert";
import { nlmsGuard, nlmsWeight } from "../../../actors/statistics/nlms.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("nlms");

/** Weights after samples of y = truth . x. */
function learnt(truth: readonly number[], seed: number, unit = 1): readonly number[] {
  const draw = samples(seed);
  let weights = truth.map(() => 0);
  let usual = 0;
  for (let n = 0; n < 6_000; n += 1) {
    const x = truth.map(() => unit * draw.between(0, 2));
    const y = truth.reduce((sum, weight, at) => sum + weight * (x[at] ?? 0), 0);
    const error = y - weights.reduce((sum, weight, at) => sum + weight * (x[at] ?? 0), 0);
    const norm = x.reduce((sum, value) => sum + value * value, 0);
    usual += 0.01 * (norm - usual);
    weights = weights.map((weight, at) => nlmsWeight(weight, error, x[at] ?? 0, nlmsGuard(usual, unit) + norm, 0.02));
  }
  return weights;
}

test("weights that are not negative are found", () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    const truth = [0.9, 0, 0.3];
    for (const [at, weight] of learnt(truth, seed).entries()) near(weight, truth[at] ?? 0, 0.01, seed);
  }
});

test("a weight never becomes negative, whatever the samples say", () => {
  assert.ok(learnt([0.8, -0.5], 7).every((weight) => weight >= 0));
  assert.is(nlmsWeight(0.1, -5, 2, 1, 0.5), 0);
});

test("another unit gives the same weights", () => {
  const [kwh, wh] = [learnt([0.6, 0.2], 3), learnt([0.6, 0.2], 3, 1_000)];
  for (const [at, weight] of kwh.entries()) near(wh[at] ?? 0, weight, 1e-6, 3);
});
