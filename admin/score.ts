import {
  EPISODE_LABELS,
  EXACT_RULES,
  FALSE_PER_1000_MAX,
  type LabelMeaning,
  RANKING_AUC_MIN,
  RECORD_LABELS,
  type RecordLabels,
  VERSION_LABELS,
  type VersionLabels,
} from "../actors/labels.ts";
import type { CuratedRow } from "../engine/emission.ts";
import { invariant } from "../engine/fault.ts";
import type { Version } from "../engine/history.ts";
import { keyOf } from "../engine/ids.ts";
import { aligned } from "./aligned.ts";
import { CleanDays, type CleanScore } from "./clean_days.ts";
import { EPISODES, type EpisodeTruth, readEpisodes } from "./episode_truth.ts";
import { CommandError } from "./errors.ts";
import { engineClockMs, logFrom, readHistories, type View } from "./reader.ts";
import { matchEpisodes, readAlerts, type ScoredAlert } from "./score_episodes.ts";
import { nearest } from "./suggest.ts";
import { type RankingScore, scoreRanking } from "./theft_ranking.ts";
import { isoMs, timeMs } from "./time.ts";
import { readTruth, type TruthLabel } from "./truth.ts";

/** As typed on the command line. */
export interface ScoreQuery {
  /** Rule ids, comma-separated. Default: all that labels speak of. */
  readonly rules?: string | undefined;
  /** Event time, inclusive. */
  readonly since?: string | undefined;
  /** Event time, exclusive. */
  readonly until?: string | undefined;
}

/** How a rule did. Ratios are null where there is nothing to divide by; `repeat` and `delayP50` mean something for episodes only. */
export interface RuleScore {
  readonly injected: number;
  readonly found: number;
  readonly missed: number;
  readonly false: number;
  readonly repeat: number | null;
  readonly indeterminate: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly delayP50: string | null;
  /** Ids of the first ones, in the order of truth file and log. */
  readonly missedIds: readonly string[];
  readonly falseIds: readonly string[];
}

export interface Score {
  readonly rules: Readonly<Record<string, RuleScore>>;
  /** Alerts of warning or more where nothing was wrong. Null: only some rules were asked for. */
  readonly clean: CleanScore | null;
  /** Null: no meter is labelled as one whose energy is not counted. */
  readonly ranking: RankingScore | null;
  /** False: a rule that must be exact is not, too few episodes were found, too many alerts are false, a ranking is poor, or nothing was there to be scored. The command then ends with code 5. */
  readonly passed: boolean;
}

/**
 * Compares what the log of curated rows and the histories say with the labels in a folder. A record counts once, however often it came, and late
 * ones count. With `since` or `until` only records of that time count, on both sides. Throws NOT_FOUND if the truth cannot be read or names a
 * record that the log does not hold, or a rule is unknown; USAGE for times.
 */
export async function score(view: View, truthFolder: string, query: ScoreQuery = {}): Promise<Score> {
  const wanted = wantedRules(query.rules);
  const tallies = new Map(wanted.map((rule) => [rule, new Tally()]));
  const isWanted = ({ labels }: { readonly labels: Readonly<Record<string, LabelMeaning>> }): boolean =>
    Object.values(labels).some(({ rule }) => tallies.has(rule));
  const records = RECORD_LABELS.filter(isWanted);
  const versions = VERSION_LABELS.filter(isWanted);
  const sets = [...records, ...versions].map(({ set, labels }) => ({ set, labels: Object.keys(labels) }));
  const truth = await readTruth(truthFolder, sets, [...KNOWN_SETS, EPISODES, ...sets.map(({ set }) => set)]);
  const isScored = scoredTimes(view, query);
  const episodes = (await readEpisodes(truthFolder)).filter(({ fromMs }) => isScored(fromMs));
  const days = new CleanDays();
  await scoreRecords(
    view,
    records.map((set) => new RecordJudge(view, set, truth.get(set.set) ?? [], isScored, tallies, days)),
  );
  for (const set of versions) scoreVersions(view, set, truth.get(set.set) ?? [], isScored, tallies);
  const alerts = (await readAlerts(view)).filter(({ onsetMs }) => isScored(onsetMs));
  const rules = Object.fromEntries([...tallies].map(([rule, tally]) => [rule, tally.score()]));
  for (const rule of wanted) if (isOfEpisodes(rule, episodes)) rules[rule] = episodeScore(rule, episodes, alerts);
  for (const rule of Object.keys(rules)) if (EPISODE_RULES.includes(rule) && !isOfEpisodes(rule, episodes)) delete rules[rule];
  const ranking = query.rules === undefined ? scoreRanking(view, episodes) : null;
  days.takeTruth(episodes);
  const clean = query.rules === undefined ? days.score(alerts) : null;
  return { rules, clean, ranking, passed: isPassed(rules, clean, ranking) };
}

