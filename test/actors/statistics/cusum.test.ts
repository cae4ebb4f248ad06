import * as assert from "uvu/assert";
import { cusumDown, cusumUp } from "../../../actors/statistics/cusum.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("cusum");
const SETTING = { slack: 1.5, limit: 10 };

test("the sum is the largest excess of any run up to now", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const zs = Array.from({ length: 60 }, () => 2 * draw.bell());
    let sum = 0;
    let excess = 0;
    for (let end = 1; end <= zs.length; end += 1) {
      sum = cusumUp(sum, zs[end - 1] ?? 0, { slack: 1.5, limit: 1e9 });
      excess = Math.max(...Array.from({ length: end + 1 }, (_, begin) => zs.slice(begin, end).reduce((total, z) => total + z - 1.5, 0)));
      near(sum, excess, 1e-9, seed);
    }
  }
});

test("it stops at twice the limit, and downward is upward of the opposite", () => {
  assert.is(cusumUp(15, 100, SETTING), 20);
  assert.is(cusumDown(3, -4, SETTING), cusumUp(3, 4, SETTING));
  assert.is(cusumDown(0, 5), 0);
});
