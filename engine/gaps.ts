import type { ChangedRow } from "./commit.ts";
import type { Store } from "./store.ts";

/** Records of a feed were lost on their way, and that was accepted. The gaps of a feed are numbered from 1. */
export interface Gap {
  readonly number: number;
  readonly source: string;
  /** Partition of the source; empty: it has one only. */
  readonly partition: string;
  /** Where the source goes on. */
  readonly position: string;
  readonly reason: string;
  /** The feed's clock when it was accepted, epoch ms; null: it had none. */
  readonly clockMs: number | null;
  /** In a feed of captured changes, the place in the log of the first change behind the gap; null: none has come yet. */
  readonly before: string | null;
}

/** Greater than any place in a log. */
const EVERYTHING = "\uffff";

/** The gaps of all feeds, and what was accepted in advance: in memory, and as rows of the store. */
export class Gaps {
  readonly #byFeed = new Map<string, readonly Gap[]>();
  readonly #accepted = new Set<string>();

  constructor(store: Pick<Store, "range">, feeds: Iterable<string>) {
    for (const feed of feeds) this.#byFeed.set(feed, readGaps(store, feed));
    for (const [key] of store.range("feed", ACCEPTED)) this.#accepted.add(key);
  }

  /** The next gap of this partition is no reason to stop. */
  accept(source: string, partition: string, rows: ChangedRow[]): void {
    const key = acceptedKey(source, partition);
    this.#accepted.add(key);
    rows.push({ table: "feed", key, value: new Uint8Array(0) });
  }

  /** Whether the next gap of this partition was accepted. */
  isAccepted(source: string, partition: string): boolean {
    return this.#accepted.has(acceptedKey(source, partition));
  }

  /** A partition goes on behind a gap: it gets the feed's next number, and the next one is not accepted any more. */
  open(feed: string, told: Omit<Gap, "number" | "before">, rows: ChangedRow[]): void {
    const gaps = this.#of(feed);
    const gap: Gap = { number: gaps.length + 1, ...told, before: null };
    this.#byFeed.set(feed, [...gaps, gap]);
    rows.push(rowOf(feed, gap));
    const key = acceptedKey(told.source, told.partition);
    if (this.#accepted.delete(key)) rows.push({ table: "feed", key, value: null });
  }

  /** Whether gaps of this partition wait for the first change behind them. */
  areWaiting(feed: string, source: string, partition: string): boolean {
    return this.#of(feed).some((gap) => waits(gap, source, partition));
  }

  /** The first change behind them stands at this place in the log. */
  place(feed: string, source: string, partition: string, before: string, rows: ChangedRow[]): void {
    const placed = this.#of(feed).map((gap) => (waits(gap, source, partition) ? { ...gap, before } : gap));
    for (const gap of placed) if (!this.#of(feed).includes(gap)) rows.push(rowOf(feed, gap));
    this.#byFeed.set(feed, placed);
  }

  /** What was known before this place in the log may be out of date: changes were lost. Null: none was. */
  lostBefore(feed: string): string | null {
    return lastPlace(this.#of(feed));
  }

  #of(feed: string): readonly Gap[] {
    return this.#byFeed.get(feed) ?? [];
  }
}

/** The gaps of a feed that a store holds, in order. */
export function readGaps(store: Pick<Store, "range">, feed: string): readonly Gap[] {
  return [...store.range("feed", prefixOf(feed))].map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as Gap);
}

/** As `Gaps.lostBefore`, of a store. */
export function lostBefore(store: Pick<Store, "range">, feed: string): string | null {
  return lastPlace(readGaps(store, feed));
}

const ACCEPTED = "accepted gap ";

function acceptedKey(source: string, partition: string): string {
  return `${ACCEPTED}${source}\0${partition}`;
}

function lastPlace(gaps: readonly Gap[]): string | null {
  return gaps.reduce<string | null>((last, { before }) => ((before ?? EVERYTHING) > (last ?? "") ? (before ?? EVERYTHING) : last), null);
}

function waits(gap: Gap, source: string, partition: string): boolean {
  return gap.before === null && gap.source === source && gap.partition === partition;
}

function rowOf(feed: string, gap: Gap): ChangedRow {
  return { table: "feed", key: `${prefixOf(feed)}${String(gap.number).padStart(8, "0")}`, value: Buffer.from(JSON.stringify(gap)) };
}

function prefixOf(feed: string): string {
  return `gap ${feed} `;
}
