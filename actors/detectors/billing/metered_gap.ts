import type { Out } from "../../../engine/behaviour.ts";
import { dayOf } from "../../../engine/instant.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { BillStanding, MeteredDay } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** `billing.metered_gap`: a bill's units against the days that the meter has told of. Too few of them: indeterminate, never a clean bill. Returns whether they differ. */
export function judgeMetered(stands: BillStanding, metered: readonly MeteredDay[], out: Out<GridMessage>): boolean {
  const { periodStart, periodEnd, unitsWh } = stands;
  if (periodStart === null || periodEnd === null || unitsWh === null) return false;
  const [from, to] = [dayOf(periodStart), dayOf(periodEnd)];
  const atMs = gridDayStartMs(to + 1);
  const { limitShare, limitKwh, coverageShare } = limitsOf(out, "billing.metered_gap");
  const inside = metered.filter(({ day }) => day >= from && day <= to);
  const coverage = inside.reduce((sum, day) => sum + day.coverage, 0) / (to - from + 1);
  if (coverage < coverageShare) {
    out.observe("billing.metered_gap", { holds: null, atMs, value: null, reason: "coverage" });
    return false;
  }
  const meteredKwh = inside.reduce((sum, { kwh }) => sum + kwh, 0) / coverage;
  const gapKwh = unitsWh / 1_000 - meteredKwh;
  const holds = Math.abs(gapKwh) > limitKwh && Math.abs(gapKwh) > limitShare * meteredKwh;
  out.observe("billing.metered_gap", {
    holds,
    atMs,
    value: rounded(gapKwh, 3),
    limit: limitKwh,
    evidence: { billed_kwh: unitsWh / 1_000, metered_kwh: rounded(meteredKwh, 3), coverage: rounded(coverage, 3), bill_id: stands.billId },
  });
  return holds;
}
