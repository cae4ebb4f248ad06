import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { likeness, priorShape } from "../../statistics/prior.ts";
import { rounded } from "../rounded.ts";

/** The tariff whose days a cheaper one is misused for. */
const DEARER = "COMMERCIAL";

/** `customer.tariff_misuse`, once a week: the hours of a usual day are those of a business, not of the tariff. `hoursKwh`: what is typical in each hour. */
export function judgeTariff(hoursKwh: readonly number[], tariff: string | null, atMs: number, out: Out<GridMessage>): void {
  const [own, dearer] = [priorShape(tariff), priorShape(DEARER)];
  if (own === null || dearer === null || tariff === DEARER) return;
  const { limitOwn, limitDearer, clearOwn } = limitsOf(out, "customer.tariff_misuse");
  const [toOwn, toDearer] = [likeness(hoursKwh, own), likeness(hoursKwh, dearer)];
  const holds = toOwn < limitOwn && toDearer > limitDearer;
  const isOver = toOwn > clearOwn;
  out.observe("customer.tariff_misuse", {
    holds: holds ? true : isOver ? false : null,
    atMs,
    value: rounded(toOwn, 3),
    limit: limitOwn,
    clear: clearOwn,
    ...(holds || isOver ? {} : { reason: "window_open" }),
    evidence: { tariff, like_commercial: rounded(toDearer, 3), hours_kwh: hoursKwh.map((kwh) => rounded(kwh, 2)).join(" ") },
  });
}
