const STEPS = 3_000;
const UNIT = 0.01;
const CODE_MAX = 65_535;

/**
 * An amount of energy, 0 and more, as a whole number 0 … 65,535: round(3000 ln(1 + v / 0.01)), to 0.03 %. A mean that is kept as a code moves
 * no more once its step is less than half a code: it then stands within 0.4 % of its target.
 */
export function codeOf(kwh: number): number {
  return Math.min(CODE_MAX, Math.round(STEPS * Math.log1p(Math.max(0, kwh) / UNIT)));
}

/** The energy in kWh that a code stands for. */
export function kwhOf(code: number): number {
  return UNIT * Math.expm1(code / STEPS);
}

/** The `n`-th number of two bytes. */
export function readWord(bytes: Uint8Array, n: number): number {
  return (bytes[2 * n] ?? 0) | ((bytes[2 * n + 1] ?? 0) << 8);
}

/** Writes the `n`-th number, 0 … 65,535. */
export function writeWord(bytes: Uint8Array, n: number, word: number): void {
  bytes[2 * n] = word & 255;
  bytes[2 * n + 1] = word >> 8;
}
