import { type AlertFacts, alertCells } from "./alert_event.ts";
import type { HeldAlert, HeldRecord, Out, Woken } from "./behaviour.ts";
import type { ChangedRow } from "./commit.ts";
import type { AlertChange, CellValue, Origin, Severity } from "./emission.ts";
import {
  amend as amendEpisode,
  type Episode,
  type EpisodeContext,
  type EpisodeStep,
  isOpen,
  observe as observeEpisode,
  release as releaseEpisode,
  suppress as suppressEpisode,
  wake as wakeEpisode,
} from "./episode.ts";
import { encodeFact, factKey } from "./fact_codec.ts";
import { type Fault, fault, invariant } from "./fault.ts";
import type { Row } from "./feed.ts";
import type { Grounds } from "./grounds.ts";
import type { Fact, History, HistoryChange, Remembered, Version } from "./history.ts";
import { ActorId, SourceId } from "./ids.ts";
import type { LogDraft } from "./log_draft.ts";
import type { NoteCode } from "./note.ts";
import type { Kind, Place } from "./population.ts";
import { type RowCause, writeCells, writeRow } from "./row_codec.ts";
import { revisionRow } from "./row_reviser.ts";
import type { Observation, Rule, RuleLimits } from "./rule.ts";
import type { RuleScope } from "./rule_table.ts";
import type { SourceRecord } from "./source.ts";
import type { ResolvedTable } from "./table.ts";
import type { TimerChanges, TimerRow } from "./timers.ts";
import { encodeTold, TOLD_GROUP, type Told, toldKey } from "./told.ts";
import { utcDate } from "./utc_date.ts";
import { addCount, countOf, setCount } from "./vitals.ts";
import type { Kept, Timer, Warm } from "./warm_codec.ts";
import { aim, type World } from "./world.ts";

/** Timers of this prefix are the engine's own: they end pulses and delays of episodes. */
const EPISODE_TIMER = "alert:";

/** Of a record that an actor holds in its state this much is kept. */
const HELD_BYTES_MAX = 2_048;

/** Kinds that an alert's path names, from the top. */
const ABOVE = ["region", "substation", "transformer"];

type AnyMessage = { readonly type: string };

/** Where a root comes from: a record of a feed, or a timer. One object serves all records of a batch. */
export class Cause implements RowCause {
  readonly feed: string;
  readonly head: Uint8Array;
  readonly origin: Origin;
  readonly source: string | null;
  readonly positions: string;
  /** The decoded row of a record; null for a timer. */
  row: Row | null = null;
  extra: Readonly<Record<string, CellValue>> | null = null;
  rescued: string | null = null;
  schemaVersion = 1;
  at = -1;
  arrivedAtMs = 0;
  /** Dedup key of a record; `<actor>/<name>/<due>` of a timer. */
  key = "";
  date = "";
  /** Of a record: relative path of its file, its time, and itself. */
  path: string | null = null;
  eventTimeMs = 0;
  record: SourceRecord | null = null;

  /** `positions`: what the record's number is put behind; of a timer, the whole position. */
  constructor(feed: string, head: Uint8Array, origin: Origin, source: string | null, positions: string) {
    this.feed = feed;
    this.head = head;
    this.origin = origin;
    this.source = source;
    this.positions = positions;
  }

  /** A timer has its whole position in the head. */
  get position(): string {
    return this.row === null ? this.positions : `${this.positions}${this.at}`;
  }
}

/** What the roots of a turn add up to. */
export interface Effects {
  readonly log: LogDraft;
  readonly rows: ChangedRow[];
  readonly timers: TimerChanges;
}

/** A record that cannot be processed, found while it is being processed. */
export class Refused extends Error {
  readonly fault: Fault;
  constructor(refusal: Fault) {
    super(refusal.error);
    this.fault = refusal;
  }
}

/** A warm part whose maps may be written. */
type WritableWarm = Warm & { timers: Map<string, Timer>; episodes: Map<string, Episode> };

