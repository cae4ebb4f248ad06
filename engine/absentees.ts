import { decode } from "./decode.ts";
import { type Fault, fault } from "./fault.ts";
import type { Absence, Feed } from "./feed.ts";
import type { HistoryOptions } from "./history.ts";
import { type ActorId, keyOf } from "./ids.ts";
import type { Limits } from "./limits.ts";
import type { FeedSchema } from "./schema.ts";
import type { SourceRecord } from "./source.ts";
import type { Store } from "./store.ts";
import { storedHistories } from "./stored_histories.ts";

/** From so many absent keys on, more than this share of the open ones is no news but a damaged file. */
const SHRUNK_KEYS = 10;
const SHRUNK_SHARE = 0.05;
/** So many histories are looked at between two breaths. */
const CHUNK_KEYS = 500;

export interface AbsenteesOptions {
  readonly feed: Feed;
  readonly absence: Absence;
  readonly schema: FeedSchema;
  /** Of the kind of actor that the feed's keys are. */
  readonly history: HistoryOptions;
  readonly store: Pick<Store, "range">;
  readonly limits: Limits;
}

/**
 * Compares the keys of a whole snapshot with those that have an open version: what it lacks is gone from its day on. A row that cannot be read may
 * be of any key, so a file with one says nothing by what it lacks.
 */
export class Absentees {
  readonly #options: AbsenteesOptions;
  readonly #present = new Set<ActorId>();
  #isUnclear = false;

  constructor(options: AbsenteesOptions) {
    this.#options = options;
  }

  /** A row of the snapshot. */
  add(record: SourceRecord): void {
    const { feed, schema, limits } = this.#options;
    const decoded = decode(feed, record, schema, limits);
    if ("code" in decoded) this.#isUnclear = true;
    else if (decoded.row !== null) for (const id of feed.actors(decoded.row)) this.#present.add(id);
  }

  /**
   * The records that say of each key that it is gone, in order of keys; a fault: it would be too many, and no row may be used. Looks at all
   * histories, and stops for a breath now and then.
   */
  *gone(path: string, arrivedAtMs: number): Generator<void, readonly SourceRecord[] | Fault> {
    if (this.#isUnclear) return [];
    const { absence, store, history } = this.#options;
    const from = absence.from(path, arrivedAtMs);
    const gone: SourceRecord[] = [];
    let open = 0;
    let last: ActorId | null = null;
    for (let looked = CHUNK_KEYS; looked === CHUNK_KEYS; yield) {
      looked = 0;
      for (const { key, versions } of storedHistories(store, absence.kind, history, last)) {
        const version = versions.at(-1);
        if (version !== undefined && version.to === null && version.from <= from) {
          open += 1;
          if (!this.#present.has(key)) gone.push(this.#record(key, from, gone.length, arrivedAtMs));
        }
        last = key;
        looked += 1;
        if (looked === CHUNK_KEYS) break;
      }
    }
    if (gone.length < SHRUNK_KEYS || gone.length <= SHRUNK_SHARE * open) return gone;
    return fault("snapshot_shrunk", `the snapshot lacks ${gone.length} of ${open} keys: nothing of it is used`);
  }

  #record(key: ActorId, from: string, at: number, arrivedAtMs: number): SourceRecord {
    const fields = this.#options.absence.fields(keyOf(key), from);
    return { at, arrivedAtMs, fields, bytes: Buffer.from(JSON.stringify(fields)) };
  }
}
