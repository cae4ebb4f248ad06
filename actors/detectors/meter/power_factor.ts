import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import type { MeterHot } from "../../meter_state.ts";
import { limitsOf } from "../../rules.ts";
import { alphaOf, FAST_MS } from "../../statistics/ewma.ts";
import { rounded } from "../rounded.ts";

/** `meter.bad_power_factor`: one that no load has. */
export function judgeFactor({ atMs, powerFactor }: ReadingMeasured, out: Out<GridMessage>): void {
  if (powerFactor === null || powerFactor > 0) return;
  const { limitFactor } = limitsOf(out, "meter.bad_power_factor");
  if (powerFactor <= limitFactor) out.observe("meter.bad_power_factor", { holds: true, atMs, value: powerFactor, limit: limitFactor });
}

/** `meter.low_power_factor`: the mean of a day; that of the voltage is learnt beside it. `elapsedMs`: since the last reading. */
export function judgeLowFactor(
  hot: MeterHot,
  { atMs, voltageV, powerFactor }: ReadingMeasured,
  elapsedMs: number,
  out: Out<GridMessage>,
): void {
  const alpha = alphaOf(elapsedMs, FAST_MS);
  if (voltageV !== null) hot.voltageMean = towards(hot.voltageMean, voltageV, alpha);
  if (powerFactor === null || powerFactor <= 0) return;
  const mean = towards(hot.factorMean, powerFactor, alpha);
  hot.factorMean = mean;
  const { limitFactor, clearFactor, samplesMin } = limitsOf(out, "meter.low_power_factor");
  const holds = mean < limitFactor && hot.samples >= samplesMin;
  if (!holds && !out.hasEpisode("meter.low_power_factor")) return;
  out.observe("meter.low_power_factor", {
    holds,
    atMs,
    value: rounded(mean, 3),
    limit: limitFactor,
    clear: clearFactor,
    evidence: { n: hot.samples },
  });
}

function towards(mean: number | null, value: number, alpha: number): number {
  return mean === null ? value : mean + alpha * (value - mean);
}
