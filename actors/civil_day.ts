import { dayOf } from "../engine/instant.ts";

/** The grid zone, +05:30, the whole year. */
export const GRID_ZONE_MS = 19_800_000;
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 86_400_000;
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4;

let cachedDay = Number.NaN; // Neighbouring readings are of one day, and each asks for its date; this changes no result.
let cachedDate = "";

/** The civil date of an instant in the grid zone, `YYYY-MM-DD`: never the process's zone. */
export function civilDate(atMs: number): string {
  const day = gridDayOf(atMs);
  if (day !== cachedDay) {
    cachedDay = day;
    cachedDate = new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
  }
  return cachedDate;
}

/** The instant at which a civil date begins in the grid zone, epoch ms. */
export function civilDayStartMs(date: string): number {
  return dayOf(date) * MS_PER_DAY - GRID_ZONE_MS;
}

/** The hour of an instant, counted from 1970 in the grid zone. Its remainder by 24 is the hour of the day; hours begin at hh:30 UTC. */
export function gridHourOf(atMs: number): number {
  return Math.floor((atMs + GRID_ZONE_MS) / MS_PER_HOUR);
}

/** The instant at which an hour of the grid begins, epoch ms. */
export function gridHourStartMs(hour: number): number {
  return hour * MS_PER_HOUR - GRID_ZONE_MS;
}

/** The day of an instant, counted from 1970 in the grid zone. */
export function gridDayOf(atMs: number): number {
  return Math.floor((atMs + GRID_ZONE_MS) / MS_PER_DAY);
}

/** The instant at which a day of the grid begins, epoch ms. */
export function gridDayStartMs(day: number): number {
  return day * MS_PER_DAY - GRID_ZONE_MS;
}

/** Whether a day of the grid is a Saturday or a Sunday. */
export function isWeekendDay(day: number): boolean {
  const weekday = (day + FIRST_WEEKDAY) % 7;
  return weekday === 0 || weekday === 6;
}
