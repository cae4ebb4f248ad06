import { Absentees } from "./absentees.ts";
import type { ChangedRow } from "./commit.ts";
import { Counters } from "./counters.ts";
import { decodeFact, factPrefix } from "./fact_codec.ts";
import { invariant } from "./fault.ts";
import type { Feed } from "./feed.ts";
import { Gaps } from "./gaps.ts";
import { History, type HistoryOptions, type VersionChange } from "./history.ts";
import { type ActorId, SourceId } from "./ids.ts";
import type { Limits } from "./limits.ts";
import { type AnyBehaviour, type Place, Population } from "./population.ts";
import type { RuleTable } from "./rule_table.ts";
import { type FeedSchema, growsByItself, type SchemaSettings } from "./schema.ts";
import { restoredSchema } from "./schema_version.ts";
import { requireShapes } from "./shapes.ts";
import type { Lookahead } from "./source.ts";
import type { Store } from "./store.ts";
import { Strays } from "./strays.ts";
import { NewColumns, Survey, undecided } from "./survey.ts";
import type { ResolvedTable } from "./table.ts";
import { Tallies } from "./tallies.ts";
import { parseTimerKey, TimerQueue } from "./timers.ts";
import { TOLD_GROUP } from "./told.ts";
import { Tracer } from "./tracer.ts";
import { indexRows, isIndexed } from "./version_index.ts";
import { FeedClock } from "./watermark.ts";

/** So many facts are kept in memory between commits, swept; those of other actors are read from the store when a change comes. */
const FACTS_HELD_MAX = 20_000;

/** What an engine is made of, as values: the grid (or any other field), with nothing of brokers and files. */
export interface Domain {
  readonly behaviours: readonly AnyBehaviour[];
  readonly feeds: readonly Feed[];
  readonly tables: readonly ResolvedTable[];
}

export interface WorldOptions {
  /** Shard name, the last part of every event's `source`. */
  readonly name: string;
  readonly domain: Domain;
  readonly rules: RuleTable;
  readonly schemas: ReadonlyMap<string, SchemaSettings>;
  readonly limits: Limits;
  /** Whether an actor lives here. Left out: all do. */
  readonly owns?: (id: ActorId) => boolean;
}

/**
 * Everything a turn reads and changes: the memory of one engine. Restored from the store at start; after that the store only receives
 * (except for actors and facts touched for the first time).
 */
export class World {
  readonly name: string;
  readonly rules: RuleTable;
  readonly limits: Limits;
  readonly population: Population;
  readonly feeds: ReadonlyMap<string, Feed>;
  readonly tables: ReadonlyMap<string, ResolvedTable>;
  readonly clocks: ReadonlyMap<string, FeedClock>;
  readonly timers: ReadonlyMap<string, TimerQueue>;
  readonly schemas: Map<string, FeedSchema>;
  readonly counters = new Counters();
  readonly tallies = new Tallies();
  readonly strays: Strays;
  readonly gaps: Gaps;
  /** What the next commit has to say of the shapes of states; null: nothing new. */
  shapes: ChangedRow | null;
  /** Since the start. */
  timersFired = 0;
  nextSequence: number;
  actorCount: number;
  readonly owns: (id: ActorId) => boolean;
  /** Tells up to this number were handed over elsewhere: the next commits forget them. */
  handedOver = 0;
  /** Up to this number they are forgotten. */
  forgotten = 0;
  readonly tracer = new Tracer();
  readonly #histories = new Map<ActorId, History>();
  #factsHeld = 0;
  readonly #store: Store;

