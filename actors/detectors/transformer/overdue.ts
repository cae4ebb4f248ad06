import type { Out } from "../../../engine/behaviour.ts";
import type { Severity } from "../../../engine/emission.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";

/** What a maintenance log says of the time: days counted from 1970 in the grid zone. */
export interface Order {
  readonly reportedDay: number;
  /** Null: it is open. */
  readonly completedDay: number | null;
  /** The next inspection, or null. */
  readonly nextDay: number | null;
  readonly followUp: boolean;
  readonly isCritical: boolean;
}

/** The name of the timer that looks again. */
export const OVERDUE_TIMER = "overdue";

/**
 * `transformer.overdue`: an inspection or follow-up that has not been done, or a critical order that is open. Looks again, by a timer of the
 * maintenance feed's clock, on the next day on which the answer may change.
 */
export function judgeOverdue(orders: readonly Order[], atMs: number, out: Out<GridMessage>): void {
  const limits = limitsOf(out, "transformer.overdue");
  const today = gridDayOf(atMs);
  const dueDay = dueDayOf(orders, limits);
  const criticalDay = openCriticalDay(orders);
  const overdueDays = dueDay === null ? 0 : today - dueDay;
  const openDays = criticalDay === null ? 0 : today - criticalDay;
  const isCritical = criticalDay !== null && openDays >= limits.criticalOrderDays;
  const severity: Severity = isCritical ? "critical" : overdueDays >= limits.majorDays ? "major" : "warning";
  out.observe("transformer.overdue", {
    holds: isCritical || overdueDays >= limits.limitDays,
    atMs,
    value: isCritical ? openDays : Math.max(0, overdueDays),
    limit: isCritical ? limits.criticalOrderDays : limits.limitDays,
    severity,
    evidence: { due_day: dueDay, critical_order_since_day: criticalDay, today_day: today },
  });
  out.wakeAt(OVERDUE_TIMER, nextLook(today, dueDay, criticalDay, limits));
}

/** When the latest work that is done says that somebody must come again; null: it does not say. */
function dueDayOf(orders: readonly Order[], { followUpDays }: LimitsOf<"transformer.overdue">): number | null {
  let latest: (Order & { readonly completedDay: number }) | null = null;
  for (const order of orders) {
    const { completedDay } = order;
    if (completedDay !== null && (latest === null || completedDay >= latest.completedDay)) latest = { ...order, completedDay };
  }
  if (latest === null) return null;
  return latest.nextDay ?? (latest.followUp ? latest.completedDay + followUpDays : null);
}

/** Since when a critical order has been open, the oldest; null: none is. */
function openCriticalDay(orders: readonly Order[]): number | null {
  const open = orders.filter(({ completedDay, isCritical }) => isCritical && completedDay === null);
  return open.length === 0 ? null : Math.min(...open.map(({ reportedDay }) => reportedDay));
}

function nextLook(
  today: number,
  dueDay: number | null,
  criticalDay: number | null,
  { limitDays, majorDays, criticalOrderDays }: LimitsOf<"transformer.overdue">,
): number | null {
  const ofDue = dueDay === null ? [] : [dueDay + limitDays, dueDay + majorDays];
  const ofCritical = criticalDay === null ? [] : [criticalDay + criticalOrderDays];
  const ahead = [...ofDue, ...ofCritical].filter((day) => day > today);
  return ahead.length === 0 ? null : gridDayStartMs(Math.min(...ahead));
}
