import type { ChangedRow } from "./commit.ts";

/** Numbers of one feed. `read = accepted + duplicates + quarantined`; `late` is a part of `accepted`. */
export interface FeedCounts {
  readonly read: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly late: number;
  readonly quarantined: number;
}

/** Counters that live in the store (table `count`), so that they go on after a restart. Keys: words joined by a space. */
export class Counters {
  readonly #values = new Map<string, number>();
  readonly #changed = new Set<string>();

  restore(key: string, value: Uint8Array): void {
    this.#values.set(key, Number(Buffer.from(value).toString("latin1")));
  }

  add(key: string, by: number): void {
    if (by === 0) return;
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
    this.#changed.add(key);
  }

  value(key: string): number {
    return this.#values.get(key) ?? 0;
  }

  /** All counters whose key begins with `prefix`, by the rest of the key, in key order. */
  under(prefix: string): Record<string, number> {
    const keys = [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
    return Object.fromEntries(keys.map((key) => [key.slice(prefix.length), this.value(key)]));
  }

  takeChanges(into: ChangedRow[]): void {
    for (const key of this.#changed) into.push({ table: "count", key, value: Buffer.from(String(this.value(key)), "latin1") });
    this.#changed.clear();
  }
}
