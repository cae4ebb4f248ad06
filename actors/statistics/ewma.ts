import { days } from "../../engine/duration.ts";

/** Smoothing constant of the fast mean. */
const TAU_MS = days(1);

/**
 * Exponentially weighted mean for irregular samples: alpha = 1 - e^(-dt/tau), so that it does not depend on how often a meter reports. The first
 * sample is the mean; a step without time teaches nothing.
 */
export function ewma(mean: number | null, value: number, elapsedMs: number): number {
  if (mean === null) return value;
  if (elapsedMs <= 0) return mean;
  return mean + (1 - Math.exp(-elapsedMs / TAU_MS)) * (value - mean);
}
