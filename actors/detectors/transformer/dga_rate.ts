import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { type Slope, steepness } from "../../statistics/slope.ts";
import { rounded } from "../rounded.ts";

/** `transformer.dga_rate`: how fast dissolved gas grows, by the means of days. Too few days, or too unsure: nothing is said. `atMs`: the last one's end. */
export function judgeGasRate(line: Slope, spanDays: number, atMs: number, out: Out<GridMessage>): void {
  const limits = limitsOf(out, "transformer.dga_rate");
  const rise = steepness(line);
  if (rise === null || line.n < limits.pointsMin || spanDays < limits.spanMinDays) {
    out.observe("transformer.dga_rate", { holds: null, atMs, value: null, reason: "cold" });
    return;
  }
  out.observe("transformer.dga_rate", {
    holds: rise.perX > limits.limitPpmPerDay && rise.errors > limits.slopeErrors,
    atMs,
    value: rounded(rise.perX, 3),
    limit: limits.limitPpmPerDay,
    clear: limits.clearPpmPerDay,
    ...(rise.perX > limits.majorPpmPerDay ? { severity: "major" as const } : {}),
    evidence: { n: line.n, span_days: spanDays, standard_errors: Number.isFinite(rise.errors) ? rounded(rise.errors, 2) : null },
  });
}

/** A drop from one day to the next by more than this share is a treatment of the oil. */
export function treatedShareOf(out: Out<GridMessage>): number {
  return limitsOf(out, "transformer.dga_rate").treatedShare;
}
