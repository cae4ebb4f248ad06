const SLACK = 1;
const LIMIT = 10;

/** Cumulative sum of downward deviations: S = max(0, S - z - k), capped at twice the alarm limit. `z` in standard deviations. */
export function cusumDown(sum: number, z: number): number {
  return Math.min(Math.max(0, sum - z - SLACK), 2 * LIMIT);
}
