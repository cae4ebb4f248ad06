import type { Seen } from "./listing.ts";

/** Tells which files have come to rest: size and time of modification were the same in two looks, some time apart. */
export class Settling {
  readonly #settleMs: number;
  #looks = new Map<string, { readonly seen: Seen; readonly sinceMs: number }>();

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** Takes a look at all files in question; forgets the others. Returns those at rest. */
  look(files: readonly Seen[], nowMs: number): readonly Seen[] {
    if (this.#settleMs === 0) return files;
    const before = this.#looks;
    this.#looks = new Map();
    return files.filter((seen) => {
      const last = before.get(seen.path);
      const isSame = last !== undefined && last.seen.sizeBytes === seen.sizeBytes && last.seen.modifiedMs === seen.modifiedMs;
      const sinceMs = isSame ? last.sinceMs : nowMs;
      if (nowMs - sinceMs >= this.#settleMs) return true;
      this.#looks.set(seen.path, { seen, sinceMs });
      return false;
    });
  }

  /** When the first of the others may be at rest; Infinity: there is none. */
  get nextMs(): number {
    return Math.min(...[...this.#looks.values()].map(({ sinceMs }) => sinceMs + this.#settleMs));
  }
}
