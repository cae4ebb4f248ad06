/** The constant part of the step's divisor. */
const EPSILON = 1e-3;
/** Its part that follows the size of the inputs: with the constant alone the step would depend on the unit. */
const OF_INPUTS = 0.01;

/** The divisor's guard against inputs near 0. `usual`: a slow mean of the inputs' sum of squares; `unit`: what one kWh is in the inputs' unit. */
export function nlmsGuard(usual: number, unit = 1): number {
  return EPSILON * unit * unit + OF_INPUTS * usual;
}

/** A weight after an error, normalised least mean squares with the sign held: w = max(0, w + mu e x / (guard + sum of x^2)). */
export function nlmsWeight(weight: number, error: number, input: number, divisor: number, step: number): number {
  return Math.max(0, weight + (step * error * input) / divisor);
}
