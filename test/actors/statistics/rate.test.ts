import * as assert from "uvu/assert";
import { countRate, rate, rateOf } from "../../../actors/statistics/rate.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("rate");

test("a rate is the share of yes with weights that fall off, drawn to its prior", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const answers = Array.from({ length: draw.seeded.below(50) }, () => draw.seeded.chance(30));
    const state = rate();
    for (const answer of answers) countRate(state, answer, 0.9);
    const weight = (answer: boolean, n: number): number => (answer ? 0.9 ** (answers.length - 1 - n) : 0);
    const yes = answers.reduce((sum, answer, n) => sum + weight(answer, n), 0);
    const all = answers.reduce((sum, _, n) => sum + weight(true, n), 0);
    near(rateOf(state, 0.05, 10), (yes + 0.5) / (all + 10), 1e-12, seed);
  }
});

test("without answers the rate is its prior", () => assert.is(rateOf(rate(), 0.25, 4), 0.25));
