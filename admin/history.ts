import {
  type Belief,
  type Fact,
  History,
  type HistoryOptions,
  type Values,
  type Version,
  versionAt,
  versionAtMs,
} from "../engine/history.ts";
import type { ActorId } from "../engine/ids.ts";
import { indexedAt, isIndexed } from "../engine/version_index.ts";
import { type Cells, columnTypes, shownCells } from "./cell.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { findActor, readActor, readFacts, type View } from "./reader.ts";
import { gridDate, instantText, timeMs } from "./time.ts";

/** Times as they are typed: `T` of the command line. */
export interface HistoryQuery {
  readonly knownAt?: string | undefined;
  /** Also what is no longer believed. */
  readonly all?: boolean | undefined;
}

/** A version as answers show it. Valid times are civil dates where the facts are (master data), else instants (CDC); known times are instants. */
export interface HistoryRow {
  readonly version: number;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly knownFrom: string;
  readonly knownTo: string | null;
  /** Open in both intervals. */
  readonly isCurrent: boolean;
  /** It ended because the key was deleted. */
  readonly deleted: boolean;
  readonly attributes: Cells;
}

/** The versions of an actor, oldest first; none if it has no history. Throws NOT_FOUND and USAGE. */
export function history(view: View, idText: string, { knownAt, all = false }: HistoryQuery = {}): readonly HistoryRow[] {
  const id = findActor(view, idText);
  const { behaviour } = readActor(view, id);
  const options = behaviour.history;
  if (options === undefined) return [];
  const kept = new History(id, readFacts(view, id), options);
  const types = columnTypes(view.domain, behaviour);
  return believed(kept, knownAtMs(knownAt, kept.facts), all).map(({ version, knownFromMs, knownToMs }) => ({
    version: version.scdVersion,
    validFrom: version.fromMs === null ? version.from : instantText(version.fromMs),
    validTo: version.toMs === null ? version.to : instantText(version.toMs),
    knownFrom: instantText(knownFromMs),
    knownTo: knownToMs === null ? null : instantText(knownToMs),
    isCurrent: version.to === null && knownToMs === null,
    deleted: version.endedBy === "delete",
    attributes: shownCells(version.values, types),
  }));
}

/** A table for people: validity, the columns that change most, and what changed. `all` adds when it was believed. */
export function historyText(rows: readonly HistoryRow[], { all = false }: HistoryQuery, screen: Screen | null): string {
  const changes = rows.map((row, n) => changedColumns(rows, row, n));
  const known: readonly Column<HistoryRow>[] = [
    { name: "known from", of: (row) => row.knownFrom, isWhole: true },
    { name: "known to", of: (row) => row.knownTo ?? "-", isWhole: true },
  ];
  const columns: readonly Column<HistoryRow>[] = [
    { name: "v", of: (row) => row.version },
    { name: "valid from", of: (row) => row.validFrom, isWhole: true },
    { name: "valid to", of: (row) => row.validTo ?? "-", isWhole: true },
    ...(all ? known : []),
    ...mostChanging(rows, changes).map((name) => ({
      name,
      of: (row: HistoryRow) => row.attributes[name] ?? null,
      isWhole: name.endsWith("_id"),
    })),
    { name: "changed", of: (row) => changedText(row, changes[rows.indexOf(row)] ?? null) },
  ];
  return formatRows(rows, columns, "table", screen);
}

/** When it must have been known, in epoch ms; null: everything known counts. Spans back count from the latest fact. Throws USAGE. */
export function knownAtMs(text: string | undefined, facts: Iterable<Fact>): number | null {
  if (text === undefined || text.trim() === "now") return null;
  let latestMs: number | null = null;
  for (const fact of facts) latestMs = Math.max(latestMs ?? fact.knownAtMs, fact.knownAtMs);
  return timeMs(text, latestMs, "--known-at");
}

/** The version in force at an instant (null: the last one, if it is open), as known at another one (null: now). Null: there was none. */
export function versionThen(kept: History, asOfMs: number | null, knownMs: number | null): Version | null {
  const { versions } = knownMs === null ? kept : kept.knownAt(knownMs);
  if (asOfMs === null) return versions.findLast(({ to }) => to === null) ?? null;
  const hasEventTimes = versions.some(({ fromMs }) => fromMs !== null);
  return hasEventTimes ? versionAtMs(versions, asOfMs) : versionAt(versions, gridDate(asOfMs));
}

/**
 * The columns of the version in force, as `versionThen` finds it; null: there was none. Of a history with many facts one row is read, unless the
 * answer has been another one since the known time.
 */
export function valuesThen(view: View, id: ActorId, options: HistoryOptions, asOfMs: number | null, knownMs: number | null): Values | null {
  if (isIndexed(view.store, id, options)) {
    const found = indexedAt(view.store, id, asOfMs === null ? null : gridDate(asOfMs));
    if (knownMs === null || (found !== null && found.knownFromMs <= knownMs)) return found?.values ?? null;
  }
  return versionThen(new History(id, readFacts(view, id), options), asOfMs, knownMs)?.values ?? null;
}

/** The versions believed at a time (null: now), oldest first, each with the interval in which it was; `all`: also those that were before. */
export function believed(kept: History, knownMs: number | null, all: boolean): readonly Belief[] {
  const ever = kept.beliefs();
  if (all) return ever.filter(({ knownFromMs }) => knownMs === null || knownFromMs <= knownMs);
  if (knownMs === null) return ever.filter(({ knownToMs }) => knownToMs === null);
  return kept.knownAt(knownMs).versions.map((version) => {
    const belief = ever.find(({ version: { from }, knownFromMs }) => from === version.from && knownFromMs === version.knownFromMs);
    return { version, knownFromMs: version.knownFromMs, knownToMs: belief?.knownToMs ?? null };
  });
}

/** Columns in which a row differs from the one that it follows without a gap; null: it follows none. */
function changedColumns(rows: readonly HistoryRow[], { validFrom, attributes }: HistoryRow, n: number): readonly string[] | null {
  const before = rows.slice(0, n).findLast(({ validTo }) => validTo === validFrom);
  if (before === undefined) return null;
  return Object.keys(attributes).filter((name) => (before.attributes[name] ?? null) !== attributes[name]);
}

function changedText({ deleted }: HistoryRow, changed: readonly string[] | null): string {
  const what = changed === null ? "(first)" : changed.join(", ");
  return deleted ? `${what} (then deleted)` : what;
}

const COLUMNS_MAX = 3;

/** A status is the first thing to ask for, so it leads; the others by how often they change. */
function mostChanging(rows: readonly HistoryRow[], changes: readonly (readonly string[] | null)[]): readonly string[] {
  const names = [...new Set(rows.flatMap(({ attributes }) => Object.keys(attributes)))];
  const times = (name: string): number => changes.filter((changed) => changed?.includes(name) === true).length;
  const isStatus = (name: string): boolean => name === "status" || name.endsWith("_status");
  return names
    .filter((name) => isStatus(name) || times(name) > 0)
    .sort((a, b) => Number(isStatus(b)) - Number(isStatus(a)) || times(b) - times(a))
    .slice(0, COLUMNS_MAX);
}
