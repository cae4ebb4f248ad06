import * as assert from "uvu/assert";
import { addPower, energyKwh, hourEnergy } from "../../../actors/statistics/integrate.ts";
import { hours, minutes } from "../../../engine/duration.ts";
import { near, samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("integrate");

function of(readings: readonly (readonly [minute: number, powerMw: number])[]): number | null {
  const [[first, power]] = readings as [readonly [number, number]];
  const state = hourEnergy(0, minutes(first), power);
  for (const [minute, mw] of readings.slice(1)) addPower(state, minutes(minute), mw);
  return energyKwh(state);
}

test("a megawatt for an hour is a thousand kilowatt hours", () => {
  assert.is(of([0, 15, 30, 45, 60].map((minute) => [minute, 1])), 1_000);
});

test("the energy is that of a fine sum over straight lines", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const draw = samples(seed);
    const readings: [number, number][] = [];
    for (let minute = draw.between(0, 2); minute < 60; minute += draw.between(1, 4)) readings.push([minute, draw.between(0, 90)]);
    const [first, last] = [readings[0]?.[0] ?? 0, readings.at(-1)?.[0] ?? 0];
    const powerAt = (minute: number): number => {
      const next = Math.max(
        1,
        readings.findIndex(([at]) => at >= minute),
      );
      const [[fromAt, from], [toAt, to]] = [readings[next - 1] as [number, number], readings[next] as [number, number]];
      return from + ((to - from) * (minute - fromAt)) / (toAt - fromAt);
    };
    const steps = 20_000;
    let mean = 0;
    for (let n = 0; n < steps; n += 1) mean += powerAt(first + ((last - first) * (n + 0.5)) / steps) / steps;
    near(of(readings) ?? Number.NaN, 1_000 * mean, 1e-3, seed);
  }
});

test("an hour that is not covered has no energy that is known", () => {
  assert.is(
    of([
      [0, 1],
      [15, 1],
      [30, 1],
      [45, 1],
      [53, 1],
    ]),
    null,
  ); // 53 minutes.
  assert.is(
    of([
      [0, 1],
      [15, 1],
      [36, 1],
      [45, 1],
      [60, 1],
    ]),
    null,
  ); // A gap of 21 minutes.
  assert.is.not(
    of([
      [0, 1],
      [15, 1],
      [35, 1],
      [45, 1],
      [54, 1],
    ]),
    null,
  );
});

test("a sample out of order is left out", () => {
  const state = hourEnergy(0, 0, 1);
  addPower(state, hours(1), 1);
  addPower(state, minutes(30), 50);
  assert.is(state.area, hours(1));
});
