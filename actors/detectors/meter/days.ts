import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import type { Link, MeteredDay } from "../../tells.ts";
import { afterDay, type DayBook, dailyKwh, type EndedDay, ratioOf } from "./day_book.ts";
import { judgeProfile } from "./off_profile.ts";
import { judgeDemand } from "./sanctioned_load.ts";
import { ASKS_BELOW, judgeDrop } from "./sustained_drop.ts";

const WEEK = 7;
/** More than this in a day on an account that is not active is told at once, on the second day. */
const INACTIVE_KWH = 1;

/** A day of a meter is over: what is unlike it, what is learnt of it, what its customer is told. `link`: in force on it, or null. */
export function endDay(before: DayBook, ended: EndedDay, link: Link | null, out: Out<GridMessage>): DayBook {
  const odd = judgeProfile(before, ended, out);
  judgeDemand(ended, link?.sanctionedLoadKw ?? null, out);
  const learnt = afterDay(before, ended);
  const ratio = ratioOf(learnt);
  if (ratio !== null && ratio >= ASKS_BELOW) judgeDrop(learnt, ended.day, null, out); // Below, the neighbours are asked first.
  return { ...learnt, odd, untold: tellTotals(learnt.untold, ended, link, out) };
}

/** Totals are told once a week; at once where a second day shows use on an account that is not active. Returns what is still to be told. */
function tellTotals(untold: readonly number[], ended: EndedDay, link: Link | null, out: Out<GridMessage>): readonly number[] {
  const kwh = dailyKwh(ended);
  const hours = ended.wh.filter((value) => value !== null).length;
  const all = [...untold, ended.day, Math.round(1_000 * (kwh ?? 0)) / 1_000, kwh === null ? 0 : hours];
  if (link === null) return all.slice(-3 * WEEK);
  const days = daysOf(all);
  const isInactive = link.accountStatus !== null && link.accountStatus !== "ACTIVE";
  const used = days.filter((day) => day.kwh > INACTIVE_KWH).length;
  if (days.length < WEEK && !(isInactive && used >= 2)) return all;
  out.tell(link.customer, { type: "meter_total", meter: out.self, atMs: gridDayStartMs(ended.day + 1), days });
  return [];
}

function daysOf(flat: readonly number[]): readonly MeteredDay[] {
  return Array.from({ length: flat.length / 3 }, (_, n) => ({
    day: flat[3 * n] ?? 0,
    kwh: flat[3 * n + 1] ?? 0,
    coverage: (flat[3 * n + 2] ?? 0) / 24,
  }));
}
