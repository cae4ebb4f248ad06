/** Chance that can be had again: the same seed gives the same draws. For property tests, which print the seed when they fail. */
export interface Seeded {
  /** A whole number 0 ... below - 1. */
  below(below: number): number;
  /** One of `items`, which is not empty. */
  pick<T>(items: readonly T[]): T;
  /** True in `percent` of the cases. */
  chance(percent: number): boolean;
  /** The same items in another order. */
  shuffled<T>(items: readonly T[]): readonly T[];
}

/** A generator for a seed, 0 ... 2^32 - 1. Tommy Ettinger's mulberry32. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count: number): number => Math.floor(next() * count);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const shuffled = <T>(items: readonly T[]): readonly T[] => {
    const rest = [...items];
    return items.map(() => rest.splice(below(rest.length), 1)[0] as T);
  };
  return { below, pick, chance: (percent) => below(100) < percent, shuffled };
}
