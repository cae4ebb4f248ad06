import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import type { EndedDay } from "./day_book.ts";

/** With fewer hours a reading may stand for any span of time. */
const HOURS_MIN = 5;

/** `meter.sanctioned_load`: the highest hourly demand of a day against what the connection is sanctioned for. Unusual hours are no demand. */
export function judgeDemand({ day, wh, oddHours }: EndedDay, sanctionedLoadKw: number | null, out: Out<GridMessage>): void {
  if (sanctionedLoadKw === null || sanctionedLoadKw <= 0) return;
  const known = wh.filter((value, hour) => value !== null && ((oddHours >>> hour) & 1) === 0) as readonly number[];
  if (known.length < HOURS_MIN) return;
  const demandKw = Math.max(...known) / 1_000;
  const { limitPercent, warningPercent } = limitsOf(out, "meter.sanctioned_load");
  const percent = (100 * demandKw) / sanctionedLoadKw;
  out.observe("meter.sanctioned_load", {
    holds: percent > limitPercent,
    atMs: gridDayStartMs(day + 1),
    value: rounded(percent, 1),
    limit: limitPercent,
    ...(percent > warningPercent ? { severity: "warning" as const } : {}),
    evidence: { demand_kw: rounded(demandKw, 3), sanctioned_kw: sanctionedLoadKw },
  });
}
