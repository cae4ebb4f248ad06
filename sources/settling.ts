import type { Seen } from "./landing_place.ts";

/** Tells which files have come to rest: size and time of modification were the same in two looks, some time apart. */
export class Settling {
  /** When the first of the others may be at rest; Infinity: there is none. */
  nextMs = Number.POSITIVE_INFINITY;
  readonly #settleMs: number;
  #looks = new Map<string, { readonly seen: Seen; readonly sinceMs: number }>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** Takes a look at all files in question; forgets the others. Returns those at rest. */
  look(files: readonly Seen[], nowMs: number): readonly Seen[] {
    const before = this.#looks;
    this.#looks = new Map();
    this.nextMs = Number.POSITIVE_INFINITY;
    return files.filter((seen) => {
      const last = before.get(seen.path);
      const isSame = last !== undefined && last.seen.sizeBytes === seen.sizeBytes && last.seen.modifiedMs === seen.modifiedMs;
      const sinceMs = isSame ? last.sinceMs : nowMs;
      this.#looks.set(seen.path, { seen, sinceMs }); // Also of one at rest: it may have to wait for its turn.
      const atRestMs = sinceMs + this.#settleMs;
      if (atRestMs > nowMs) this.nextMs = Math.min(this.nextMs, atRestMs);
      return atRestMs <= nowMs;
    });
  }
}
