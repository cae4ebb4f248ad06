/** How much deviation is let pass, and when it is enough, both in standard deviations. */
export interface CusumSetting {
  /** Deviation that is usual. 0.5 is for independent noise; what a grid leaves over is autocorrelated: 1 and more. */
  readonly slack: number;
  /** The sum at which to speak. */
  readonly limit: number;
}

const READINGS: CusumSetting = { slack: 1, limit: 10 };

/** Cumulative sum of upward deviations: S = max(0, S + z - k). Capped at twice the limit, so that it comes down again in good time. */
export function cusumUp(sum: number, z: number, { slack, limit }: CusumSetting): number {
  return Math.min(Math.max(0, sum + z - slack), 2 * limit);
}

/** The same of downward deviations. */
export function cusumDown(sum: number, z: number, setting: CusumSetting = READINGS): number {
  return cusumUp(sum, -z, setting);
}
