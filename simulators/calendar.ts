/** Midnight UTC of the day the streams of the generated data describe, 2025-06-15. */
export const DATA_DAY_AT_MS = Date.UTC(2025, 5, 15);
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

/** Hour of the day in the grid zone (+05:30) as a number in [0, 24), minutes as its fraction. */
export function gridHour(atMs: number): number {
  return ((atMs + GRID_ZONE_MS) % DAY_MS) / HOUR_MS;
}

/** An instant as ISO 8601 with milliseconds, UTC. */
export function instant(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** Days since 1970-01-01 of a civil date `YYYY-MM-DD`. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** The civil date `days` after (or, if negative, before) a civil date. */
export function daysAfter(date: string, days: number): string {
  return instant((dayNumber(date) + days) * DAY_MS).slice(0, 10);
}

/** First day of the month that is `months` after January of `year`; months beyond 11 run into the years that follow. */
export function monthStart(year: number, months: number): string {
  return instant(Date.UTC(year, months, 1)).slice(0, 10);
}

/**
 * The `n`-th of `count` instants spread over a span: strictly increasing in `n` while the span has 10 ms for each. `unit` in [0, 1) moves it
 * within nine tenths of its own share.
 */
export function spread(startMs: number, spanMs: number, n: number, count: number, unit: number): number {
  return startMs + Math.floor(((n + 0.9 * unit) * spanMs) / count);
}

const GRID_ZONE_MS = 19_800_000;
