/** Fields of `hot.recent`: [lowest bit, width]. */
export const RECENT = {
  /** The last five readings: almost nothing. */
  near: [0, 5],
  /** Those of them with current. */
  nearWithCurrent: [5, 5],
  /** Readings, and electrical values, in a row that are the same. */
  equalReadings: [10, 4],
  equalElectrics: [14, 4],
  /** Readings in a row that do not follow from voltage and current, and that do again. */
  physicsOff: [18, 3],
  physicsBack: [21, 4],
  /** A timer looks whether it still reports. */
  watched: [25, 1],
  /** It is held to be silent, and its transformer knows. */
  quiet: [26, 1],
} as const;

type Field = (typeof RECENT)[keyof typeof RECENT];

export function readField(word: number, [at, width]: Field): number {
  return (word >>> at) & ((1 << width) - 1);
}

/** The word with a field set; what does not fit becomes the largest that does. */
export function withField(word: number, [at, width]: Field, value: number): number {
  const most = (1 << width) - 1;
  return ((word & ~(most << at)) | (Math.min(value, most) << at)) >>> 0;
}

/** The word with one more answer in a field of the latest ones, a bit for each. */
export function pushBit(word: number, field: Field, isSet: boolean): number {
  return withField(word, field, ((readField(word, field) << 1) | (isSet ? 1 : 0)) & ((1 << field[1]) - 1));
}

export function bitsSet(bits: number): number {
  let left = bits;
  let count = 0;
  while (left !== 0) {
    left &= left - 1;
    count += 1;
  }
  return count;
}
