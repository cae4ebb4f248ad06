import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { MeteredDay } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** `customer.inactive_use`, for each day: energy on an account that was not active on it. `quietDays`: days in a row with next to none. Returns their new number. */
export function judgeInactive(quietDays: number, { day, kwh }: MeteredDay, accountStatus: string | null, out: Out<GridMessage>): number {
  if (accountStatus === null) return quietDays;
  const { limitKwh, clearKwh, clearDays } = limitsOf(out, "customer.inactive_use");
  const isActive = accountStatus === "ACTIVE";
  const quiet = kwh < clearKwh ? quietDays + 1 : 0;
  const holds = !isActive && kwh > limitKwh;
  const isOver = isActive || quiet >= clearDays;
  out.observe("customer.inactive_use", {
    holds: holds ? true : isOver ? false : null,
    atMs: gridDayStartMs(day + 1),
    value: rounded(kwh, 3),
    limit: limitKwh,
    ...(holds || isOver ? {} : { reason: "window_open" }),
    evidence: { account_status: accountStatus, quiet_days: quiet },
  });
  return quiet;
}
