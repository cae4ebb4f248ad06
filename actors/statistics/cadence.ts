/** Silence is not spoken of within this many usual gaps … */
const GAPS = 3;
/** … nor while a gap is within this many standard deviations of what is usual. */
const SIGMAS = 6;
const TO_SIGMA = 1.4826;

/** The spread of ln(gap) to begin with: a factor of 1.6 to either side. */
export const GAP_SPREAD_FIRST = 0.5;

/**
 * The gap that is too long for an actor: the larger of three usual gaps and e^(m + 6 sigma), ms. `gapLog` and `gapSpread` are the robust median
 * and spread of ln(gap in ms), learnt from records on time only: the gaps of files that were read afterwards are no cadence.
 */
export function silentAfterMs(gapLog: number, gapSpread: number): number {
  return Math.max(GAPS * Math.exp(gapLog), Math.exp(gapLog + SIGMAS * TO_SIGMA * gapSpread));
}
