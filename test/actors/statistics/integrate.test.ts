import * as assert from "uvu/assert";
import { addPower, powerMeter } from "../../../actors/statistics/integrate.ts";
import { hours, minutes } from "../../../engine/duration.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("integrate");

/** Energy of hours 0, 1, … from samples at minutes. */
function of(readings: readonly (readonly [minute: number, powerMw: number])[]): readonly (readonly [number, number | null])[] {
  const state = powerMeter();
  const seen: [number, number | null][] = [];
  const done = (hour: number, kwh: number | null) => seen.push([hour, kwh]);
  for (const [minute, mw] of readings) {
    addPower(
      state,
      minutes(minute),
      mw,
      (atMs) => Math.floor(atMs / hours(1)),
      (hour) => hours(hour + 1),
      done,
    );
  }
  return seen;
}

const every = (step: number, until: number, mw: (minute: number) => number = () => 1): readonly (readonly [number, number])[] =>
  Array.from({ length: until / step + 1 }, (_, n) => [n * step, mw(n * step)] as const);

test("a megawatt for an hour is a thousand kilowatt hours, whether or not a sample falls on the hour", () => {
  assert.equal(of(every(15, 120)), [
    [0, 1_000],
    [1, 1_000],
  ]);
  const shifted = every(15, 120).map(([minute, mw]) => [minute + 4, mw] as const);
  assert.equal(of([[0, 1], ...shifted]), [
    [0, 1_000],
    [1, 1_000],
  ]);
});

test("the energy of each hour is that of a fine sum over straight lines", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const readings: [number, number][] = [[0, draw.between(0, 90)]];
    for (let minute = draw.between(1, 9); minute < 190; minute += draw.between(1, 19)) readings.push([minute, draw.between(0, 90)]);
    const powerAt = (minute: number): number => {
      const next = Math.max(
        1,
        readings.findIndex(([at]) => at >= minute),
      );
      const [[fromAt, from], [toAt, to]] = [readings[next - 1] as [number, number], readings[next] as [number, number]];
      return from + ((to - from) * (minute - fromAt)) / (toAt - fromAt);
    };
    for (const [hour, kwh] of of(readings)) {
      const steps = 20_000;
      let mean = 0;
      for (let n = 0; n < steps; n += 1) mean += powerAt(60 * hour + (60 * (n + 0.5)) / steps) / steps;
      near(kwh ?? Number.NaN, 1_000 * mean, 1e-3, seed);
    }
  }
});

test("an hour with a gap of more than twenty minutes is not known, one that lacks six is", () => {
  const without = (from: number, to: number) => every(5, 180).filter(([minute]) => minute <= from || minute >= to);
  assert.equal(
    of(without(70, 90)).map(([, kwh]) => kwh),
    [1_000, 1_000, 1_000],
  );
  assert.equal(
    of(without(70, 95)).map(([, kwh]) => kwh),
    [1_000, null, 1_000],
  );
  assert.equal(
    of(without(70, 130)).map(([hour, kwh]) => [hour, kwh]),
    [
      [0, 1_000],
      [1, null],
      [2, null],
    ],
  );
});

test("samples that come every half hour, or every hour, are as good, once that is their pace", () => {
  assert.equal(
    of(every(30, 300))
      .slice(1)
      .map(([, kwh]) => kwh),
    [1_000, 1_000, 1_000, 1_000],
  );
  assert.equal(
    of(every(60, 300))
      .slice(2)
      .map(([, kwh]) => kwh),
    [1_000, 1_000, 1_000],
  );
  assert.equal(
    of(every(180, 900)).some(([, kwh]) => kwh !== null),
    false,
  );
});

test("a sample out of order is left out", () => {
  const all = every(15, 60);
  assert.equal(of([...all.slice(0, 3), [20, 500], ...all.slice(3)]), of(all));
});
