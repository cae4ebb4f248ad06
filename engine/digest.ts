import { createHash } from "node:crypto";
import { digestedBytes } from "./fact_codec.ts";
import type { Store } from "./store.ts";

const MODULUS = 1n << 128n;

/**
 * 32 hex digits over all states (with their episodes and timers, which lie in the warm parts) and histories: a 128-bit sum of hashes of
 * (key, value), so that order does not matter. Known times, positions, sequence numbers and epochs are not in it: two drains of the same files
 * agree, however they were cut into batches and wherever they were killed. Scans the whole store.
 */
export function stateDigest(store: Pick<Store, "actors" | "range">): string {
  let sum = 0n;
  const add = (kind: string, key: string, value: Uint8Array): void => {
    const hash = createHash("sha256").update(`${kind}\0${key}\0`).update(value).digest("hex");
    sum = (sum + BigInt(`0x${hash.slice(0, 32)}`)) % MODULUS;
  };
  for (const [id, { hot, warm }] of store.actors()) {
    if (hot !== null) add("hot", id, hot);
    if (warm !== null) add("warm", id, warm);
  }
  for (const [key, value] of store.range("fact", "")) add("fact", key, digestedBytes(value));
  return sum.toString(16).padStart(32, "0");
}
