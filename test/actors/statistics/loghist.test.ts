import * as assert from "uvu/assert";
import { countIn, halve, logHistogram, mergedHistogram, quantileOf, totalOf } from "../../../actors/statistics/loghist.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("loghist");
const FROM = 0.01;

function of(values: readonly number[]): number[] {
  const bins = logHistogram();
  for (const value of values) countIn(bins, value, FROM);
  return bins;
}

test("a quantile is within 10 % of that of all values sorted", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const values = Array.from({ length: 1 + draw.seeded.below(500) }, () => FROM * Math.exp(draw.between(0, 11)));
    const sorted = [...values].sort((a, b) => a - b);
    for (const quantile of [0.1, 0.5, 0.9, 0.99]) {
      const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? Number.NaN;
      near((quantileOf(of(values), quantile, FROM) ?? Number.NaN) / exact, 1, 0.1, seed);
    }
  }
});

test("nothing has no quantile; zero and less count in the first bin, what is too large in the last", () => {
  assert.is(quantileOf(logHistogram(), 0.5, FROM), null);
  const bins = of([0, -5, 1e12]);
  assert.is(bins[0], 2);
  assert.is(bins[63], 1);
});

test("merged counts are the counts of all, and halving keeps the quantiles", () => {
  const draw = samples(3);
  const values = Array.from({ length: 400 }, () => draw.between(0.1, 90));
  const merged = mergedHistogram(of(values.slice(0, 100)), of(values.slice(100)));
  assert.equal(merged, of(values));
  const before = quantileOf(merged, 0.5, FROM);
  halve(merged);
  near(quantileOf(merged, 0.5, FROM) ?? 0, before ?? Number.NaN, 0.25, 3);
});

test("a bin that is full halves them all", () => {
  const bins = logHistogram();
  for (let n = 0; n < 65_534; n += 1) countIn(bins, 1, FROM);
  countIn(bins, 50, FROM);
  countIn(bins, 50, FROM);
  assert.is(totalOf(bins), 65_536);
  countIn(bins, 1, FROM);
  assert.is(totalOf(bins), 32_768);
});
