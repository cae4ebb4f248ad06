const STEP = 0.05;
const FLOOR = 1e-3;
/** A median absolute deviation times this is the standard deviation of normal values. */
const TO_SIGMA = 1.4826;

/** A running median and spread that a few wild values do not move: O(1) memory, about 50 samples to settle. */
export interface Robust {
  readonly median: number;
  /** Median absolute deviation. */
  readonly spread: number;
}

/** m += eta s sgn(x - m); s *= e^(eta sgn(|x - m| - s)); the spread never locks at 0. */
export function robust(before: Robust | null, value: number): Robust {
  if (before === null) return { median: value, spread: firstSpread(value) };
  const median = movedMedian(before.median, before.spread, value);
  return { median, spread: movedSpread(median, before.spread, value) };
}

/** The spread that goes with a first value: 30 % of it. */
export function firstSpread(value: number): number {
  return floored(value, Math.abs(value) * 0.3);
}

/** The median after a value. Scalars in and out, for states that are packed. */
export function movedMedian(median: number, spread: number, value: number): number {
  return median + STEP * spread * Math.sign(value - median);
}

/** The spread after a value, around the median after it. */
export function movedSpread(median: number, spread: number, value: number): number {
  return floored(median, spread * Math.exp(STEP * Math.sign(Math.abs(value - median) - spread)));
}

/** How many standard deviations a value lies from the median. */
export function robustZ(median: number, spread: number, value: number): number {
  return (value - median) / (TO_SIGMA * spread);
}

function floored(median: number, spread: number): number {
  return Math.max(spread, FLOOR * Math.max(Math.abs(median), FLOOR));
}
