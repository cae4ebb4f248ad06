import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { HOURS_OF_DAY, seenOf, typicalKwh } from "../../statistics/profile.ts";
import type { Link, MeteredDay } from "../../tells.ts";
import { afterDay, type DayBook, dailyKwh, type EndedDay, ratioOf } from "./day_book.ts";
import { judgeDigits } from "./last_digit.ts";
import { judgeProfile } from "./off_profile.ts";
import { judgeDemand } from "./sanctioned_load.ts";
import { ASKS_BELOW, judgeDrop } from "./sustained_drop.ts";

const WEEK = 7;
const SEEN_OFTEN = 14;
/** More than this in a day on an account that is not active is told at once, on the second day. */
const INACTIVE_KWH = 1;

/** A day of a meter is over: what is unlike it, what is learnt of it, what its customer is told. `link`: in force on it, or null. */
export function endDay(before: DayBook, ended: EndedDay, link: Link | null, out: Out<GridMessage>): DayBook {
  const odd = judgeProfile(before, ended, out);
  const digits = judgeDigits(before.digits, ended, out);
  judgeDemand(ended, link?.sanctionedLoadKw ?? null, out);
  const learnt = afterDay(before, ended);
  const ratio = ratioOf(learnt);
  if (ratio !== null && ratio >= ASKS_BELOW) judgeDrop(learnt, ended.day, null, out); // Below, the neighbours are asked first.
  return { ...learnt, odd, digits, untold: tellTotals(learnt, ended, link, out) };
}

/** Totals are told once a week; at once where a second day shows use on an account that is not active. Returns what is still to be told. */
function tellTotals({ untold, profile }: DayBook, ended: EndedDay, link: Link | null, out: Out<GridMessage>): readonly number[] {
  const kwh = dailyKwh(ended);
  const hours = ended.wh.filter((value) => value !== null).length;
  const all = [...untold, ended.day, Math.round(1_000 * (kwh ?? 0)) / 1_000, kwh === null ? 0 : hours];
  if (link === null) return all.slice(-3 * WEEK);
  const days = daysOf(all);
  const isInactive = link.accountStatus !== null && link.accountStatus !== "ACTIVE";
  const used = days.filter((day) => day.kwh > INACTIVE_KWH).length;
  if (days.length < WEEK && !(isInactive && used >= 2)) return all;
  const hoursKwh = days.length < WEEK ? null : typicalHours(profile);
  out.tell(link.customer, { type: "meter_total", meter: out.self, atMs: gridDayStartMs(ended.day + 1), days, hoursKwh });
  return [];
}

/** What is typical in each hour of a working day, kWh; null while an hour has been seen too seldom. */
function typicalHours(profile: DayBook["profile"]): readonly number[] | null {
  if (HOURS_OF_DAY.some((hour) => seenOf(profile, hour) < SEEN_OFTEN)) return null;
  return HOURS_OF_DAY.map((hour) => Math.round(1_000 * typicalKwh(profile, hour, false)) / 1_000);
}

function daysOf(flat: readonly number[]): readonly MeteredDay[] {
  return Array.from({ length: flat.length / 3 }, (_, n) => ({
    day: flat[3 * n] ?? 0,
    kwh: flat[3 * n + 1] ?? 0,
    coverage: (flat[3 * n + 2] ?? 0) / 24,
  }));
}
