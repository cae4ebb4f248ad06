import { type Seeded, seeded } from "./seeded.ts";

/** Samples for the tests of statistics: what a seed says, always the same. */
export interface Samples {
  /** In [low, high). */
  between(low: number, high: number): number;
  /** Bell-shaped around 0 with standard deviation 1. */
  bell(): number;
  readonly seeded: Seeded;
}

const FINE = 1_000_000;

export function samples(seed: number): Samples {
  const chance = seeded(seed);
  const unit = (): number => chance.below(FINE) / FINE;
  return {
    between: (low, high) => low + unit() * (high - low),
    bell: () => Array.from({ length: 12 }, unit).reduce((sum, value) => sum + value, -6),
    seeded: chance,
  };
}

/** Fails, naming the seed, unless two numbers differ by no more than a share of the larger one (or by `share` itself, near zero). */
export function near(actual: number, expected: number, share: number, seed: number | string): void {
  const most = share * Math.max(1, Math.abs(actual), Math.abs(expected));
  if (!(Math.abs(actual - expected) <= most)) throw new Error(`${actual} is not near ${expected} (seed ${seed})`);
}
