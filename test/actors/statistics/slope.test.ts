import * as assert from "uvu/assert";
import { addPoint, slope, steepness } from "../../../actors/statistics/slope.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("slope");

/** The weighted line by sums over all points. */
function slow(points: readonly (readonly [x: number, y: number])[], keep: number): { perX: number; errors: number } {
  const weights = points.map((_, n) => keep ** (points.length - 1 - n));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const mean = (pick: 0 | 1): number => points.reduce((sum, point, n) => sum + (weights[n] ?? 0) * point[pick], 0) / total;
  const [meanX, meanY] = [mean(0), mean(1)];
  const product = (of: (x: number, y: number) => number): number =>
    points.reduce((sum, [x, y], n) => sum + (weights[n] ?? 0) * of(x - meanX, y - meanY), 0);
  const [xx, xy, yy] = [product((x) => x * x), product((x, y) => x * y), product((_, y) => y * y)];
  return { perX: xy / xx, errors: xy / xx / Math.sqrt((yy - (xy / xx) * xy) / (total - 2) / xx) };
}

test("steepness and its error are those of sums over all points, far from zero, too", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const keep = draw.seeded.pick([1, 0.97, 0.9]);
    const points = Array.from(
      { length: 8 + draw.seeded.below(60) },
      (_, n) => [20_000 + n + draw.between(0, 0.5), 300 + 2 * n + 40 * draw.bell()] as const,
    );
    const state = slope();
    for (const [x, y] of points) addPoint(state, x, y, keep);
    const found = steepness(state);
    near(found?.perX ?? Number.NaN, slow(points, keep).perX, 1e-6, seed);
    near(found?.errors ?? Number.NaN, slow(points, keep).errors, 1e-6, seed);
  }
});

test("points on a line are beyond doubt; two points, or points at one place, are no line", () => {
  const state = slope();
  addPoint(state, 0, 1, 1);
  addPoint(state, 1, 3, 1);
  assert.is(steepness(state), null);
  addPoint(state, 2, 5, 1);
  assert.equal(steepness(state), { perX: 2, errors: Number.POSITIVE_INFINITY });
  const upright = slope();
  for (const y of [1, 2, 3]) addPoint(upright, 5, y, 1);
  assert.is(steepness(upright), null);
});
