import { hours, minutes } from "../../engine/duration.ts";

/** Energy by hour from samples of power. Plain numbers, changed in place. */
export interface PowerMeter {
  /** Of the last sample; null: there was none. */
  lastAtMs: number | null;
  lastMw: number;
  /** The hour that is open, by the number that `hourOf` gives it, and what is known of it: MW ms, and how much of it samples cover. */
  hour: number;
  area: number;
  coveredMs: number;
  /** Mean gap between samples. */
  usualGapMs: number;
}

const COVERED_MIN = 0.9;
const GAP_MAX_MS = minutes(20);
/** Whoever samples more seldom may have gaps of half as much again, up to this. */
const SELDOM_MAX_MS = minutes(95);
const GAP_STEP = 0.1;
const KW_PER_MW = 1_000;

export function powerMeter(): PowerMeter {
  return { lastAtMs: null, lastMw: 0, hour: 0, area: 0, coveredMs: 0, usualGapMs: 0 };
}

/**
 * Takes in a later sample: straight lines between samples, cut where hours end (`hourEnd`: the instant at which hour n ends). `done` hears of each
 * hour that is over: its energy in kWh, or null if samples cover less than 90 % of it. A gap of more than 20 minutes covers nothing, unless the
 * samples usually come more seldom.
 */
export function addPower(
  state: PowerMeter,
  atMs: number,
  powerMw: number,
  hourOf: (atMs: number) => number,
  hourEnd: (hour: number) => number,
  done: (hour: number, energyKwh: number | null) => void,
): void {
  const before = state.lastAtMs;
  if (before === null) {
    Object.assign(state, { lastAtMs: atMs, lastMw: powerMw, hour: hourOf(atMs) });
    return;
  }
  const gapMs = atMs - before;
  if (gapMs <= 0) return;
  const isCovered = gapMs <= gapMaxMs(state);
  state.usualGapMs += (state.usualGapMs === 0 ? 1 : GAP_STEP) * (Math.min(gapMs, SELDOM_MAX_MS) - state.usualGapMs);
  const powerAt = (ms: number): number => state.lastMw + ((powerMw - state.lastMw) * (ms - before)) / gapMs;
  let from = before;
  while (from < atMs) {
    const to = Math.min(atMs, hourEnd(state.hour));
    if (isCovered && to > from) {
      state.area += ((powerAt(from) + powerAt(to)) / 2) * (to - from);
      state.coveredMs += to - from;
    }
    from = to;
    if (to < hourEnd(state.hour)) break;
    done(state.hour, energyKwh(state));
    Object.assign(state, { hour: isCovered ? state.hour + 1 : hourOf(atMs), area: 0, coveredMs: 0 });
    if (!isCovered) break;
  }
  Object.assign(state, { lastAtMs: atMs, lastMw: powerMw });
}

function gapMaxMs({ usualGapMs }: PowerMeter): number {
  return Math.max(GAP_MAX_MS, Math.min(SELDOM_MAX_MS, 1.5 * usualGapMs));
}

/** Energy of the whole hour: the mean power of what is covered. */
function energyKwh({ area, coveredMs }: PowerMeter): number | null {
  return coveredMs < COVERED_MIN * hours(1) ? null : (area / coveredMs) * KW_PER_MW;
}