  constructor(options: WorldOptions, store: Store) {
    const { behaviours, feeds, tables } = options.domain;
    this.name = options.name;
    this.rules = options.rules;
    this.limits = options.limits;
    this.owns = options.owns ?? (() => true);
    this.#store = store;
    this.shapes = requireShapes(store, options.domain);
    this.nextSequence = store.nextSequence;
    this.strays = new Strays(this.counters, store, options.limits.keysMax);
    this.gaps = new Gaps(
      store,
      feeds.map(({ name }) => name),
    );
    this.feeds = new Map(feeds.map((feed) => [feed.name, feed]));
    this.tables = new Map(tables.map((table) => [table.name, table]));
    this.clocks = new Map(feeds.map((feed) => [feed.name, new FeedClock(feed.name, feed.clockDelayMs)]));
    this.timers = new Map(feeds.map((feed) => [feed.name, new TimerQueue()]));
    this.schemas = new Map(
      feeds.map((feed) => [feed.name, { ...restoredSchema(store, feed, options.schemas.get(feed.name)), taken: this.#taken(feed) }]),
    );
    this.population = new Population(behaviours, windowedKinds(behaviours, this.feeds), store);
    this.#restore();
    this.actorCount = Object.values(this.counters.group("actor")).reduce((sum, count) => sum + count, 0);
  }

  feed(name: string): Feed {
    const feed = this.feeds.get(name);
    invariant(feed !== undefined, `feed ${name} is declared`);
    return feed;
  }

  table(name: string): ResolvedTable {
    const table = this.tables.get(name);
    invariant(table !== undefined, `table ${name} is declared`);
    return table;
  }

  schema(feed: string): FeedSchema {
    const schema = this.schemas.get(feed);
    invariant(schema !== undefined, `feed ${feed} has a schema`);
    return schema;
  }

  /** Looks ahead at records of a feed. */
  survey(feed: string): Survey {
    return new Survey(this.feed(feed), this.schema(feed), this.limits);
  }

  /** Looks ahead at a file of a feed; null: nothing is to be learnt from that in its mode. */
  lookahead(feed: string): Lookahead | null {
    const schema = this.schema(feed);
    if (!growsByItself(schema) && schema.mode !== "failOnNewColumns") return null;
    const survey = this.survey(feed);
    return {
      add: (record) => survey.add(record),
      sights: () => survey.sights(),
      holdup: () => {
        const columns = undecided(this.schema(feed), survey.sights());
        return columns.length > 0 ? new NewColumns(feed, columns) : null;
      },
    };
  }

  /** Compares snapshots of a feed with what the store holds by then. */
  absentees(name: string): Absentees {
    const feed = this.feed(name);
    const { absence } = feed;
    const history = absence === null ? undefined : this.population.kinds.get(absence.kind)?.behaviour.history;
    invariant(absence !== null && history !== undefined, `absence means something for feed ${name}`);
    return new Absentees({ feed, absence, history, schema: this.schema(name), store: this.#store, limits: this.limits });
  }

  clock(feed: string): FeedClock {
    const clock = this.clocks.get(feed);
    invariant(clock !== undefined, `feed ${feed} has a clock`);
    return clock;
  }

  timerQueue(feed: string): TimerQueue {
    const queue = this.timers.get(feed);
    invariant(queue !== undefined, `feed ${feed} has timers`);
    return queue;
  }

  /** The stored row of a record in quarantine. */
  quarantined(id: string): Uint8Array | null {
    return this.#store.get("quarantine", id);
  }

  /** The history of an actor. */
  history(id: ActorId, options: HistoryOptions): History {
    const held = this.#histories.get(id);
    if (held !== undefined) return held;
    const facts = [...this.#store.range("fact", factPrefix(id))].map(([key, bytes]) => decodeFact(key, bytes));
    const history = new History(id, facts, options, isIndexed(this.#store, id, options, facts.length));
    this.setHistory(history);
    return history;
  }

  /** The rows of versions that a change of a history makes; null: it has none. */
  indexRows(before: History, after: History, changes: readonly VersionChange[]): readonly ChangedRow[] | null {
    return indexRows(before, after, changes, this.#store);
  }

  setHistory(history: History): void {
    const held = this.#histories.get(history.key); // One without facts takes its place, too.
    this.#factsHeld += 1 + history.facts.length - (held === undefined ? 0 : 1 + held.facts.length);
    this.#histories.set(history.key, history);
  }

  /** After a commit: what the store holds need not be held here. */
  trim(): void {
    if (this.#factsHeld <= FACTS_HELD_MAX) return;
    this.#histories.clear();
    this.#factsHeld = 0;
  }

  /** Names in the feed's table that are not the feed's. */
  #taken({ table }: Feed): readonly string[] {
    const { columns = [], ofFeed = 0 } = table === null ? {} : (this.tables.get(table) ?? {});
    return columns.slice(ofFeed).map(([name]) => name.toLowerCase());
  }

  #restore(): void {
    for (const [key, value] of this.#store.range("count", "")) this.counters.restore(key, value);
    const [kept] = this.#store.range("tell", "");
    this.forgotten = kept === undefined ? (this.counters.group(TOLD_GROUP)["away"] ?? 0) : Number(kept[0]) - 1;
    this.handedOver = this.forgotten;
    this.tallies.restore(this.#store, this.feeds.keys());
    for (const [key] of this.#store.range("timer", "")) {
      const row = parseTimerKey(key);
      this.timers.get(row.feed)?.push(row);
    }
    for (const [key, value] of this.#store.range("partition", "")) {
      const { feed, latestMs, idle } = JSON.parse(Buffer.from(value).toString()) as {
        feed: string;
        latestMs: number | null;
        idle: boolean;
      };
      const partition = this.clocks.get(feed)?.partition(SourceId(key));
      if (partition !== undefined) Object.assign(partition, { latestMs: latestMs ?? Number.NEGATIVE_INFINITY, idle });
    }
    for (const [feed, clock] of this.clocks) {
      const clockBytes = this.#store.get("feed", `clock ${feed}`);
      if (clockBytes !== null) clock.clockMs = Number(Buffer.from(clockBytes).toString());
    }
  }
}

function windowedKinds(behaviours: readonly AnyBehaviour[], feeds: ReadonlyMap<string, Feed>): ReadonlySet<string> {
  return new Set(behaviours.filter(({ clocks }) => clocks.some((feed) => feeds.get(feed)?.dedup === "window")).map(({ kind }) => kind));
}

/** Moves a place's cursor to its slot. */
export function aim({ kind, slot }: Place): void {
  kind.slab.move(kind.cursor, slot);
}
