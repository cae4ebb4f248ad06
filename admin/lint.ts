import { days } from "../engine/duration.ts";
import type { Fact, History, Version } from "../engine/history.ts";
import { HISTORY_FEED } from "./config_domain.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { readHistories, type View } from "./reader.ts";
import { nearest } from "./suggest.ts";
import { gridDate } from "./time.ts";

/** Something about the histories of a feed that is right as it is kept, but may not be what its sender meant. */
export interface Advice {
  readonly feed: string;
  /** The column it is about, or null: the order of the records. */
  readonly column: string | null;
  readonly code: LintCode;
  readonly count: number;
  readonly advice: string;
}

export type LintCode = "noisy_column" | "sparse_null" | "sequence_tie" | "backward_jump" | "arrival_as_date" | "many_facts";

const ADVICE: Readonly<Record<LintCode, string>> = {
  noisy_column: "nothing but this column differs in so many versions: make it untracked, nothing needs to be read again",
  sparse_null: "it became null and then what it was before, so often: if null means that nothing was said, add it to ignoreNulls",
  sequence_tie: "records with the same time and rank say different things: the hash of the content decides; give them an order",
  backward_jump: "changes became known after later ones: their versions were split exactly; check that back-dating is meant",
  arrival_as_date: "every effective date is the day of arrival: if it says when the row was written, no back-dated change can be told",
  many_facts: "more than 10,000 facts of one actor are kept: check that its key is one thing",
};

const NOISE_WITHIN_MS = days(30);
const NOISY_VERSIONS = 100;
const NOISY_SHARE = 0.2;
const FACTS_MAX = 10_000;
/** So many dates that all are the day of arrival are no chance, if there are at least two days among them. */
const DATES_LEAST = 10;

/** Looks at the histories of all feeds, or of one, and changes nothing. Throws USAGE for a feed without a history. */
export function lint(view: View, feed?: string): readonly Advice[] {
  const feeds = [...HISTORY_FEED].filter(([kind]) => view.domain.behaviours.some((behaviour) => behaviour.kind === kind));
  if (feed !== undefined) checkFeed(feed, [...HISTORY_FEED.values()]);
  return feeds
    .filter(([, name]) => feed === undefined || name === feed)
    .flatMap(([kind, name]) => {
      const tally = new Tally();
      for (const history of readHistories(view, kind)) tally.take(history);
      return tally.advice(name);
    });
}

/** The advice for people. */
export function lintText(advice: readonly Advice[], screen: Screen | null): string {
  return advice.length === 0 ? "nothing to advise\n" : formatRows(advice, COLUMNS, "table", screen);
}

const COLUMNS: readonly Column<Advice>[] = [
  { name: "feed", of: (row) => row.feed, isWhole: true },
  { name: "code", of: (row) => row.code, isWhole: true },
  { name: "column", of: (row) => row.column ?? "-", isWhole: true },
  { name: "count", of: (row) => row.count },
  { name: "advice", of: (row) => row.advice },
];

/** What the histories of one feed add up to. One pass: of each history only numbers are kept. */
class Tally {
  /** Number of versions, and of those in which just one column differed, by the day in which they became known. */
  readonly #versions = new Map<number, number>();
  readonly #alone = new Map<string, Map<number, number>>();
  readonly #sparse = new Map<string, number>();
  readonly #arrivalDays = new Set<string>();
  #lastDay = 0;
  #ties = 0;
  #jumps = 0;
  #dated = 0;
  #arrivedOnDate = 0;
  #manyFacts = 0;

  take({ facts, versions }: History): void {
    this.#manyFacts += Number(facts.length > FACTS_MAX);
    this.#ties += tiesIn(facts);
    this.#jumps += jumpsIn(facts);
    for (const fact of facts) this.#date(fact);
    versions.forEach((version, n) => {
      this.#version(version);
      const [before, after] = [versions[n - 1], versions[n + 1]];
      if (before !== undefined && after !== undefined) this.#nulls(before, version, after);
    });
  }

