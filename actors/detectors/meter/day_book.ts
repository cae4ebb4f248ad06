import { days as spanOfDays } from "../../../engine/duration.ts";
import { isWeekendDay } from "../../civil_day.ts";
import { type Drift, drift, drifted } from "../../statistics/ewma.ts";
import { HOURS_OF_DAY, learnProfile, type Profile, profile, seenOf, upperKwh } from "../../statistics/profile.ts";

/** No digit has been counted. */
export const NO_DIGITS: readonly number[] = Array.from({ length: 10 }, () => 0);

/** What a meter knows of whole days. Replaced as a whole when a day ends. */
export interface DayBook {
  readonly profile: Profile;
  /** Daily energy over a month, kWh; null: no day was covered. */
  readonly month: Drift | null;
  /** Mean of the latest days, kWh. */
  readonly lately: number;
  /** A bit for each hour of the last 48: unlike the profile. Two words, the newer day first. */
  readonly odd: readonly [number, number];
  /** Days that have not been told to the customer: day, kWh, hours with readings, in turn. */
  readonly untold: readonly number[];
  /** The transformer misses energy: the profile does not move down. */
  readonly holds: boolean;
  /** The signs that the customer has been told of. */
  readonly signs: number;
  /** How often each last digit has been counted. */
  readonly digits: readonly number[];
}

export function dayBook(): DayBook {
  return { profile: profile(), month: null, lately: 0, odd: [0, 0], untold: [], holds: false, signs: 0, digits: NO_DIGITS };
}

/** A day that is over: counted from 1970 in the grid zone, its hours in Wh, null where there was no reading. */
export interface EndedDay {
  readonly day: number;
  readonly wh: readonly (number | null)[];
  /** A bit for each hour that is not to be learnt. */
  readonly oddHours: number;
}

const HOURS_MIN = 20;
const SEEN_MIN = 3;
/** The latest days: a mean of about two. */
const LATELY = 0.5;

/** The profile's envelope before a day is learnt, whole Wh by hour of the day; null where an hour is not known. */
export function envelopeOf({ profile: known }: DayBook): readonly (number | null)[] {
  return HOURS_OF_DAY.map((hour) => (seenOf(known, hour) < SEEN_MIN ? null : Math.round(1_000 * upperKwh(known, hour))));
}

/** Energy of a day in kWh, hours without readings taken for the mean of the others; null if too few are known. */
export function dailyKwh({ wh }: EndedDay): number | null {
  const known = wh.filter((value) => value !== null);
  if (known.length < HOURS_MIN) return null;
  return (known.reduce((sum, value) => sum + value, 0) * (wh.length / known.length)) / 1_000;
}

/** The book after a day. An hour that was unusual is not learnt: a theft would become normal within weeks. */
export function afterDay(before: DayBook, ended: EndedDay): DayBook {
  const { day, wh, oddHours } = ended;
  const learnt: Profile = Uint8Array.from(before.profile); // A state's bytes are replaced, never changed.
  const isWeekend = isWeekendDay(day);
  wh.forEach((value, hour) => {
    if (value === null || ((oddHours >>> hour) & 1) === 1) return;
    learnProfile(learnt, hour, isWeekend, value / 1_000, before.holds);
  });
  const kwh = dailyKwh(ended);
  if (kwh === null) return { ...before, profile: learnt };
  return {
    ...before,
    profile: learnt,
    month: monthAfter(before.month, kwh),
    lately: before.month === null ? kwh : before.lately + LATELY * (kwh - before.lately),
  };
}

/** Share of the latest days in the month's mean; null while there is none. */
export function ratioOf({ month, lately }: DayBook): number | null {
  return month === null || month.mean <= 0 ? null : lately / month.mean;
}

/** Variation of the daily energy: deviation over mean; null while fewer than a week of days is known. */
export function variationOf({ month }: DayBook): number | null {
  return month === null || month.n < 7 || month.mean <= 0 ? null : Math.sqrt(month.variance) / month.mean;
}

function monthAfter(before: Drift | null, kwh: number): Drift {
  if (before === null) return drift(kwh);
  const month = { ...before };
  drifted(month, kwh, spanOfDays(1), spanOfDays(30));
  return month;
}
