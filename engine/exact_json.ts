const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;

/**
 * `JSON.parse` that loses no digit: a number that a double does not give back as it is written (9007199254740993, 0.12345678901234567890, 1e400)
 * becomes text. For the rare record in which this matters. `text` is known to be JSON.
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') || isExact(token) ? token : `"${token}"`)));
}

/** Up to 15 significant digits a double always gives back what was written. */
function isExact(literal: string): boolean {
  const value = Number(literal);
  const [mantissa = ""] = literal.split(/[eE]/);
  const digits = mantissa.replace(/[-.]/g, "").replace(/^0+|0+$/g, "");
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER || (value === 0 && digits !== "")) return false;
  return digits.length <= 15 || String(value) === literal;
}
