import type { Out } from "../../../engine/behaviour.ts";
import { gridDayOf } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";

/** A repair of a failure, or a trip of the breaker: the day, counted from 1970 in the grid zone. */
export type FailureDay = number;

/** `transformer.repeated_failures`: failures, each with a weight that falls off within a year. `days`: of all that are known, in any order. */
export function judgeFailures(days: readonly FailureDay[], atMs: number, out: Out<GridMessage>): void {
  const { limitCount, clearCount, forgetDays } = limitsOf(out, "transformer.repeated_failures");
  const today = gridDayOf(atMs);
  const count = failureWeight(days, today, forgetDays);
  out.observe("transformer.repeated_failures", {
    holds: count >= limitCount,
    atMs,
    value: rounded(count, 3),
    limit: limitCount,
    clear: clearCount,
    evidence: { failures: days.length, forget_days: forgetDays },
  });
}

/** Sum of e^(-age/forgetDays), in order of the days: floating sums depend on it. What lies ahead counts in full. */
export function failureWeight(days: readonly FailureDay[], today: number, forgetDays: number): number {
  return [...days].sort((a, b) => a - b).reduce((sum, day) => sum + Math.exp(-Math.max(0, today - day) / forgetDays), 0);
}
