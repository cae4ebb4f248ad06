import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { steepness } from "../../statistics/slope.ts";
import type { Gas } from "./gas.ts";
import { rounded } from "./rounded.ts";

/** `transformer.dga_rate`: how fast dissolved gas grows, over days. Too few days, or too unsure: nothing is said. */
export function judgeGasRate({ line, firstDay, day }: Gas, out: Out<GridMessage>): void {
  const limits = limitsOf(out, "transformer.dga_rate");
  const atMs = gridDayStartMs(day + 1);
  const rise = steepness(line);
  const spanDays = day - (firstDay ?? day);
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