interface Tell {
  readonly id: ActorId;
  readonly message: AnyMessage;
  readonly hops: number;
}

interface PendingRow {
  readonly table: ResolvedTable;
  readonly actor: ActorId;
  readonly columns: Readonly<Record<string, CellValue>>;
}

/** An actor that a root has touched, as it was before. */
interface Touched {
  kind: Kind;
  slot: number;
  words: Uint32Array;
  /** Where it was; 0: nowhere. */
  ownBefore: number;
  /** The behaviour may have changed its own state. */
  ownTouched: boolean;
  /** Not null: the engine has changed what it keeps, and this is what it was. */
  keptBefore: Kept | null;
}

/**
 * One record, or one timer, with everything it leads to. `begin`, then `deliver` and `settleTells`, then `finish`, which encodes all effects
 * and hands them to the turn; or `undo`, after which nothing but the feed's clock has changed. One object serves all roots, one after another.
 */
export class Root implements Out<AnyMessage> {
  self: ActorId = ActorId("", "");
  late = false;
  conflict = false;
  isDuplicate = false;
  readonly #world: World;
  #cause: Cause | null = null;
  #touchedCount = 0;
  readonly #touched: Touched[] = [];
  #current: Touched | null = null;
  #hops = 0;
  readonly #tells: Tell[] = [];
  /** Encoded tells to actors that live elsewhere. */
  readonly #away: Uint8Array[] = [];
  readonly #alerts: AlertFacts[] = [];
  readonly #curated: PendingRow[] = [];
  readonly #stamps: string[] = [];
  readonly #notes: NoteCode[] = [];
  /** Records held by actors that have turned out bad. The turn takes them when the root is done. */
  readonly rejected: { readonly record: HeldRecord; readonly fault: Fault; readonly actor: ActorId }[] = [];
  readonly #rows: ChangedRow[] = [];
  readonly #histories = new Map<ActorId, History>();
  readonly #born: Place[] = [];
  /** How the number of orphans of a kind changes. */
  readonly #orphans: { readonly kind: string; readonly change: 1 | -1 }[] = [];
  /** How the number of open alerts changes. */
  readonly #opened: { readonly rule: string; readonly severity: Severity; readonly by: 1 | -1 }[] = [];
  readonly #timers: TimerRow[] = [];
  readonly #timersGone: TimerRow[] = [];
  readonly #lists: readonly unknown[][] = [
    this.#tells,
    this.#away,
    this.#alerts,
    this.#curated,
    this.#stamps,
    this.#notes,
    this.rejected,
    this.#rows,
    this.#born,
    this.#orphans,
    this.#opened,
    this.#timers,
    this.#timersGone,
  ];
  readonly #scopeNow = (): RuleScope => this.#scope();
  readonly #markOwn = (): void => {
    if (this.#current !== null) this.#current.ownTouched = true;
  };

  constructor(world: World) {
    this.#world = world;
  }

  begin(cause: Cause): void {
    if (cause.feed !== this.#cause?.feed) this.#noteGroup = `note ${cause.feed}`;
    this.#cause = cause;
    this.#touchedCount = 0;
    this.late = false;
    this.conflict = false;
    this.isDuplicate = false;
    this.#hops = 0;
    this.#clear();
  }

  /** The actor's place, its before-image kept, the cursor at it. Throws `Refused` if it would be one actor too many. */
  touch(id: ActorId): Place {
    const { population } = this.#world;
    const kind = population.kind(id);
    const slot = population.slot(kind, id, this.#bear);
    this.self = id;
    kind.slab.move(kind.cursor, slot);
    const n = kind.touched(slot);
    const touched = n < this.#touchedCount ? this.#touched[n] : undefined;
    if (touched?.kind === kind && touched.slot === slot) this.#current = touched;
    else this.#current = this.#keepBefore(kind, slot);
    if (this.#bornNow) this.#born.push({ kind, slot });
    this.#bornNow = false;
    return this.#current;
  }

  deliver(place: Place, message: AnyMessage | Woken): void {
    const state = place.kind.stateAt(place.slot, this.#markOwn);
    const { tracer } = this.#world;
    if (tracer.isOn) tracer.tell({ actor: this.self, message, feed: this.#now().feed, position: this.#now().position, late: this.late });
    place.kind.behaviour.receive(state, message, this);
  }

  /** Runs all tells, in order, with those that they lead to. */
  settleTells(): void {
    for (let n = 0; n < this.#tells.length; n += 1) {
      const { id, message, hops } = this.#tells[n] as Tell;
      this.#hops = hops;
      if (this.#world.owns(id)) this.deliver(this.touch(id), message);
      else this.#away.push(this.#told(id, message, hops));
    }
  }

  /** Lets an actor hear what another one, elsewhere, has told it. After `begin`. */
  hear({ id, message, hops, late }: Pick<Told, "id" | "message" | "hops" | "late">): void {
    this.late = late;
    this.#hops = hops;
    this.deliver(this.touch(id), message);
    this.settleTells();
  }

  /** Wakes the touched actor: its timer `row` is due at its true time. `clockMs`: where the clock is going, `steppedMs`: how far from where it was. */
  wake(row: TimerRow, clockMs: number, steppedMs: number): void {
    const place = this.#place();
    this.cancelTimer(row);
    if (!row.name.startsWith(EPISODE_TIMER)) {
      this.deliver(place, { type: "woken", name: row.name, dueMs: row.dueMs, clockMs, steppedMs });
      this.settleTells();
      return;
    }
    const id = row.name.slice(EPISODE_TIMER.length);
    if (!this.#world.rules.has(id)) return; // The program has this rule no more.
    const rule = this.#world.rules.rule(id);
    const episode = this.warm().episodes.get(rule.id);
    if (episode !== undefined) this.#keep(place, rule, episode, wakeEpisode(episode, rule, row.dueMs));
    this.settleTells();
  }

  /** Takes the touched actor's timer away, with its row. */
  cancelTimer(row: TimerRow): void {
    this.warm().timers.delete(row.name);
    this.#timersGone.push(row);
  }

  /** The row of a timer that was set again to a later time follows it. */
  moveTimer(row: TimerRow, dueMs: number): void {
    this.#timersGone.push(row);
    this.#setTimer(this.warm().timers, { feed: row.feed, dueMs, rowMs: dueMs }, row.name);
  }

  /** The touched actor's warm part, to write. Its maps are its own until the root is done; before-images hold the old ones. */
  warm(): WritableWarm {
    const { kind, slot } = this.#place();
    const warm = kind.warm(slot);
    const touched = this.#current as Touched;
    if (touched.keptBefore === null) {
      touched.keptBefore = { timers: warm.timers, episodes: warm.episodes, overflow: warm.overflow };
      warm.timers = new Map(warm.timers);
      warm.episodes = new Map(warm.episodes);
    }
    return warm as WritableWarm;
  }

  /** Moves the touched actor's episode of a rule by what is no observation of its own. Null: there is none. */
  moveEpisode(id: string, move: (episode: Episode, rule: Rule) => EpisodeStep): EpisodeStep | null {
    const place = this.#place();
    const episode = place.kind.peekWarm(place.slot)?.episodes.get(id);
    if (episode === undefined) return null;
    const rule = this.#world.rules.rule(id);
    const step = move(episode, rule);
    this.#keep(place, rule, episode, step);
    return step;
  }

  // What behaviours may do. -----------------------------------------------------------------------------------------------------------

  tell(id: ActorId, message: AnyMessage): void {
    const { hopsMax, tellsMax } = this.#world.limits;
    if (this.#hops >= hopsMax)
      throw new Refused(fault("hop_limit", `a tell to ${id} would be hop ${this.#hops + 1}, at most ${hopsMax} are run`));
    if (this.#tells.length >= tellsMax) throw new Refused(fault("hop_limit", `a record may lead to ${tellsMax} tells at most`));
    this.#tells.push({ id, message, hops: this.#hops + 1 });
  }

  observe(id: string, observation: Observation): void {
    const place = this.#place();
    if (observation.holds !== true && !this.hasEpisode(id)) return;
    const { rules } = this.#world;
    if (!rules.enabled(id)) return;
    const rule = rules.rule(id);
    if (observation.holds === true && rule.stamps === true) this.#stamps.push(id);
    const episode = place.kind.peekWarm(place.slot)?.episodes.get(id) ?? null;
    if (episode === null && observation.holds !== true) return;
    if (episode === null && this.#hasAllEpisodes(place)) return this.#world.counters.add("refused", "episodes", 1);
    const context: EpisodeContext = {
      actor: this.self,
      late: this.late,
      origin: this.late ? "late" : this.#now().origin,
      coveredBy: (raised, atMs) => this.#coveredBy(place, rule, raised, atMs),
    };
    this.#keep(place, rule, episode, observeEpisode(episode, rule, observation, context), observation);
  }

  alertOf(rule: string): HeldAlert | null {
    const { kind, slot } = this.#place();
    const episode = kind.peekWarm(slot)?.episodes.get(rule);
    if (episode === undefined || episode.revision === 0) return null;
    const { alertId, onsetMs, endsAtMs, lastHitMs, value, limit } = episode;
    return { alertId, isOpen: isOpen(episode), onsetMs, endsAtMs, lastHitMs, value, limit };
  }

  amend(id: string, observation: Observation): void {
    const place = this.#place();
    const episode = place.kind.peekWarm(place.slot)?.episodes.get(id);
    if (episode === undefined) return;
    const { feed } = this.#now();
    const oldestMs = this.#world.clock(feed).latestMs() - this.#world.limits.correctionWindowMs;
    if ((episode.endsAtMs ?? Number.POSITIVE_INFINITY) < oldestMs) return this.note("correction");
    this.#keep(place, this.#world.rules.rule(id), episode, amendEpisode(episode, observation), observation);
  }

  cover(by: string, covers: (rule: Rule, severity: Severity) => boolean, atMs: number): void {
    this.#moveEpisodes(
      (episode, rule) => episode.revision > 0 && covers(rule, episode.severity),
      (episode) => suppressEpisode(episode, by, atMs),
    );
  }

  uncover(by: string, atMs: number): void {
    const place = this.#place();
    this.#moveEpisodes(
      ({ suppressedBy }) => suppressedBy === by,
      (episode, rule) => releaseEpisode(episode, rule, atMs, this.#coveredBy(place, rule, episode, atMs)),
    );
  }

  hasEpisode(rule: string): boolean {
    const { kind, slot } = this.#place();
    if (countOf(kind.cursor, kind.at, "openEpisodes") === 0) return false;
    const episode = kind.peekWarm(slot)?.episodes.get(rule);
    return episode !== undefined && isOpen(episode);
  }

  curate(table: string, columns: Readonly<Record<string, CellValue>>): void {
    this.#curated.push({ table: this.#world.table(table), actor: this.self, columns });
  }

  wakeAt(name: string, atMs: number | null): void {
    const { timers } = this.warm();
    const { feed } = this.#now();
    const before = timers.get(name);
    if (atMs === null) {
      timers.delete(name);
      if (before !== undefined) this.#timersGone.push({ feed: before.feed, dueMs: before.rowMs, actor: this.self, name });
      return;
    }
    const dueMs = Math.ceil(atMs);
    if (before !== undefined && before.feed === feed && before.rowMs <= dueMs) {
      timers.set(name, { feed, dueMs, rowMs: before.rowMs });
      return;
    }
    if (before === undefined && timers.size >= this.#world.limits.timersPerActorMax)
      return this.#world.counters.add("refused", "timers", 1);
    if (before !== undefined) this.#timersGone.push({ feed: before.feed, dueMs: before.rowMs, actor: this.self, name });
    this.#setTimer(timers, { feed, dueMs, rowMs: dueMs }, name);
  }

  limits(rule: string): RuleLimits {
    return this.#world.rules.limits(rule, this.self, this.#scopeNow);
  }

  note(code: NoteCode): void {
    this.#notes.push(code);
  }

  duplicate(): void {
    this.isDuplicate = true;
  }

  remember(change: HistoryChange): Remembered {
    const before = this.#history();
    const { history, fact, remembered } = before.add(change, this.#now().arrivedAtMs);
    if (fact === null) return remembered;
    this.#rows.push({ table: "fact", key: factKey(this.self, fact), value: encodeFact(fact) });
    const index = this.#world.indexRows(before, history, remembered.changes);
    if (index !== null) for (const row of index) this.#rows.push(row);
    this.#histories.set(this.self, index === null ? history : history.indexed());
    return remembered;
  }

  versions(): readonly Version[] {
    return this.#history().versions;
  }

  facts(prefix: string): readonly Fact[] {
    return this.#history().factsFrom(prefix);
  }

  held(): HeldRecord {
    const { row, source, path, positions, at, arrivedAtMs, eventTimeMs, record } = this.#now();
    invariant(row !== null && source !== null && record !== null, "a record is being processed");
    const { bytes } = record;
    const text = Buffer.from(bytes.subarray(0, HELD_BYTES_MAX)).toString();
    return { source: SourceId(source), path, position: `${positions}${at}`, arrivedAtMs, eventTimeMs, sizeBytes: bytes.length, text };
  }

  reject(record: HeldRecord, fault: Fault): void {
    this.rejected.push({ record, fault, actor: this.self });
  }

  linked(isLinked: boolean): void {
    this.#orphans.push({ kind: this.#place().kind.behaviour.kind, change: isLinked ? -1 : 1 });
  }

  reviseRows(table: string): void {
    this.#rows.push(revisionRow(this.self, table, this.#world.nextSequence));
  }

  // The end of a root. ----------------------------------------------------------------------------------------------------------------

  /** Ids of the record rules that fired, in order, or null. */
  get stamps(): string | null {
    return this.#stamps.length === 0 ? null : this.#stamps.join(",");
  }

  /** Data-quality notes of the record, in order. */
  get notes(): readonly NoteCode[] {
    return this.#notes;
  }

  /** Seals every touched actor and encodes all emissions. Only when all of that has worked do the effects become those of the turn. */
  finish({ log, rows, timers }: Effects): void {
    const { limits, counters } = this.#world;
    for (let n = 0; n < this.#touchedCount; n += 1) this.#seal(this.#touched[n] as Touched, limits.warmBytesMax);
    log.mark();
    try {
      for (const alert of this.#alerts) this.#emitAlert(alert, log);
      this.#emitRows(log);
    } catch (error) {
      log.backToMark();
      throw error;
    }
    for (const row of this.#rows) rows.push(row);
    for (const value of this.#away) {
      counters.add(TOLD_GROUP, "away", 1);
      rows.push({ table: "tell", key: toldKey(counters.group(TOLD_GROUP)["away"] ?? 0), value });
    }
    for (const history of this.#histories.values()) this.#world.setHistory(history);
    for (const timer of this.#timersGone) timers.delete(timer);
    for (const timer of this.#timers) {
      timers.put(timer);
      this.#world.timerQueue(timer.feed).push(timer);
    }
    for (const { kind } of this.#born) {
      counters.add("actor", kind.behaviour.kind, 1);
      if (kind.behaviour.hasMaster === true) counters.add("orphan", kind.behaviour.kind, 1);
    }
    for (const { kind, change } of this.#orphans) counters.add("orphan", kind, change);
    this.#world.actorCount += this.#born.length;
    for (const code of this.#notes) counters.add(this.#noteGroup, code, 1);
    for (const { rule, change, episode } of this.#alerts) {
      if (change === "raised") counters.add("alert", rule.id, 1);
      counters.add(`event ${rule.id} ${episode.severity}`, change, 1);
    }
    for (const { rule, severity, by } of this.#opened) counters.add(`open ${rule}`, severity, by);
  }

  /** Puts back every part that was touched. */
  undo(): void {
    for (let n = 0; n < this.#touchedCount; n += 1) {
      const { kind, slot, words, ownBefore, keptBefore } = this.#touched[n] as Touched;
      kind.slab.move(kind.cursor, slot);
      const { u32, u } = kind.cursor;
      for (let i = 0; i < kind.slab.plan.strideBytes / 4; i += 1) u32[u + i] = words[i] as number;
      kind.undo(slot, { own: ownBefore, kept: keptBefore });
    }
    for (const { kind, slot } of this.#born) kind.forget(slot);
    this.#clear();
  }

  // Inside. ---------------------------------------------------------------------------------------------------------------------------

  #bornNow = false;
  #noteGroup = "";

  /** Names that come from outside are bounded when a record is decoded; this holds for ids that actors make of what they know, too. */
  readonly #bear = (id: ActorId): void => {
    const { limits, actorCount } = this.#world;
    if (id.length * 3 > limits.actorIdBytesMax && Buffer.byteLength(id) > limits.actorIdBytesMax) {
      throw new Refused(fault("bad_id", `the id of an actor has ${limits.actorIdBytesMax} bytes at most`));
    }
    if (actorCount + this.#born.length >= limits.actors)
      throw new Refused(fault("actor_limit", `this engine keeps ${limits.actors} actors at most`));
    this.#bornNow = true;
  };

  #keepBefore(kind: Kind, slot: number): Touched {
    const n = this.#touchedCount;
    let touched = this.#touched[n];
    if (touched === undefined) {
      touched = { kind, slot, words: new Uint32Array(0), ownBefore: 0, ownTouched: false, keptBefore: null };
      this.#touched.push(touched);
    }
    const length = kind.slab.plan.strideBytes / 4;
    if (touched.words.length < length) touched.words = new Uint32Array(length);
    const { u32, u } = kind.cursor;
    const { words } = touched;
    for (let i = 0; i < length; i += 1) words[i] = u32[u + i] as number;
    touched.kind = kind;
    touched.slot = slot;
    touched.ownBefore = kind.sealedOwn(slot);
    touched.ownTouched = false;
    touched.keptBefore = null;
    kind.keepTouched(slot, n);
    this.#touchedCount = n + 1;
    return touched;
  }

  #told(id: ActorId, message: AnyMessage, hops: number): Uint8Array {
    const cause = this.#now();
    const { feed, head, at, position, origin, source, path, arrivedAtMs, eventTimeMs, key, date, schemaVersion } = cause;
    const about = { feed, head, at, position, origin, source, path, arrivedAtMs, eventTimeMs, key, date, schemaVersion };
    return encodeTold({ id, message, hops, late: this.late, cause: about });
  }

  #place(): Place {
    invariant(this.#current !== null, "an actor is being processed");
    return this.#current;
  }

  #now(): Cause {
    invariant(this.#cause !== null, "a root has begun");
    return this.#cause;
  }

  /** The history of the touched actor. */
  #history(): History {
    const options = this.#place().kind.behaviour.history;
    invariant(options !== undefined, `${this.self} is of a kind with a history`);
    return this.#histories.get(this.self) ?? this.#world.history(this.self, options);
  }

  #setTimer(timers: Map<string, Timer>, timer: Timer, name: string): void {
    timers.set(name, timer);
    const row = { feed: timer.feed, dueMs: timer.rowMs, actor: this.self, name };
    this.#timers.push(row);
  }

  #countOpen(rule: string, before: Episode | null, after: Episode | null): void {
    const was = toldAs(before);
    const is = toldAs(after);
    if (was === is) return;
    if (was !== null) this.#opened.push({ rule, severity: was, by: -1 });
    if (is !== null) this.#opened.push({ rule, severity: is, by: 1 });
  }

  #keep(place: Place, rule: Rule, before: Episode | null, step: EpisodeStep, observation: Observation | null = null): void {
    if (step.episode === before && step.changes.length === 0 && step.wakeAtMs === undefined) return;
    const warm = this.warm();
    if (step.episode === null) warm.episodes.delete(rule.id);
    else warm.episodes.set(rule.id, step.episode);
    let open = 0;
    for (const episode of warm.episodes.values()) if (isOpen(episode)) open += 1;
    setCount(place.kind.cursor, place.kind.at, "openEpisodes", open);
    if (step.wakeAtMs !== undefined) this.wakeAt(`${EPISODE_TIMER}${rule.id}`, step.wakeAtMs);
    this.#countOpen(rule.id, before, step.episode);
    if (step.changes.length === 0) return;
    const path = this.#path(place);
    const grounds = observation === null ? null : this.#grounds(place, rule, observation);
    for (const { change, episode, atMs } of step.changes) {
      this.#tellAlert(place, rule, change, episode, atMs);
      const isOfIt = change === "amended" || (atMs === observation?.atMs && episode === step.episode); // The end of a pulse, found out only now, is not.
      this.#alerts.push({ change, episode, atMs, actor: this.self, rule, path, grounds: isOfIt ? grounds : null });
      if (change === "raised") addCount(place.kind.cursor, place.kind.at, "alerts", 1);
    }
  }

  /** Only episodes that are published: what is suspected is nobody else's. */
  #moveEpisodes(fits: (episode: Episode, rule: Rule) => boolean, move: (episode: Episode, rule: Rule) => EpisodeStep): void {
    const { kind, slot } = this.#place();
    if (countOf(kind.cursor, kind.at, "openEpisodes") === 0) return;
    for (const [id, episode] of [...(kind.peekWarm(slot)?.episodes ?? [])]) {
      if (isOpen(episode) && this.#world.rules.has(id) && fits(episode, this.#world.rules.rule(id))) this.moveEpisode(id, move);
    }
  }

  #coveredBy({ kind, slot }: Place, rule: Rule, { severity, flags }: Episode, atMs: number): string | null {
    const { behaviour } = kind;
    if (behaviour.coveredBy === undefined) return null;
    const alert = { rule, severity, isLatched: rule.latched === true || flags.includes("latched"), atMs };
    return behaviour.coveredBy(kind.look(slot), alert, () => this.versions());
  }

  #tellAlert(
    { kind, slot }: Place,
    rule: Rule,
    change: AlertChange,
    { alertId, severity, state, flags, suppressedBy }: Episode,
    atMs: number,
  ): void {
    const isOver = state === "cleared" || state === "retracted";
    const { behaviour } = kind;
    if (behaviour.alerted === undefined || (change !== "raised" && !isOver)) return;
    const isLatched = rule.latched === true || flags.includes("latched");
    behaviour.alerted(kind.look(slot), { rule, alertId, severity, isLatched, isOver, isCovered: suppressedBy !== null, atMs }, this);
  }

  /** What an event rests on: made once for an event, never for a reading. The statistics after the record are added when it is written. */
  #grounds({ kind, slot }: Place, rule: Rule, { evidence, atMs }: Observation): Grounds {
    const { behaviour } = kind;
    return {
      facts: evidence ?? {},
      limits: this.limits(rule.id),
      limitsFrom: this.#world.rules.limitsFrom(rule.id, this.self, this.#scopeNow),
      before: behaviour.rolling?.(kind.look(slot), this.self) ?? null,
      after: null,
      versions: behaviour.inForce?.(kind.look(slot), this.self, atMs, () => this.versions()) ?? [],
    };
  }

  #hasAllEpisodes({ kind, slot }: Place): boolean {
    return (kind.peekWarm(slot)?.episodes.size ?? 0) >= this.#world.limits.episodesPerActorMax;
  }

  /** Links in force from region down, without the actor, as one text. */
  #path({ kind, slot }: Place): string {
    const links = kind.behaviour.links(kind.look(slot), this.self);
    let path = "";
    for (const above of ABOVE) if (links[above] !== undefined) path += path === "" ? links[above] : ` ${links[above]}`;
    return path;
  }

  #scope(): RuleScope {
    const { kind, slot } = this.#place();
    const { attributes } = kind.behaviour.describe(kind.look(slot), this.self, null);
    return { region: textOr(attributes["region"]), tariff: textOr(attributes["tariff_category"]) };
  }

  #seal({ kind, slot, ownTouched, keptBefore }: Touched, bytesMax: number): void {
    kind.hotChanged(slot);
    const ownChanged = (ownTouched || (keptBefore !== null && !kind.isSealed(slot))) && kind.seal(slot, bytesMax);
    if (ownChanged || keptBefore !== null) kind.warmChanged(slot);
  }

  /** An alert event stands in the log twice, as one and the same row: in the stream of alerts, and as a row of its curated table. */
  #emitAlert(alert: AlertFacts, log: LogDraft): void {
    const { actor, atMs } = alert;
    const table = this.#world.table("alerts");
    const facts = { ...alert, grounds: alert.grounds === null ? null : { ...alert.grounds, after: this.#rolling(actor) } };
    const cells = alertCells(this.#isSuspect(actor) ? suspect(facts) : facts, this.#now(), this.#world.limits.evidenceBytesMax);
    const row = { table, key: cells[0], ordinal: 0, date: utcDate(atMs), actor, late: this.late, rules: null, extra: null };
    writeCells(log.open("alerts"), this.#now(), row, cells);
    log.close("alerts");
    log.repeat("alerts", "curated");
    this.#world.counters.add("table", table.name, 1);
  }

  #rolling(id: ActorId): Grounds["after"] {
    const { population } = this.#world;
    if (population.kind(id).behaviour.rolling === undefined) return null;
    const place = population.place(id, () => {});
    aim(place);
    return place.kind.behaviour.rolling?.(place.kind.look(place.slot), id) ?? null;
  }

  /** Whether changes that tell of the actor were lost. */
  #isSuspect(id: ActorId): boolean {
    const { population, gaps } = this.#world;
    const { toldBy } = population.kind(id).behaviour;
    if (toldBy === undefined) return false;
    const place = population.place(id, () => {});
    aim(place);
    return place.kind.behaviour.describe(place.kind.look(place.slot), id, gaps.lostBefore(toldBy)).attributes["suspect"] === true;
  }

  #emitRows(log: LogDraft): void {
    const { key, date } = this.#now();
    for (let n = 0; n < this.#curated.length; n += 1) {
      const row = this.#curated[n] as PendingRow;
      let ordinal = 0;
      for (let before = 0; before < n; before += 1) if (this.#curated[before]?.table === row.table) ordinal += 1;
      this.#emit(row, key, ordinal, date, log);
    }
  }

  #emit({ table, actor, columns }: PendingRow, key: string, ordinal: number, date: string, log: LogDraft): void {
    const cause = this.#now();
    const record = table.feed !== null && table.feed === cause.feed ? cause.row : null;
    const rules = record === null ? null : this.stamps;
    const extra = record === null ? null : cause.extra;
    writeRow(log.open("curated"), cause, { table, key, ordinal, date, actor, late: this.late, rules, extra }, record, columns);
    log.close("curated");
    this.#world.counters.add("table", table.name, 1);
  }

  #clear(): void {
    this.#current = null;
    this.#bornNow = false;
    for (const list of this.#lists) if (list.length > 0) list.length = 0; // Setting a length that is 0 already costs a call.
    if (this.#histories.size > 0) this.#histories.clear();
  }
}

/** The level of an episode that consumers know of as open; null: they do not. */
function toldAs(episode: Episode | null): Severity | null {
  return episode !== null && episode.revision > 0 && isOpen(episode) ? episode.severity : null;
}

function textOr(value: CellValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** The event says that its actor is suspect; the episode does not keep it. */
function suspect(alert: AlertFacts): AlertFacts {
  return { ...alert, episode: { ...alert.episode, flags: [...alert.episode.flags, "suspect"] } };
}
