import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import { type EndedDay, NO_DIGITS } from "./day_book.ts";

const DIGITS = 10;
/** More of one digit than that is the resolution of the device, which tells nothing. */
const COARSE_SHARE = 0.9;

/**
 * `meter.last_digit`, for a day: the last digits of its hours in Wh. Use has no favourite among them; numbers that somebody makes up do. Digits are counted until
 * there are enough, then judged and counted anew. Returns the counts.
 */
export function judgeDigits(before: readonly number[], { day, wh, oddHours }: EndedDay, out: Out<GridMessage>): readonly number[] {
  const counts = [...before];
  wh.forEach((value, hour) => {
    if (value !== null && value > 0 && ((oddHours >>> hour) & 1) === 0) counts[value % DIGITS] = (counts[value % DIGITS] ?? 0) + 1;
  });
  const n = counts.reduce((sum, count) => sum + count, 0);
  const { hoursMin, limitChi, clearChi } = limitsOf(out, "meter.last_digit");
  if (n < hoursMin) return counts;
  const most = Math.max(...counts);
  if (most < COARSE_SHARE * n) {
    const chi = chiSquare(counts, n);
    out.observe("meter.last_digit", {
      holds: chi > limitChi ? true : chi < clearChi ? false : null,
      atMs: gridDayStartMs(day + 1),
      value: rounded(chi, 2),
      limit: limitChi,
      clear: clearChi,
      ...(chi > limitChi || chi < clearChi ? {} : { reason: "window_open" }),
      evidence: { counts: counts.join(" "), hours: n },
    });
  }
  return NO_DIGITS;
}

/** How far counts lie from all being equal: chi square with nine degrees of freedom. */
export function chiSquare(counts: readonly number[], n: number): number {
  const expected = n / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}
