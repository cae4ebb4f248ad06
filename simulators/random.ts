/** Repeatable chance: the numbers one record is made from. */
export interface Random {
  /** Uniform in [0, 1), in steps of 2^-32. */
  unit(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** A whole number from `low` to `high`, both possible. */
  integer(low: number, high: number): number;
  /** Bell-shaped around 0 with standard deviation 1, never beyond ±3.47. */
  bell(): number;
  pick<T>(choices: readonly [T, ...T[]]): T;
  /** 122 random bits in the form of a version 4 UUID. */
  uuid(): string;
}

/**
 * A stream of chance for each record of a set: the same (seed, set, record) always gives the same numbers, whatever was drawn for other
 * records, so that one set never disturbs another and a record can be made without those before it.
 */
export function streams(seed: number, set: string): (record: number) => Random {
  const [a, b, c, d] = [hash(set, seed), hash(set, seed ^ 0x5bd1e995), hash(set, seed ^ 0x27d4eb2f), hash(set, seed ^ 0x165667b1)];
  return (record) => {
    const low = mix(record % WORD);
    const high = mix(Math.floor(record / WORD) ^ 0x85ebca6b);
    return randomOf(smallFastCounter(a ^ low, b ^ high, c ^ mix(low ^ high), d));
  };
}

/** The 32 bits of `value`, stirred so that each bit depends on all (the finaliser of MurmurHash3). */
export function mix(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** 32 bits of a text and a number (FNV-1a, then stirred). */
export function hash(text: string, salt: number): number {
  let bits = mix(salt) ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) bits = Math.imul(bits ^ text.charCodeAt(at), 0x01000193);
  return mix(bits);
}

const WORD = 2 ** 32;

/** sfc32 by Chris Doty-Humphrey: 128 bits of state, one of them a counter, so no state leads into a short cycle. */
function smallFastCounter(first: number, second: number, third: number, fourth: number): () => number {
  let [a, b, c, counter] = [first | 0, second | 0, third | 0, fourth | 0];
  const next = (): number => {
    const bits = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + bits) | 0;
    return bits >>> 0;
  };
  for (let turn = 0; turn < 12; turn += 1) next(); // Neighbouring records start alike: the first numbers would still show it.
  return next;
}

function randomOf(next: () => number): Random {
  const unit = (): number => next() / WORD;
  const integer = (low: number, high: number): number => low + Math.floor(unit() * (high - low + 1));
  return {
    unit,
    integer,
    between: (low, high) => low + unit() * (high - low),
    bell: () => (unit() + unit() + unit() + unit() - 2) * Math.sqrt(3), // A sum of uniforms: no logarithm, equal on every machine.
    pick: (choices) => choices[integer(0, choices.length - 1)] ?? choices[0],
    uuid: () => uuidOf([next(), next(), next(), next()]),
  };
}

function uuidOf(words: readonly number[]): string {
  const hex = words.map((word) => word.toString(16).padStart(8, "0")).join("");
  const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) & 3);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
