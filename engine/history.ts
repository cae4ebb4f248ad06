import type { CellValue } from "./emission.ts";
import { invariant } from "./fault.ts";
import { type ActorId, longHash } from "./ids.ts";

/** How a fact ranks against others at the same `from`: compared in this order, greater wins. */
export interface Rank {
  /** The 8 digits in a file's name (20250601), else 0. */
  readonly publication: number;
  /** 0 snapshot, 1 delta, 2 CDC (configurable). */
  readonly precedence: number;
  /** n-th content of the same path. */
  readonly generation: number;
}

/** Column -> value. */
export type Values = Readonly<Record<string, CellValue>>;

/** A fact about a key, before the engine has stamped it. `from` is text whose byte order is its order: a civil date, or a CDC position in hex. */
export interface HistoryChange {
  readonly from: string;
  readonly kind: "upsert" | "delete" | "close";
  readonly rank: Rank;
  /** Column -> value, business columns only; empty for delete and close. */
  readonly values: Values;
  /** Columns the record spoke about (null counts). Null: all of `values`. */
  readonly authored: readonly string[] | null;
  /** Event time that stands for this fact where `from` is not a time (CDC), else null. */
  readonly atMs: number | null;
}

/** A change as it is kept, for ever. `values` holds the authored columns and no others, sorted by name. */
export interface Fact extends Omit<HistoryChange, "authored"> {
  /** 32 hex digits: hash of key, from, kind, rank and values. The same fact has the same id whenever and however often it arrives. */
  readonly id: string;
  /** When it became known: its arrival, but never before an earlier fact of the key. Epoch ms. Not part of any digest. */
  readonly knownAtMs: number;
}

/** Column classes; a column not named is tracked. */
export interface HistoryOptions {
  readonly untracked: readonly string[];
  readonly ignored: readonly string[];
  readonly ignoreNulls: readonly string[];
  /** CDC: how many leading characters of `from` name the transaction (20: the start LSN). A delete and an insert in one transaction leave no gap. */
  readonly transactionChars?: number;
  /**
   * CDC: what two spellings of one place have in common, where one of them tells more: then all facts of the place stand at the greater one. Both
   * are of one transaction.
   */
  readonly placeOf?: (from: string) => string;
}

/** A version: valid in [from, to), `to` null = open. `scdVersion` counts from 1 by `from`; `versionId` is the stable name. */
export interface Version {
  readonly versionId: string;
  readonly scdVersion: number;
  readonly from: string;
  readonly to: string | null;
  /** Event times that stand for `from` and `to`: the greatest `atMs` of the key's facts up to there. Null where the facts have none. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** What ended it; null: open. */
  readonly endedBy: HistoryChange["kind"] | null;
  readonly values: Values;
  /** Tracked columns in which it differs from its left neighbour without gap; null if it has none. */
  readonly changed: readonly string[] | null;
  /** Since when exactly this (from, to, values) has been believed, epoch ms. Not part of any digest. */
  readonly knownFromMs: number;
}

/** How the versions of a key differ after a fact from before it. A version that only got another number has not changed. */
export interface VersionChange {
  /** `closed`: it was open and has ended. `retracted`: it is no longer believed; `version` is what was. */
  readonly change: "opened" | "changed" | "closed" | "retracted";
  readonly version: Version;
}

/** What adding a fact did. */
export interface Remembered {
  /** The same fact was there before: nothing changed. */
  readonly duplicate: boolean;
  /** Oldest first. */
  readonly changes: readonly VersionChange[];
  /** Another payload at the same `from` and rank: the greater hash won. Said once for each loser, in every order of arrival. */
  readonly tie: boolean;
  readonly versions: readonly Version[];
}

/** A version that is or was believed over [knownFromMs, knownToMs); null: still. */
export interface Belief {
  readonly version: Version;
  readonly knownFromMs: number;
  readonly knownToMs: number | null;
}

