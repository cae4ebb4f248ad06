import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { countIn, type LogHistogram, logHistogram, quantileOf, totalOf } from "../../statistics/loghist.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** How steeply power changes, MW per hour. Changed in place. */
export interface Ramps {
  lastAtMs: number | null;
  lastMw: number;
  readonly steps: LogHistogram;
}

const FROM_MW_PER_HOUR = 0.001;

export function ramps(): Ramps {
  return { lastAtMs: null, lastMw: 0, steps: logHistogram() };
}

/** `plant.ramp`: a change far steeper than those that the plant has shown. */
export function judgeRamp(state: Ramps, { atMs, productionMw }: Production, out: Out<GridMessage>): void {
  const before = state.lastAtMs;
  const elapsedMs = before === null ? 0 : atMs - before;
  const perHour = elapsedMs <= 0 ? null : Math.abs(productionMw - state.lastMw) / (elapsedMs / hours(1));
  Object.assign(state, { lastAtMs: atMs, lastMw: productionMw });
  if (perHour === null) return;
  const { factor, quantile, samplesMin } = limitsOf(out, "plant.ramp");
  const n = totalOf(state.steps);
  const steep = n < samplesMin ? null : quantileOf(state.steps, quantile, FROM_MW_PER_HOUR);
  countIn(state.steps, perHour, FROM_MW_PER_HOUR);
  if (steep === null || perHour <= factor * steep) return;
  out.observe("plant.ramp", {
    holds: true,
    atMs,
    value: rounded(perHour, 3),
    limit: rounded(factor * steep, 3),
    evidence: { expected: rounded(steep, 3), n },
  });
}
