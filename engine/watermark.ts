import type { SourceId } from "./ids.ts";

/** One source's progress in event time. (A landing zone is one partition; a broker's partitions are kept under `source/partition`.) */
export interface Partition {
  readonly key: string;
  readonly feed: string;
  /** Latest event time seen; -Infinity before the first record. */
  latestMs: number;
  /** Nothing to read at present: it does not hold the feed's clock back. */
  idle: boolean;
}

/** A feed's clock: the least watermark (latest event time minus the feed's delay) of its partitions that are not idle. It never goes back. */
export class FeedClock {
  readonly feed: string;
  clockMs = Number.NEGATIVE_INFINITY;
  readonly #delayMs: number;
  readonly #partitions = new Map<string, Partition>();

  constructor(feed: string, delayMs: number) {
    this.feed = feed;
    this.#delayMs = delayMs;
  }

  partition(source: SourceId): Partition {
    const known = this.#partitions.get(source);
    if (known !== undefined) return known;
    const fresh: Partition = { key: source, feed: this.feed, latestMs: Number.NEGATIVE_INFINITY, idle: false };
    this.#partitions.set(source, fresh);
    return fresh;
  }

  /** The latest event time seen in any partition; -Infinity before the first record. */
  latestMs(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...[...this.#partitions.values()].map(({ latestMs }) => latestMs));
  }

  /** The least watermark of a source's partitions that are not idle, or, if all are, the greatest; null before its first record. */
  watermarkMs(source: SourceId): number | null {
    const own = [...this.#partitions.values()].filter(({ key }) => key === source || key.startsWith(`${source}/`));
    const seen = own.filter(({ latestMs }) => Number.isFinite(latestMs));
    const active = seen.filter(({ idle }) => !idle);
    if (seen.length === 0) return null;
    const latest = (active.length > 0 ? active : seen).map(({ latestMs }) => latestMs);
    return (active.length > 0 ? Math.min(...latest) : Math.max(...latest)) - this.#delayMs;
  }

  /** Where the clock may go now. The caller fires what is due on the way, then sets `clockMs`. All idle: it stands still. */
  reachableMs(): number {
    let leastMs = Number.POSITIVE_INFINITY;
    for (const partition of this.#partitions.values()) {
      if (!partition.idle) leastMs = Math.min(leastMs, partition.latestMs - this.#delayMs);
    }
    return leastMs === Number.POSITIVE_INFINITY ? this.clockMs : Math.max(leastMs, this.clockMs);
  }
}
