const STEP = 0.05;
const FLOOR = 1e-3;

/** A running median and spread that a few wild values do not move: O(1) memory, about 50 samples to settle. */
export interface Robust {
  readonly median: number;
  /** Median absolute deviation; 1.4826 of it is a standard deviation where values are normal. */
  readonly spread: number;
}

/** m += eta s sgn(x - m); s *= e^(eta sgn(|x - m| - s)); the spread never locks at 0. */
export function robust(before: Robust | null, value: number): Robust {
  if (before === null) return { median: value, spread: floorOf(value, Math.abs(value) * 0.3) };
  const median = before.median + STEP * before.spread * Math.sign(value - before.median);
  const spread = before.spread * Math.exp(STEP * Math.sign(Math.abs(value - median) - before.spread));
  return { median, spread: floorOf(median, spread) };
}

function floorOf(median: number, spread: number): number {
  return Math.max(spread, FLOOR * Math.max(Math.abs(median), FLOOR));
}