/** A key's history after a change. `fact` is the one to store; null: it was there before. */
export interface Added {
  readonly history: History;
  readonly fact: Fact | null;
  readonly remembered: Remembered;
}

/**
 * What is known of one key: its facts, in any order, and the versions that follow from them. A value: `add` gives the history with one change
 * more and leaves this one as it is. Made from facts it sweeps them once, when it is first asked; from then on a change that comes in order
 * costs one hash and one step, whatever the key has lived through, and one from the past sweeps what lies right of it again. (The history
 * before goes on to answer, but sweeps anew: what it had found out went over to the next.)
 */
export class History {
  readonly key: ActorId;
  /** In the order in which they were added. */
  readonly facts: readonly Fact[];
  readonly options: HistoryOptions;
  /** Whether its versions are rows of the store, too (`version_index.ts`). */
  readonly isIndexed: boolean;
  #timeline: Timeline | null;
  #versions: readonly Version[] | null = null;

  constructor(key: ActorId, facts: readonly Fact[], options: HistoryOptions, isIndexed = false, timeline: Timeline | null = null) {
    this.key = key;
    this.facts = facts;
    this.options = options;
    this.isIndexed = isIndexed;
    this.#timeline = timeline;
  }

  /** The versions believed now, oldest first: a function of the set of facts, whatever their order. */
  get versions(): readonly Version[] {
    this.#versions ??= this.#swept().rows.map((row) => version(this.key, row));
    return this.#versions;
  }

  add(change: HistoryChange, arrivedAtMs: number): Added {
    const { key, facts } = this;
    const timeline = this.#swept();
    const fact = stamp(key, change, Math.max(arrivedAtMs, timeline.knownMs), this.options);
    const beside = factsAt(timeline, fact.from);
    const { versions } = this;
    if (beside.some(({ id }) => id === fact.id)) {
      return { history: this, fact: null, remembered: { duplicate: true, changes: [], tie: false, versions } };
    }
    const tie = beside.some((other) => tied(other, fact));
    this.#timeline = null;
    const { standing, replaced } = learn(timeline, [fact]);
    const history = new History(key, [...facts, fact], this.options, this.isIndexed, timeline);
    const rows = timeline.rows.slice(standing);
    history.#versions = [...versions.slice(0, standing), ...rows.map((row) => version(key, row))];
    const changes = differences(key, replaced, rows);
    return { history, fact, remembered: { duplicate: false, changes, tie, versions: history.versions } };
  }

  /** The same, known to have its versions as rows. */
  indexed(): History {
    if (this.isIndexed) return this;
    const history = new History(this.key, this.facts, this.options, true, this.#timeline);
    history.#versions = this.#versions;
    this.#timeline = null;
    return history;
  }

  /** The facts whose `from` begins with `prefix`, by `from`; those of one `from` in the order in which they count. Looks at log2 of the others. */
  factsFrom(prefix: string): readonly Fact[] {
    const { positions } = this.#swept();
    const first = countWhile(positions, ({ from }) => from < prefix);
    const end = countWhile(positions, ({ from }) => from < prefix || from.startsWith(prefix));
    return positions.slice(first, end).flatMap(({ facts }) => facts);
  }

  /** The history as it was known at `knownAtMs`. */
  knownAt(knownAtMs: number): History {
    const known = this.facts.filter((fact) => fact.knownAtMs <= knownAtMs);
    return known.length === this.facts.length ? this : new History(this.key, known, this.options);
  }

  /** Every version ever believed, with the interval in which it was: by `from`, then by when it became known. */
  beliefs(): readonly Belief[] {
    const { rows, superseded } = replay(this.facts, this.options, "all beliefs");
    const all = [...superseded, ...rows.map((row) => ({ row, knownToMs: null }))];
    return all
      .map(({ row, knownToMs }) => ({ version: version(this.key, row), knownFromMs: row.knownFromMs, knownToMs }))
      .sort((a, b) => byText(a.version.from, b.version.from) || a.knownFromMs - b.knownFromMs);
  }

  #swept(): Timeline {
    this.#timeline ??= replay(this.facts, this.options, "present");
    return this.#timeline;
  }
}

