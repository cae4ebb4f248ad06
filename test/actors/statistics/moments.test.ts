import * as assert from "uvu/assert";
import { addSample, mergedMoments, moments, varianceOf } from "../../../actors/statistics/moments.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("moments");

/** Two passes over all values. */
function slow(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) };
}

function of(values: readonly number[]) {
  const state = moments();
  for (const value of values) addSample(state, value);
  return state;
}

test("mean and variance are those of two passes, far from zero, too", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const values = Array.from({ length: 2 + draw.seeded.below(200) }, () => 1e9 + draw.between(-1, 1));
    const state = of(values);
    near(state.mean, slow(values).mean, 1e-12, seed);
    near(varianceOf(state), slow(values).variance, 1e-5, seed); // A sum of squares would be wrong by a hundred here.
  }
});

test("two halves that are merged are the whole", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const values = Array.from({ length: draw.seeded.below(100) }, () => draw.between(-5, 50));
    const cut = draw.seeded.below(values.length + 1);
    const merged = mergedMoments(of(values.slice(0, cut)), of(values.slice(cut)));
    const whole = of(values);
    assert.is(merged.n, whole.n);
    near(merged.mean, whole.mean, 1e-12, seed);
    near(varianceOf(merged), varianceOf(whole), 1e-12, seed);
  }
});

test("below two samples there is no variance", () => {
  assert.is(varianceOf(of([])), 0);
  assert.is(varianceOf(of([7])), 0);
});
