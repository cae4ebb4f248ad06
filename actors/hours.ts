import { civilDate, GRID_ZONE_MS } from "./civil_day.ts";

/** Hours that are held before the one that is open. */
export const HOURS_HELD = 48;

const MS_PER_HOUR = 3_600_000;
const HOURS_PER_DAY = 24;

/**
 * Energy by hour of the grid zone, in whole Wh, so that sums do not depend on the order in which readings came. `wh[n]` is hour `first + n`; null:
 * no reading. At most `HOURS_HELD` of them.
 */
export interface Hours {
  readonly first: number;
  readonly wh: readonly (number | null)[];
  /** The latest hour with readings that is no longer held; 0: none. */
  readonly dropped: number;
}

export const NO_HOURS: Hours = { first: 0, wh: [], dropped: 0 };

/** The number of the hour, grid zone, that an instant lies in. A reading is of the interval that ends with it: on the hour it is of the hour before. */
export function hourOf(atMs: number): number {
  return Math.floor((atMs - 1 + GRID_ZONE_MS) / MS_PER_HOUR);
}

/** The first hour of the civil day that an hour lies in. */
export function dayStart(hour: number): number {
  return hour - (hour % HOURS_PER_DAY);
}

/** The civil date of an hour. */
export function dateOf(hour: number): string {
  return civilDate(startMs(hour));
}

/** The instant at which an hour begins, epoch ms. */
export function startMs(hour: number): number {
  return hour * MS_PER_HOUR - GRID_ZONE_MS;
}

/** Whether energy of this hour has a place among those before the open one. */
export function isHeld(hour: number, openHour: number): boolean {
  return hour < openHour && hour >= openHour - HOURS_HELD;
}

/** Adds energy to an hour. */
export function withEnergy({ first, wh, dropped }: Hours, hour: number, addedWh: number): Hours {
  if (wh.length === 0) return { first: hour, wh: [addedWh], dropped };
  const before = Array.from({ length: Math.max(0, first - hour) }, () => null);
  const sums: (number | null)[] = [...before, ...wh];
  const begin = first - before.length;
  while (sums.length <= hour - begin) sums.push(null);
  sums[hour - begin] = (sums[hour - begin] ?? 0) + addedWh;
  return { first: begin, wh: sums, dropped };
}

/** Without the hours that lie more than `HOURS_HELD` before the open one. */
export function trimmed(hours: Hours, openHour: number): Hours {
  const { first, wh, dropped } = hours;
  const gone = openHour - HOURS_HELD - first;
  if (gone <= 0) return hours;
  let last = Math.min(gone, wh.length) - 1;
  while (last >= 0 && wh[last] === null) last -= 1;
  return { first: first + gone, wh: wh.slice(gone), dropped: last < 0 ? dropped : first + last };
}

/** The 24 hours of the civil day that begins with `start`; null where there is no reading, or none is held. */
export function dayOf({ first, wh }: Hours, start: number): readonly (number | null)[] {
  return Array.from({ length: HOURS_PER_DAY }, (_, n) => wh[start + n - first] ?? null);
}