  advice(feed: string): readonly Advice[] {
    const said = (code: LintCode, count: number, column: string | null = null): readonly Advice[] =>
      count === 0 ? [] : [{ feed, column, code, count, advice: ADVICE[code] }];
    const recent = this.#recent(this.#versions);
    const noisy = [...this.#alone]
      .map(([column, byDay]) => [column, this.#recent(byDay)] as const)
      .filter(([, count]) => count >= NOISY_VERSIONS && count >= NOISY_SHARE * recent);
    const isArrival = this.#dated >= DATES_LEAST && this.#arrivalDays.size > 1 && this.#arrivedOnDate === this.#dated;
    return [
      ...noisy.sort(([, a], [, b]) => b - a).flatMap(([column, count]) => said("noisy_column", count, column)),
      ...[...this.#sparse].sort(([, a], [, b]) => b - a).flatMap(([column, count]) => said("sparse_null", count, column)),
      ...said("sequence_tie", this.#ties),
      ...said("backward_jump", this.#jumps),
      ...said("arrival_as_date", isArrival ? this.#dated : 0),
      ...said("many_facts", this.#manyFacts),
    ];
  }

  #version({ changed, knownFromMs }: Version): void {
    const day = Math.floor(knownFromMs / days(1));
    this.#lastDay = Math.max(this.#lastDay, day);
    add(this.#versions, day);
    const [column] = changed ?? [];
    if (column === undefined || changed?.length !== 1) return;
    const byDay = this.#alone.get(column) ?? new Map<number, number>();
    this.#alone.set(column, byDay);
    add(byDay, day);
  }

  /** A value, then null, then that value again. */
  #nulls(before: Version, version: Version, after: Version): void {
    if (before.to !== version.from || version.to !== after.from) return;
    for (const column of version.changed ?? []) {
      const value = before.values[column] ?? null;
      if (value !== null && version.values[column] === null && after.values[column] === value) add(this.#sparse, column);
    }
  }

  /** Only facts that are valid from a civil date can take it from their arrival. */
  #date({ from, kind, atMs, knownAtMs }: Fact): void {
    if (kind !== "upsert" || atMs !== null) return;
    const arrivedOn = gridDate(knownAtMs);
    this.#dated += 1;
    this.#arrivedOnDate += Number(from === arrivedOn);
    if (this.#arrivalDays.size < 2) this.#arrivalDays.add(arrivedOn);
  }

  #recent(byDay: ReadonlyMap<number, number>): number {
    const firstDay = this.#lastDay - NOISE_WITHIN_MS / days(1);
    return [...byDay].reduce((sum, [day, count]) => (day > firstDay ? sum + count : sum), 0);
  }
}

function add<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Facts of which another one with the same `from`, kind and rank is there. */
function tiesIn(facts: readonly Fact[]): number {
  if (facts.length < 2) return 0;
  const groups = new Map<string, number>();
  for (const { from, kind, rank } of facts) {
    const { publication, precedence, generation } = rank;
    add(groups, [from, kind, publication, precedence, generation].join());
  }
  return [...groups.values()].reduce((sum, count) => sum + count - 1, 0);
}

/** Facts that became known after one with a later `from`. What became known at one moment has no order of its own. */
function jumpsIn(facts: readonly Fact[]): number {
  const ordered = facts.filter(({ kind }) => kind !== "close").sort((a, b) => a.knownAtMs - b.knownAtMs || (a.from < b.from ? -1 : 1));
  let latest = "";
  let jumps = 0;
  for (const { from } of ordered) {
    if (from < latest) jumps += 1;
    else latest = from;
  }
  return jumps;
}

function checkFeed(feed: string, known: readonly string[]): void {
  if (known.includes(feed)) return;
  const near = nearest(feed, known);
  throw new CommandError("USAGE", `no history is made from a feed ${feed}`, {
    hint: `feeds with histories are ${known.join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}
