import type { ChangedRow } from "./commit.ts";
import type { Counters } from "./counters.ts";
import { days } from "./duration.ts";
import { longHash } from "./ids.ts";
import { expired } from "./rescued_index.ts";
import type { Store } from "./store.ts";

const NAME_LENGTH_MAX = 100;
/** Counts of columns beyond the bound on their number come together under this name, which no column has. */
const OTHERS = "%others";

/** Names and days of columns that feeds do not declare: what an engine needs to count values that are not kept, and to end the waiting of others. */
export class Strays {
  readonly #counters: Counters;
  readonly #store: Pick<Store, "range">;
  readonly #namesMax: number;
  readonly #names = new Map<string, Set<string>>();
  readonly #cleanedOn = new Map<string, number>();

  constructor(counters: Counters, store: Pick<Store, "range">, namesMax: number) {
    this.#counters = counters;
    this.#store = store;
    this.#namesMax = namesMax;
  }

  /** Counts a value of a column that is not kept. */
  ignored(feed: string, column: string): void {
    const group = ignoredGroup(feed);
    const names = this.#names.get(feed) ?? new Set(Object.keys(this.#counters.group(group)));
    this.#names.set(feed, names);
    const name = counterName(column);
    const isKnown = names.has(name) || names.size < this.#namesMax;
    if (isKnown) names.add(name);
    this.#counters.add(group, isKnown ? name : OTHERS, 1);
  }

  /** Once for each day on which records arrive: rows that end the waiting of values that have waited too long. */
  expired(feed: string, arrivedAtMs: number): readonly ChangedRow[] {
    const day = Math.floor(arrivedAtMs / days(1));
    if (day <= (this.#cleanedOn.get(feed) ?? Number.NEGATIVE_INFINITY)) return [];
    this.#cleanedOn.set(feed, day);
    return expired(this.#store, feed, arrivedAtMs);
  }
}

/** The group of counters that holds, column by column, how many values of a feed were not kept. */
export function ignoredGroup(feed: string): string {
  return `ignored ${feed}`;
}

/** The column that such a counter is about; a very long name is there as its hash. */
export function ignoredColumn(counter: string): string {
  return counter === OTHERS ? "(others)" : decodeURIComponent(counter);
}

/** Keys of counters have no blanks, and are short. */
function counterName(column: string): string {
  return column.length > NAME_LENGTH_MAX ? `sha256:${longHash([column])}` : encodeURIComponent(column);
}
