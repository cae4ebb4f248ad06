import { hours, minutes } from "../../engine/duration.ts";

/** Samples of power within an hour, as they come. Plain numbers, changed in place. */
export interface HourEnergy {
  /** Hour of the grid, counted from 1970 in its zone. */
  hour: number;
  firstAtMs: number;
  lastAtMs: number;
  lastMw: number;
  /** Power x time since the first sample, MW ms. */
  area: number;
  longestGapMs: number;
}

const SPAN_MIN = 0.9;
const GAP_MAX_MS = minutes(20);
const MS_PER_HOUR = hours(1);
const KW_PER_MW = 1_000;

export function hourEnergy(hour: number, atMs: number, powerMw: number): HourEnergy {
  return { hour, firstAtMs: atMs, lastAtMs: atMs, lastMw: powerMw, area: 0, longestGapMs: 0 };
}

/** Adds a later sample of the same hour: the area of a trapezoid, as between instants. Means over an interval would lose energy at its edges. */
export function addPower(state: HourEnergy, atMs: number, powerMw: number): void {
  const elapsedMs = atMs - state.lastAtMs;
  if (elapsedMs <= 0) return;
  state.area += ((state.lastMw + powerMw) / 2) * elapsedMs;
  state.longestGapMs = Math.max(state.longestGapMs, elapsedMs);
  state.lastAtMs = atMs;
  state.lastMw = powerMw;
}

/** Energy of the whole hour in kWh: the mean of what the samples span. Null if they span less than 90 % of it, or leave out 20 minutes. */
export function energyKwh({ firstAtMs, lastAtMs, area, longestGapMs }: HourEnergy): number | null {
  const spanMs = lastAtMs - firstAtMs;
  if (spanMs < SPAN_MIN * MS_PER_HOUR || longestGapMs > GAP_MAX_MS) return null;
  return (area / spanMs) * KW_PER_MW;
}
