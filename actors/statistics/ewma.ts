import { days } from "../../engine/duration.ts";

/** Smoothing constants: a day for what is so now, a month for what is usual. */
export const FAST_MS = days(1);
export const SLOW_MS = days(30);

/** The least a variance may be, in squared units of the value. */
const VARIANCE_MIN = 1e-9;

/** Share of a new sample in the mean: 1 - e^(-dt/tau). It does not depend on how often an actor reports. 0 for a step without time. */
export function alphaOf(elapsedMs: number, tauMs: number): number {
  return elapsedMs <= 0 ? 0 : 1 - Math.exp(-elapsedMs / tauMs);
}

/** Exponentially weighted mean for irregular samples. The first sample is the mean; a step without time teaches nothing. */
export function ewma(mean: number | null, value: number, elapsedMs: number, tauMs: number = FAST_MS): number {
  return mean === null ? value : mean + alphaOf(elapsedMs, tauMs) * (value - mean);
}

/** A mean and variance that forget with time. Plain numbers, changed in place. */
export interface Drift {
  mean: number;
  variance: number;
  /** Samples taken in. */
  n: number;
}

/** Begins with one sample, whose spread is taken for 30 % of it. */
export function drift(value: number): Drift {
  return { mean: value, variance: Math.max(VARIANCE_MIN, (0.3 * value) ** 2), n: 1 };
}

/** d = x - m; m += a d; v = (1 - a)(v + a d^2). While there are few samples each counts as one of n, so that the beginning is soon forgotten. */
export function drifted(state: Drift, value: number, elapsedMs: number, tauMs: number): void {
  if (elapsedMs <= 0) return;
  state.n += 1;
  const alpha = Math.max(alphaOf(elapsedMs, tauMs), 1 / state.n);
  const distance = value - state.mean;
  state.mean += alpha * distance;
  state.variance = Math.max(VARIANCE_MIN, (1 - alpha) * (state.variance + alpha * distance * distance));
}

/** How many standard deviations a value lies from the mean. */
export function zOf({ mean, variance }: Drift, value: number): number {
  return (value - mean) / Math.sqrt(variance);
}
