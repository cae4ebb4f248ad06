import * as assert from "uvu/assert";
import { learnRls, predicted, rls } from "../../../actors/statistics/rls.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("rls");

/** Weighted least squares with a small ridge, by elimination: what recursion must come to. */
function solved(xs: readonly (readonly number[])[], ys: readonly number[], keep: number): number[] {
  const size = xs[0]?.length ?? 0;
  const rows = Array.from({ length: size }, (_, row) =>
    Array.from({ length: size + 1 }, (_, column) => (row === column ? 0.1 * keep ** xs.length : 0)),
  );
  xs.forEach((x, n) => {
    const weight = keep ** (xs.length - 1 - n);
    rows.forEach((line, row) => {
      for (let column = 0; column < size; column += 1) line[column] = (line[column] ?? 0) + weight * (x[row] ?? 0) * (x[column] ?? 0);
      line[size] = (line[size] ?? 0) + weight * (x[row] ?? 0) * (ys[n] ?? 0);
    });
  });
  for (let pivot = 0; pivot < size; pivot += 1) {
    const line = rows[pivot] ?? [];
    rows.forEach((other, row) => {
      if (row === pivot) return;
      const factor = (other[pivot] ?? 0) / (line[pivot] ?? 1);
      for (let column = pivot; column <= size; column += 1) other[column] = (other[column] ?? 0) - factor * (line[column] ?? 0);
    });
  }
  return rows.map((line, row) => (line[size] ?? 0) / (line[row] ?? 1));
}

test("the recursion comes to the solution of the weighted equations", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const draw = samples(seed);
    const state = rls(4);
    const xs: number[][] = [];
    const ys: number[] = [];
    for (let n = 0; n < 150; n += 1) {
      const x = [1, draw.bell(), draw.bell(), draw.bell()];
      const y = 3 + 2 * (x[1] ?? 0) - (x[3] ?? 0) + 0.1 * draw.bell();
      xs.push(x);
      ys.push(y);
      learnRls(state, x, y, 0.99);
    }
    for (const [n, weight] of solved(xs, ys, 0.99).entries()) near(state.w[n] ?? 0, weight, 1e-6, seed);
  }
});

test("inputs that move together do not let it explode, in years", () => {
  const draw = samples(1);
  const state = rls(3);
  for (let n = 0; n < 20_000; n += 1) {
    const x = draw.between(0.5, 1);
    learnRls(state, [1, x, x], 4 * x, 0.9995);
  }
  assert.ok(Math.max(...state.p) <= 300 + 1e-6, String(Math.max(...state.p)));
  near(predicted(state, [1, 0.7, 0.7]), 2.8, 1e-6, 1);
});

test("nothing is learnt from inputs near zero", () => {
  const state = rls(2);
  learnRls(state, [0, 0], 5, 0.9995);
  assert.equal(state, rls(2));
});
