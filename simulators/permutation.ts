import { hash, mix } from "./random.ts";

/** A one-to-one map of the whole numbers 0 … size-1 onto themselves, in constant memory. */
export interface Permutation {
  forward(value: number): number;
  inverse(value: number): number;
}

/** The shuffle that (seed, name) stands for. Each pin [from, to] forces one value; two pins may share neither side. `size` is 1 … 2^30. */
export function permutation(seed: number, name: string, size: number, pins: readonly (readonly [number, number])[] = []): Permutation {
  const shuffled = walked(network(seed, name, size), size);
  const swaps: (readonly [number, number])[] = [];
  const forward = (value: number): number => swaps.reduce(swap, shuffled.forward(value));
  for (const [from, to] of pins) swaps.push([forward(from), to]); // A later swap leaves the pins before it alone: it holds neither of their sides.
  return { forward, inverse: (value) => shuffled.inverse(swaps.reduceRight(swap, value)) };
}

/** A shuffled rank for each record: in every run of `block` records, each rank 0 … block-1 occurs once. Remembers one run. */
export function blockRanks(seed: number, set: string, block: number): (n: number) => number {
  const shuffle = (run: number) => permutation(seed, `${set}_anomalies_${run}`, block);
  let [current, ranks] = [0, shuffle(0)];
  return (n) => {
    const run = Math.floor(n / block);
    if (run !== current) [current, ranks] = [run, shuffle(run)];
    return ranks.forward(n % block);
  };
}

const ROUNDS = 6;

/** A Feistel network over the next power of four: any round function makes it one-to-one. */
function network(seed: number, name: string, size: number): Permutation {
  const halfBits = Math.max(1, Math.ceil(Math.log2(size) / 2));
  const mask = 2 ** halfBits - 1;
  const keys = Array.from({ length: ROUNDS }, (_, round) => hash(name, seed ^ mix(round)));
  const turned = (value: number, order: readonly number[]): number => {
    let [left, right] = [value >>> halfBits, value & mask];
    for (const key of order) [left, right] = [right, left ^ (mix(right ^ key) & mask)];
    return right * (mask + 1) + left; // The halves change places, so that the same steps with the keys turned round undo it.
  };
  const backwards = [...keys].reverse();
  return { forward: (value) => turned(value, keys), inverse: (value) => turned(value, backwards) };
}

/** Narrows a permutation of a larger range: whoever leaves the range goes on until back inside. */
function walked(wider: Permutation, size: number): Permutation {
  const walk = (step: (value: number) => number) => (value: number) => {
    let at = step(value);
    while (at >= size) at = step(at);
    return at;
  };
  return { forward: walk(wider.forward), inverse: walk(wider.inverse) };
}

function swap(value: number, [one, other]: readonly [number, number]): number {
  if (value === one) return other;
  return value === other ? one : value;
}