/** The version in force at `at` (a civil date, or a position), or null. On the day of change the new one holds, alone. Looks at log2 of them. */
export function versionAt(versions: readonly Version[], at: string): Version | null {
  const last = lastOf(versions, ({ from }) => from <= at);
  return last !== null && (last.to === null || at < last.to) ? last : null;
}

/** The version in force at an instant, for histories whose facts have event times (CDC), or null. Looks at log2 of them. */
export function versionAtMs(versions: readonly Version[], atMs: number): Version | null {
  const last = lastOf(versions, ({ fromMs }) => fromMs === null || fromMs <= atMs); // Event times never fall; nulls stand before all others.
  if (last === null || last.fromMs === null) return null;
  return last.to === null || (last.toMs !== null && atMs < last.toMs) ? last : null;
}

/** The last of those that have begun, where all that have begun stand before all others. */
function lastOf(versions: readonly Version[], hasBegun: (version: Version) => boolean): Version | null {
  return versions[countWhile(versions, hasBegun) - 1] ?? null;
}

/** How many items `holds` is true of, where these stand before all others. */
function countWhile<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Facts

function stamp(key: ActorId, change: HistoryChange, knownAtMs: number, { ignored }: HistoryOptions): Fact {
  const { from, kind, rank, atMs } = change;
  const values: Record<string, CellValue> = {};
  for (const column of [...(change.authored ?? Object.keys(change.values))].sort()) {
    const value = change.values[column] ?? null;
    if (!ignored.includes(column)) values[column] = value === 0 ? 0 : value; // Minus zero would be one fact with two faces.
  }
  return { id: factId(key, { from, kind, rank, values }), from, kind, rank, values, atMs, knownAtMs };
}

/** The id that a fact's content gives it. */
export function factId(key: ActorId, { from, kind, rank, values }: Pick<Fact, "from" | "kind" | "rank" | "values">): string {
  return longHash([key, from, kind, rank.publication, rank.precedence, rank.generation, payload(values)]);
}

function payload(values: Values): string {
  const columns = Object.keys(values).sort(); // An object would put names that look like integers first.
  return `{${columns.map((column) => `${JSON.stringify(column)}:${JSON.stringify(values[column])}`).join(",")}}`;
}

/** Positive: `a` beats `b`, of the same `from`. The payload's hash is made only when all else is equal. */
function order(a: Fact, b: Fact): number {
  return (
    Number(b.kind === "close") - Number(a.kind === "close") ||
    byRank(a.rank, b.rank) ||
    Number(a.kind === "delete") - Number(b.kind === "delete") ||
    byText(longHash([payload(a.values)]), longHash([payload(b.values)]))
  );
}

