const PLAIN = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/;
const NUMBER = /^\s*([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d{1,9}))?\s*$/;

/** A decimal as an integer in a scale. Infinite: beyond 2^53, where integers are no longer exact. */
export interface Scaled {
  readonly value: number;
  /** Digits other than 0 were cut off. */
  readonly rounded: boolean;
}

/** Whether a text is a plain decimal: `12`, ` -12.50 `, `.5`; not `1,5`, `0x10`, `1e3`, `NaN`, or nothing. */
export function isPlainDecimal(text: string): boolean {
  return PLAIN.test(text);
}

/** Value x 10^scale of a number as it is written, plain or with an exponent, rounded half away from zero. Null: no number. */
export function scaleText(text: string, scale: number): Scaled | null {
  const [, sign, whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  if (sign === undefined || whole + fraction === "") return null;
  if (digits === "") return { value: 0, rounded: false };
  const kept = digits.length - fraction.length + Number(exponent) + scale;
  if (kept > 16) return { value: sign === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY, rounded: false };
  const rest = kept < 0 ? digits : digits.slice(kept);
  const up = kept >= 0 && rest >= "5" ? 1 : 0;
  const size = (kept > 0 ? Number(digits.slice(0, kept).padEnd(kept, "0")) : 0) + up;
  const value = size > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : size;
  return { value: sign === "-" && value !== 0 ? -value : value, rounded: /[1-9]/.test(rest) };
}

/**
 * Value x 10^scale of a double that is exactly the nearest one to a decimal of at most `scale` places. Null: it has more places, or is too large
 * to tell; then `scaleText` of how it was written decides. `scale` is at most 22.
 */
export function scaleNumber(value: number, scale: number): number | null {
  const factor = 10 ** scale;
  const scaled = Math.round(value * factor);
  // Division rounds to the nearest double, so equality says: `value` is what a parser makes of scaled / factor. Unique up to 15 digits.
  return Math.abs(scaled) < 1e15 && scaled / factor === value ? scaled + 0 : null;
}