function isPassed(rules: Score["rules"], clean: CleanScore | null, ranking: RankingScore | null): boolean {
  const isAnythingScored = Object.values(rules).some(({ injected, false: wrong }) => injected + wrong > 0);
  const isExact = EXACT_RULES.every((rule) => rules[rule] === undefined || (rules[rule].missed === 0 && rules[rule].false === 0));
  const areFound = Object.values(EPISODE_LABELS).every(
    ({ rule, recallMin = 0 }) => rule === null || (rules[rule]?.recall ?? 1) >= recallMin,
  );
  return isAnythingScored && isExact && areFound && (clean?.per1000 ?? 0) <= FALSE_PER_1000_MAX && (ranking?.auc ?? 1) >= RANKING_AUC_MIN;
}

/** The table for people. */
export function scoreText({ rules, clean, ranking, passed }: Score): string {
  const rows = Object.entries(rules).map(([rule, one]) => [
    rule,
    ...[one.injected, one.found, one.missed, one.false, one.repeat, one.indeterminate].map((count) => String(count ?? NONE)),
    ...[one.precision, one.recall].map((ratio) => ratio?.toFixed(3) ?? NONE),
    one.delayP50 ?? NONE,
  ]);
  const failed = Object.entries(rules).flatMap(([rule, { missedIds, falseIds }]) => [
    ...(missedIds.length === 0 ? [] : [`${rule} missed: ${missedIds.join(" ")}\n`]),
    ...(falseIds.length === 0 ? [] : [`${rule} false: ${falseIds.join(" ")}\n`]),
  ]);
  const told = `${aligned([HEADER, ...rows])}${failed.join("")}${cleanText(clean)}${rankingText(ranking)}`;
  return `${told}${passed ? "passed" : "not passed: precision and recall must be 1.000"}\n`;
}

function cleanText(clean: CleanScore | null): string {
  if (clean === null || clean.per1000 === null) return "";
  const { per1000, falseAlerts, cleanActorDays, falseIds } = clean;
  const named = falseIds.length === 0 ? "" : `: ${falseIds.join(" ")}`;
  const limit = FALSE_PER_1000_MAX.toFixed(1);
  return `false WARNING+ per 1,000 clean actor-days: ${per1000.toFixed(2)} (limit ${limit}; ${falseAlerts} in ${cleanActorDays})${named}\n`;
}

function rankingText(ranking: RankingScore | null): string {
  if (ranking === null) return "";
  const areas = Object.entries(ranking.areas).map(([label, area]) => `${label} ${area.toFixed(2)}`);
  return `theft ranking: AUC ${ranking.auc.toFixed(3)} (limit ${RANKING_AUC_MIN}), AP ${ranking.ap.toFixed(3)}; ${areas.join(", ")}\n`;
}

const NONE = "–";
const HEADER = ["rule", "injected", "found", "missed", "false", "repeat", "indeterminate", "precision", "recall", "delay p50"];
const IDS_MAX = 20;

/** Sets of the layout whose truth files are there whatever is scored. */
const KNOWN_SETS = [...RECORD_LABELS, ...VERSION_LABELS].map(({ set }) => set).concat("customer_master", "maintenance", "renewable");

/** What is counted of one rule. */
class Tally {
  readonly #injected = new Set<string>();
  readonly #found = new Set<string>();
  readonly #false = new Set<string>();

  inject(id: string): void {
    this.#injected.add(id);
  }

  find(id: string): void {
    this.#found.add(id);
  }

