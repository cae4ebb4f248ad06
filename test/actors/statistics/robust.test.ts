import * as assert from "uvu/assert";
import { type Robust, robust, robustZ } from "../../../actors/statistics/robust.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("robust");

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function of(values: readonly number[]): Robust {
  let state: Robust | null = null;
  for (const value of values) state = robust(state, value);
  return state as Robust;
}

test("median and spread come near those of all values sorted, though one in ten is wild", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const draw = samples(seed);
    const values = Array.from({ length: 1_000 }, () => (draw.seeded.chance(10) ? 1e6 : 20 + 2 * draw.bell()));
    const state = of(values);
    const middle = median(values);
    near(state.median, middle, 0.05, seed);
    near(state.spread, median(values.map((value) => Math.abs(value - middle))), 0.6, seed);
  }
});

test("a constant leaves a spread that can grow again", () => {
  const state = of(new Array<number>(1_000).fill(5));
  assert.ok(state.spread > 0);
  assert.ok(of([...new Array<number>(1_000).fill(5), ...new Array<number>(200).fill(50)]).median > 40);
});

test("one sigma above the median is z = 1", () => near(robustZ(10, 2, 10 + 2 * 1.4826), 1, 1e-12, 0));
