/** `value` at a fixed number of decimals, halves away from zero, as the double that prints with no more of them. */
export function rounded(value: number, decimals: number): number {
  const unit = 10 ** decimals;
  return (Math.sign(value) * Math.round(Math.abs(value) * unit)) / unit;
}

/** `value` moved into [low, high]. */
export function clamped(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

/** A whole number of units of 10^-decimals as a decimal number: 296907 paise are 2969.07. */
export function shifted(units: number, decimals: number): number {
  return units / 10 ** decimals;
}
