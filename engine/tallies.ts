import type { ChangedRow } from "./commit.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import type { Store } from "./store.ts";

/** What an actor is told of an hour of a feed: counts of sound records that concern it, by name. */
export interface HourTallied {
  readonly type: "hour_tallied";
  readonly feed: string;
  /** Counted from 1970, UTC. */
  readonly hour: number;
  readonly counts: Readonly<Record<string, number>>;
}

interface Tally {
  readonly key: string;
  hour: number;
  counts: Record<string, number>;
}

const PREFIX = "tally ";
const HOUR_MS = 3_600_000;

/**
 * Counts the records of feeds by an actor that they concern (`Feed.tally`), an hour of event time at a time; the hour is over with the first record of a
 * later one, and what comes late counts in the hour that is open. Names: `records`, `flagged` (records with a label), those of notes, and of the rules
 * that stamped a record, `<rule>` and `<rule> flagged`. Kept with each commit.
 */
export class Tallies {
  readonly #byFeed = new Map<string, Map<ActorId, Tally>>();
  readonly #changed = new Set<Tally>();

  /** Reads what the store holds of these feeds. */
  restore(store: Pick<Store, "range">, feeds: Iterable<string>): void {
    for (const feed of feeds) {
      const prefix = `${PREFIX}${feed} `;
      for (const [key, bytes] of store.range("feed", prefix)) {
        const { hour, counts } = JSON.parse(Buffer.from(bytes).toString()) as Pick<Tally, "hour" | "counts">;
        this.#of(feed).set(actorIdFrom(key.slice(prefix.length)), { key, hour, counts });
      }
    }
  }

  /** Counts a record. Returns the hour that it has ended, if it has ended one. */
  take(
    feed: string,
    actor: ActorId,
    atMs: number,
    flagged: boolean,
    notes: readonly string[],
    rules: readonly string[],
  ): HourTallied | null {
    const hour = Math.floor(atMs / HOUR_MS);
    const known = this.#of(feed);
    let tally = known.get(actor);
    if (tally === undefined) {
      tally = { key: `${PREFIX}${feed} ${actor}`, hour, counts: {} };
      known.set(actor, tally);
    }
    let ended: HourTallied | null = null;
    if (hour > tally.hour) {
      ended = { type: "hour_tallied", feed, hour: tally.hour, counts: tally.counts };
      tally.hour = hour;
      tally.counts = {};
    }
    const { counts } = tally;
    counts["records"] = (counts["records"] ?? 0) + 1;
    if (flagged) counts["flagged"] = (counts["flagged"] ?? 0) + 1;
    for (const note of notes) counts[note] = (counts[note] ?? 0) + 1;
    for (const rule of rules) {
      counts[rule] = (counts[rule] ?? 0) + 1;
      if (flagged) counts[`${rule} flagged`] = (counts[`${rule} flagged`] ?? 0) + 1;
    }
    this.#changed.add(tally);
    return ended;
  }

  takeChanges(into: ChangedRow[]): void {
    for (const { key, hour, counts } of this.#changed)
      into.push({ table: "feed", key, value: Buffer.from(JSON.stringify({ hour, counts })) });
    this.#changed.clear();
  }

  #of(feed: string): Map<ActorId, Tally> {
    const known = this.#byFeed.get(feed);
    if (known !== undefined) return known;
    const fresh = new Map<ActorId, Tally>();
    this.#byFeed.set(feed, fresh);
    return fresh;
  }
}