  falsely(id: string): void {
    this.#false.add(id);
  }

  score(): RuleScore {
    const missed = [...this.#injected].filter((id) => !this.#found.has(id));
    const [injected, found, wrong] = [this.#injected.size, this.#found.size, this.#false.size];
    return {
      injected,
      found,
      missed: missed.length,
      false: wrong,
      repeat: null,
      indeterminate: 0,
      precision: found + wrong === 0 ? null : found / (found + wrong),
      recall: injected === 0 ? null : found / injected,
      delayP50: null,
      missedIds: missed.slice(0, IDS_MAX),
      falseIds: [...this.#false].slice(0, IDS_MAX),
    };
  }
}

// Episodes ------------------------------------------------------------------------------------------------------------------------------

const EPISODE_RULES: readonly string[] = [...new Set(Object.values(EPISODE_LABELS).flatMap(({ rule }) => rule ?? []))];

/** Whether something happened that the rule should speak of. */
function isOfEpisodes(rule: string, episodes: readonly EpisodeTruth[]): boolean {
  return episodes.some(({ label }) => label !== null && EPISODE_LABELS[label]?.rule === rule);
}

function episodeScore(rule: string, episodes: readonly EpisodeTruth[], alerts: readonly ScoredAlert[]): RuleScore {
  const { injected, found, missed, falsely, repeat, delays } = matchEpisodes(rule, episodes, alerts);
  const sorted = [...delays].sort((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  return {
    injected: injected.length,
    found: found.length,
    missed: missed.length,
    false: falsely.length,
    repeat,
    indeterminate: 0,
    precision: found.length + falsely.length === 0 ? null : found.length / (found.length + falsely.length),
    recall: injected.length === 0 ? null : found.length / injected.length,
    delayP50: middle === undefined ? null : `${(middle / 3_600_000).toFixed(1)} h`,
    missedIds: missed.slice(0, IDS_MAX),
    falseIds: falsely.slice(0, IDS_MAX),
  };
}

type IsScored = (atMs: number) => boolean;
type Tallies = ReadonlyMap<string, Tally>;

// Records -------------------------------------------------------------------------------------------------------------------------------

async function scoreRecords(view: View, judges: readonly RecordJudge[]): Promise<void> {
  if (judges.length === 0) return;
  const byTable = new Map(judges.map((judge) => [judge.table, judge]));
  for await (const entries of logFrom(view, "curated", 1)) {
    for (const entry of entries) {
      const emission = view.decode("curated", entry);
      if (emission.stream === "curated") byTable.get(emission.row.table)?.take(emission.row);
    }
  }
  for (const judge of judges) judge.end();
}

/** Judges the rows of one table. */
class RecordJudge {
  readonly table: string;
  readonly #labels: RecordLabels;
  /** Id -> its labels. */
  readonly #truth = new Map<string, TruthLabel[]>();
  readonly #seen = new Set<string>();
  readonly #eventTimeMs: (row: CuratedRow) => number;
  readonly #isScored: IsScored;
  readonly #tallies: Tallies;
  readonly #days: CleanDays;

  constructor({ domain }: View, labels: RecordLabels, truth: readonly TruthLabel[], isScored: IsScored, tallies: Tallies, days: CleanDays) {
    this.table = labels.table;
    this.#labels = labels;
    for (const label of truth) {
      const id = labels.spelled(label.id);
      this.#truth.set(id, [...(this.#truth.get(id) ?? []), label]);
    }
    const feed = domain.feeds.find(({ name }) => name === domain.tables.find((table) => table.name === labels.table)?.feed);
    invariant(feed !== undefined, `table ${labels.table} is one of a feed`);
    this.#eventTimeMs = ({ cells }) => feed.eventTimeMs(cells);
    this.#isScored = isScored;
    this.#tallies = tallies;
    this.#days = days;
  }

  take(row: CuratedRow): void {
    const id = this.#labels.idOf(row.cells);
    const labels = this.#truth.get(id) ?? [];
    if (labels.length > 0) this.#seen.add(id);
    const atMs = this.#eventTimeMs(row);
    if (!this.#isScored(atMs)) return;
    this.#days.takeRow(row, atMs, labels.length > 0);
    const fired = row.rules?.split(",") ?? [];
    if (labels.length === 0 && fired.length === 0) return;
    const meanings = labels.map(({ label }) => this.#labels.labels[label]);
    for (const [rule, tally] of this.#tallies) {
      const isInjected = meanings.some((meaning) => meaning?.rule === rule);
      const isExpected = meanings.some((meaning) => meaning?.mayAlso?.includes(rule) === true);
      const shownId = labels[0]?.id ?? id;
      if (isInjected) tally.inject(shownId);
      if (!fired.includes(rule)) continue;
      if (isInjected) tally.find(shownId);
      else if (!isExpected) tally.falsely(shownId);
    }
  }

  /** Every label must be of a record that the log holds. */
  end(): void {
    for (const [id, [label]] of this.#truth) {
      if (!this.#seen.has(id)) throw unknownRecord(this.#labels.set, label?.id ?? id);
    }
  }
}

// Versions ------------------------------------------------------------------------------------------------------------------------------

/** A labelled actor must have a new version in which just the named columns differ; no other actor may have one. */
function scoreVersions(
  view: View,
  { set, kind, labels }: VersionLabels,
  truth: readonly TruthLabel[],
  isScored: IsScored,
  tallies: Tallies,
): void {
  const labelled = new Map(truth.map((label) => [label.id, label]));
  const known = new Set<string>();
  for (const { key: id, versions } of readHistories(view, kind)) {
    const key = keyOf(id);
    const label = labelled.get(key);
    if (label !== undefined) known.add(key);
    const later = versions.filter(({ scdVersion }) => scdVersion > 1);
    const scored = later.filter((version) => isScored(validFromMs(version)));
    const rule = label === undefined ? null : (labels[label.label]?.rule ?? null);
    for (const one of new Set(Object.values(labels).map((meaning) => meaning.rule))) {
      const tally = tallies.get(one);
      if (one !== rule || label === undefined) {
        if (scored.length > 0) tally?.falsely(key);
        continue;
      }
      if (later.length > 0 && scored.length === 0) continue; // It lies in another time.
      tally?.inject(key);
      if (scored.some((version) => isAsLabelled(version, label))) tally?.find(key);
    }
  }
  const missing = truth.find(({ id }) => !known.has(id));
  if (missing !== undefined) throw unknownRecord(set, missing.id);
}

function isAsLabelled({ changed }: Version, { columns }: TruthLabel): boolean {
  if (columns === null) return true;
  return [...(changed ?? [])].sort().join() === [...columns].sort().join();
}

/** Where valid time is a civil date: its 00:00 in the grid zone. */
function validFromMs({ fromMs, from }: Version): number {
  return fromMs ?? isoMs(from) ?? Number.NaN;
}

// What is asked for ---------------------------------------------------------------------------------------------------------------------

function wantedRules(text: string | undefined): readonly string[] {
  const labelled = [...RECORD_LABELS, ...VERSION_LABELS].flatMap(({ labels }) => Object.values(labels).map(({ rule }) => rule));
  const all = [...new Set([...labelled, ...EPISODE_RULES])];
  if (text === undefined) return all;
  const wanted = text.split(",").map((rule) => rule.trim());
  const unknown = wanted.find((rule) => !all.includes(rule));
  if (unknown === undefined) return all.filter((rule) => wanted.includes(rule));
  const near = nearest(unknown, all);
  throw new CommandError("NOT_FOUND", `no labels speak of a rule ${unknown}`, {
    hint: `rules with labels are ${all.join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}

function scoredTimes(view: View, { since, until }: ScoreQuery): IsScored {
  const clockMs = engineClockMs(view);
  const fromMs = since === undefined ? Number.NEGATIVE_INFINITY : timeMs(since, clockMs, "--since");
  const toMs = until === undefined ? Number.POSITIVE_INFINITY : timeMs(until, clockMs, "--until");
  return (atMs) => atMs >= fromMs && atMs < toMs;
}

function unknownRecord(set: string, id: string): CommandError {
  return new CommandError("NOT_FOUND", `the truth of ${set} names ${id}, which the log does not hold`, {
    hint: "gridactor run --drain reads the files that the labels belong to",
  });
}
