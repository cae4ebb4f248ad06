import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";

/**
 * `transformer.ageing`: hours that ordinary paper aged in a day of the grid. `coverage`: share of the day that samples cover. `atMs`: its end.
 * Returns whether that is enough to judge it.
 */
export function judgeAgeing(agedHours: number, coverage: number, atMs: number, out: Out<GridMessage>): boolean {
  const { limitHours, clearHours, coverageShare } = limitsOf(out, "transformer.ageing");
  const isCovered = coverage >= coverageShare;
  out.observe("transformer.ageing", {
    holds: isCovered ? agedHours > limitHours : null,
    atMs,
    value: rounded(agedHours, 2),
    limit: limitHours,
    clear: clearHours,
    ...(isCovered ? {} : { reason: "coverage" }),
    evidence: { coverage: rounded(coverage, 3) },
  });
  return isCovered;
}
