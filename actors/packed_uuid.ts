/** A UUID in its usual lower-case form: `a3f2e1d4-5b0c-4a57-9d0e-2f6c81b7e941`. */
const LENGTH = 36;

/** The four 32-bit words of the UUID that was unpacked last. Read at once. */
export const words: [number, number, number, number] = [0, 0, 0, 0];

/** Takes a UUID apart into `words`. False: the text is no UUID in lower-case form, which alone comes back as it was. */
export function unpackUuid(text: string): boolean {
  if (text.length !== LENGTH) return false;
  let word = 0;
  let digits = 0;
  for (let i = 0; i < LENGTH; i += 1) {
    const unit = text.charCodeAt(i);
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (unit !== 45) return false;
      continue;
    }
    const digit = unit >= 48 && unit <= 57 ? unit - 48 : unit >= 97 && unit <= 102 ? unit - 87 : -1;
    if (digit < 0) return false;
    word = (word << 4) | digit;
    digits += 1;
    if ((digits & 7) === 0) words[(digits >> 3) - 1] = word >>> 0;
  }
  return true;
}

/** The text of a UUID from its words. */
export function uuidText(a: number, b: number, c: number, d: number): string {
  const hex = [a, b, c, d].map((word) => word.toString(16).padStart(8, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
