import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs, isWeekendDay } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { profileZ, seenOf } from "../../statistics/profile.ts";
import type { DayBook, EndedDay } from "./day_book.ts";
import { bitsSet } from "./recent.ts";

/** `meter.off_profile`: hours of the last two days that are unlike those of other days, up or down. Returns the hours of the last two days, a bit each. */
export function judgeProfile({ profile, odd }: DayBook, { day, wh }: EndedDay, out: Out<GridMessage>): DayBook["odd"] {
  const { sigmas, limitHours, clearHours, seenMin } = limitsOf(out, "meter.off_profile");
  const isWeekend = isWeekendDay(day);
  let bits = 0;
  wh.forEach((value, hour) => {
    if (value === null || seenOf(profile, hour) < seenMin) return;
    if (Math.abs(profileZ(profile, hour, isWeekend, value / 1_000)) > sigmas) bits |= 1 << hour;
  });
  const count = bitsSet(bits) + bitsSet(odd[0]);
  out.observe("meter.off_profile", {
    holds: count >= limitHours ? true : count <= clearHours ? false : null,
    atMs: gridDayStartMs(day + 1),
    value: count,
    limit: limitHours,
    evidence: { hours_today: bits, hours_before: odd[0] },
  });
  return [bits, odd[0]];
}