function byRank(a: Rank, b: Rank): number {
  return a.publication - b.publication || a.precedence - b.precedence || a.generation - b.generation;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Two facts of one place of which only the hash of the payload says which one wins. */
function tied(a: Fact, b: Fact): boolean {
  return a.kind === b.kind && byRank(a.rank, b.rank) === 0;
}

// The sweep

/** A run of upserts that are equal in all tracked columns: a version in the making. Immutable, and linked to the one before it. */
interface Run {
  readonly before: Run | null;
  readonly number: number;
  readonly from: string;
  readonly to: string | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly endedBy: HistoryChange["kind"] | null;
  readonly values: Values;
  readonly changed: readonly string[] | null;
}

/** What the sweep knows after a position. A fact that comes in right of it lets the sweep go on from here. */
interface Swept {
  readonly last: Run | null;
  readonly atMs: number | null;
  /** After a delete: the position of the delete, and the run as it was, in case the same transaction inserts the key again. */
  readonly deleted: { readonly from: string; readonly last: Run } | null;
}

/** All facts of one `from`, the winner first. */
interface Position {
  readonly from: string;
  readonly facts: Fact[];
  swept: Swept;
}

/** A run that is believed, and since when. */
interface Row {
  readonly run: Run;
  readonly knownFromMs: number;
}

/** The facts of a key in order, and what has been believed about it so far. */
interface Timeline {
  readonly options: HistoryOptions;
  readonly positions: Position[];
  /** Believed now, oldest first: row n holds the run with number n + 1. */
  readonly rows: Row[];
  /** In the order in which they ceased to be believed: all of them, or those of the present moment, which a change may bring back. */
  readonly superseded: Superseded[];
  readonly keeps: "present" | "all beliefs";
  /** When the latest fact became known. */
  knownMs: number;
}

interface Superseded {
  readonly row: Row;
  readonly knownToMs: number;
}

const NOTHING: Swept = { last: null, atMs: null, deleted: null };

/** Learns the facts in the order in which they became known. */
function replay(facts: readonly Fact[], options: HistoryOptions, keeps: Timeline["keeps"]): Timeline {
  const timeline: Timeline = { options, positions: [], rows: [], superseded: [], keeps, knownMs: Number.NEGATIVE_INFINITY };
  const ordered = [...facts].sort((a, b) => a.knownAtMs - b.knownAtMs);
  for (let first = 0, next = 0; first < ordered.length; first = next) {
    while (ordered[next]?.knownAtMs === ordered[first]?.knownAtMs) next += 1;
    learn(timeline, ordered.slice(first, next));
  }
  return timeline;
}

/** What learning has touched: rows from index `standing` on, and those that stood there before. */
interface Learnt {
  readonly standing: number;
  readonly replaced: readonly Row[];
}

/** Takes in facts that became known at one moment, none before the latest so far. Sweeps from the leftmost of them; what lies left of it stands. */
function learn(timeline: Timeline, facts: readonly Fact[]): Learnt {
  const { positions, options } = timeline;
  const leftmost = facts.reduce((least, fact) => Math.min(least, insert(positions, fact, options)), positions.length);
  let swept = positions[leftmost - 1]?.swept ?? NOTHING;
  const standing = Math.max(0, (swept.last?.number ?? 0) - 1); // The last run of them may yet grow or end.
  for (const position of positions.slice(leftmost)) {
    swept = step(swept, position, options);
    position.swept = swept;
  }
  timeline.knownMs = facts[0]?.knownAtMs ?? timeline.knownMs;
  return { standing, replaced: believe(timeline, standing, swept.last) };
}

/**
 * Replaces the rows from index `standing` on by the runs up to `last`. A row that says the same as before keeps the time since when it did. All
 * that becomes known at one moment is one belief: what was believed within it alone never was, and what is believed again at its end always was.
 */
function believe(timeline: Timeline, standing: number, last: Run | null): readonly Row[] {
  const { rows, superseded, knownMs } = timeline;
  const replaced = rows.splice(standing);
  const old = new Map(replaced.map((row) => [row.run.from, row]));
  for (const row of takeOfNow(timeline, rows[standing - 1]?.run.from ?? "")) old.set(row.run.from, row);
  const runs: Run[] = [];
  for (let run = last; run !== null && run.number > standing; run = run.before) runs.push(run);
  for (const run of runs.reverse()) {
    const before = old.get(run.from);
    const stands = before !== undefined && sameRun(before.run, run);
    if (stands) old.delete(run.from);
    rows.push({ run, knownFromMs: stands ? before.knownFromMs : knownMs });
  }
  for (const row of old.values()) if (row.knownFromMs < knownMs) superseded.push({ row, knownToMs: knownMs });
  return replaced;
}

/** Takes back the rows right of `from` that ceased to be believed at the present moment: it is not over. */
function takeOfNow({ superseded, keeps, knownMs }: Timeline, from: string): readonly Row[] {
  let first = superseded.length;
  while (superseded[first - 1]?.knownToMs === knownMs) first -= 1;
  const ofNow = superseded.splice(first);
  if (keeps === "present") superseded.length = 0;
  superseded.push(...ofNow.filter(({ row }) => row.run.from <= from));
  return ofNow.flatMap(({ row }) => (row.run.from > from ? [row] : []));
}

/** Puts a fact in its place, which it may move to the right. Returns the index from which on positions have changed. */
function insert(positions: Position[], fact: Fact, options: HistoryOptions): number {
  const held = indexOf(positions, fact.from, options);
  const position = positions[held];
  if (position === undefined) return open(positions, fact.from, [fact]);
  const { facts, from } = position;
  const rank = facts.findIndex((other) => order(fact, other) > 0);
  facts.splice(rank < 0 ? facts.length : rank, 0, fact);
  if (from >= fact.from) return held;
  positions.splice(held, 1);
  open(positions, fact.from, facts);
  return held;
}

function open(positions: Position[], from: string, facts: Fact[]): number {
  const index = upTo(positions, from);
  positions.splice(index, 0, { from, facts, swept: NOTHING });
  return index;
}

function factsAt({ positions, options }: Timeline, from: string): readonly Fact[] {
  return positions[indexOf(positions, from, options)]?.facts ?? [];
}

/** Where the position of this place stands, however it is spelt; -1: there is none. */
function indexOf(positions: readonly Position[], from: string, { placeOf, transactionChars = 0 }: HistoryOptions): number {
  const last = upTo(positions, from) - 1;
  if (positions[last]?.from === from) return last;
  if (placeOf === undefined) return -1;
  const transaction = from.slice(0, transactionChars);
  const [place, first] = [placeOf(from), countWhile(positions, (position) => position.from < transaction)];
  for (let n = first; positions[n]?.from.startsWith(transaction) === true; n += 1) if (placeOf(positions[n]!.from) === place) return n;
  return -1;
}

/** How many positions stand at `from` or left of it. */
function upTo(positions: readonly Position[], from: string): number {
  return countWhile(positions, (position) => position.from <= from);
}

/** One step of the sweep, to the right. */
function step({ last, atMs: beforeMs, deleted }: Swept, { from, facts }: Position, options: HistoryOptions): Swept {
  const winner = facts[0];
  invariant(winner !== undefined, "a position holds a fact");
  const atMs = facts.reduce(latest, beforeMs);
  const undo = deleted !== null && sameTransaction(deleted.from, from, options) ? deleted : null;
  if (winner.kind === "upsert") return { last: upserted(undo?.last ?? last, from, atMs, facts, options), atMs, deleted: null };
  const ending = { from, kind: winner.kind }; // A fact may be spelt otherwise than the place where it stands.
  const closed = end(last, ending, atMs);
  if (winner.kind === "close") return { last: closed, atMs, deleted: undo && { from, last: end(undo.last, ending, atMs) } };
  return { last: closed, atMs, deleted: isOpen(last) ? { from, last } : undo };
}

/** Ends a run. With nothing open the fact is a tombstone: it shows nothing. */
function end<R extends Run | null>(last: R, { from, kind }: Pick<Fact, "from" | "kind">, toMs: number | null): R {
  return isOpen(last) ? { ...last, to: from, toMs, endedBy: kind } : last;
}

function isOpen(run: Run | null): run is Run {
  return run !== null && run.to === null;
}

function upserted(last: Run | null, from: string, atMs: number | null, facts: readonly Fact[], options: HistoryOptions): Run {
  const open = isOpen(last) ? last : null;
  const values = resolve(facts, open?.values ?? null, options);
  const changed = open === null ? null : differing(open.values, values, options);
  if (open !== null && changed?.length === 0) return { ...open, values };
  const before = open === null ? last : { ...open, to: from, toMs: atMs, endedBy: "upsert" as const };
  return { before, number: (before?.number ?? 0) + 1, from, to: null, fromMs: atMs, toMs: null, endedBy: null, values, changed };
}

/** What holds after the facts of one position: the winner's word, then that of the next-ranked upserts, then what held before. */
function resolve(facts: readonly Fact[], inherited: Values | null, options: HistoryOptions): Values {
  let values: Values | null = null;
  for (const fact of facts) {
    if (fact.kind === "upsert") values = over(values, authored(fact.values, options));
  }
  return over(values, inherited) ?? {};
}

/** The values of a fact that count under the options in force; facts are kept as they were when they came. */
function authored(values: Values, { ignored, ignoreNulls }: HistoryOptions): Values {
  const silent = (column: string) => ignored.includes(column) || (values[column] === null && ignoreNulls.includes(column));
  if (![...ignored, ...ignoreNulls].some((column) => column in values && silent(column))) return values;
  return Object.fromEntries(Object.entries(values).filter(([column]) => !silent(column)));
}

/** The columns of both, the upper ones before the lower ones, sorted by name. */
function over(upper: Values | null, lower: Values | null): Values | null {
  if (upper === null || lower === null) return upper ?? lower;
  const added = Object.keys(lower).filter((column) => !Object.hasOwn(upper, column));
  if (added.length === 0) return upper;
  const columns = [...Object.keys(upper), ...added].sort();
  return Object.fromEntries(columns.map((column) => [column, (Object.hasOwn(upper, column) ? upper : lower)[column] ?? null]));
}

/** Tracked columns that differ. One that nobody had spoken about before is not compared: its first value opens no version. */
function differing(before: Values, after: Values, { untracked }: HistoryOptions): readonly string[] {
  return Object.keys(before).filter((column) => before[column] !== after[column] && !untracked.includes(column));
}

function sameTransaction(a: string, b: string, { transactionChars = 0 }: HistoryOptions): boolean {
  return transactionChars > 0 && a.slice(0, transactionChars) === b.slice(0, transactionChars);
}

function latest(atMs: number | null, fact: Fact): number | null {
  return atMs === null || fact.atMs === null ? (atMs ?? fact.atMs) : Math.max(atMs, fact.atMs);
}

/** Two runs with the same `from`. */
function sameRun(a: Run, b: Run): boolean {
  return a.to === b.to && sameValues(a.values, b.values);
}

function sameValues(a: Values, b: Values): boolean {
  const columns = Object.keys(a);
  return (
    a === b || (columns.length === Object.keys(b).length && columns.every((column) => Object.hasOwn(b, column) && a[column] === b[column]))
  );
}

// What the world sees

function version(key: ActorId, { run, knownFromMs }: Row): Version {
  const { number, from, to, fromMs, toMs, endedBy, values, changed } = run;
  return { versionId: longHash([key, from]), scdVersion: number, from, to, fromMs, toMs, endedBy, values, changed, knownFromMs };
}

/** Of the rows from the first on that may differ. */
function differences(key: ActorId, before: readonly Row[], after: readonly Row[]): readonly VersionChange[] {
  const old = new Map(before.map((row) => [row.run.from, row.run]));
  const now = new Set(after.map((row) => row.run.from));
  const changes: { change: VersionChange["change"]; row: Row }[] = [];
  for (const row of after) {
    const was = old.get(row.run.from);
    if (was === undefined) changes.push({ change: "opened", row });
    else if (!sameRun(was, row.run)) changes.push({ change: was.to === null && row.run.to !== null ? "closed" : "changed", row });
  }
  for (const row of before) if (!now.has(row.run.from)) changes.push({ change: "retracted", row });
  return changes.sort((a, b) => byText(a.row.run.from, b.row.run.from)).map(({ change, row }) => ({ change, version: version(key, row) }));
}
