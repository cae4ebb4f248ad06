import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { MeteredDay } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** The balance's way. */
export interface Arrears {
  readonly balancePaise: number;
  /** How often it has risen in a row. */
  readonly rises: number;
}

/** Takes in a balance. */
export function arrearsAfter(before: Arrears | null, balancePaise: number): Arrears {
  if (before === null) return { balancePaise, rises: 0 };
  if (balancePaise === before.balancePaise) return before;
  return { balancePaise, rises: balancePaise > before.balancePaise ? before.rises + 1 : 0 };
}

const WEEK = 7;

/** `customer.arrears_drop`: a balance that has risen again and again, and a week's use far below that of the weeks before. Returns whether that is so. */
export function judgeArrears(arrears: Arrears | null, metered: readonly MeteredDay[], atMs: number, out: Out<GridMessage>): boolean {
  const { limitRatio, risesMin, daysMin } = limitsOf(out, "customer.arrears_drop");
  if (arrears === null || metered.length < daysMin) return false;
  const week = meanKwh(metered.slice(-WEEK));
  const before = meanKwh(metered.slice(0, -WEEK));
  if (before <= 0) return false;
  const ratio = week / before;
  const holds = arrears.rises >= risesMin && ratio < limitRatio;
  out.observe("customer.arrears_drop", {
    holds,
    atMs,
    value: rounded(ratio, 3),
    limit: limitRatio,
    evidence: { rises: arrears.rises, balance_paise: arrears.balancePaise, n: metered.length },
  });
  return holds;
}

function meanKwh(days: readonly MeteredDay[]): number {
  return days.length === 0 ? 0 : days.reduce((sum, { kwh }) => sum + kwh, 0) / days.length;
}
