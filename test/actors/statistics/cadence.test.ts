import * as assert from "uvu/assert";
import { silentAfterMs } from "../../../actors/statistics/cadence.ts";
import { type Robust, robust } from "../../../actors/statistics/robust.ts";
import { minutes } from "../../../engine/duration.ts";
import { samples } from "../../kit/samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("cadence");

function learnt(gapsMs: readonly number[]): number {
  let state: Robust | null = null;
  for (const gap of gapsMs) state = robust(state, Math.log(gap));
  return silentAfterMs(state?.median ?? 0, state?.spread ?? 0);
}

test("a steady actor is silent after three gaps", () => {
  const limitMs = learnt(new Array<number>(500).fill(minutes(15)));
  assert.ok(limitMs >= minutes(45) - 1 && limitMs < minutes(50), String(limitMs));
});

test("an unsteady one has more time: next to none of its own gaps is too long", () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const draw = samples(seed);
    const gaps = Array.from({ length: 2_000 }, () => minutes(15) * Math.exp(0.5 * draw.bell()));
    const limitMs = learnt(gaps);
    assert.ok(limitMs > minutes(60), `seed ${seed}`);
    assert.ok(gaps.filter((gap) => gap > limitMs).length <= 2, `seed ${seed}`);
  }
});
