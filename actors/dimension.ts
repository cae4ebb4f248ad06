import type { Out } from "../engine/behaviour.ts";
import type { CellValue, VersionInForce } from "../engine/emission.ts";
import { type HistoryChange, type Remembered, type Version, type VersionChange, versionAt } from "../engine/history.ts";
import type { ActorId } from "../engine/ids.ts";
import { civilDate } from "./civil_day.ts";

const OPEN_END = "9999-12-31";

/** A master record as facts: what holds from a date, the date at which it really ends, if it says one, and that it still holds on some day. */
export interface DimensionChange {
  readonly change: HistoryChange;
  readonly close: HistoryChange | null;
  readonly again: HistoryChange | null;
}

/**
 * Adds a master record to the actor's history, and appends the beliefs that changed to its table. Null: the actor held it already, which the
 * record's counts say too.
 */
export function rememberDimension(
  { change, close, again }: DimensionChange,
  table: string,
  key: Readonly<Record<string, CellValue>>,
  out: Out<never>,
): Remembered | null {
  const wasKnown = out.versions().length > 0;
  const first = out.remember(change);
  const all = close === null ? [first] : [first, out.remember(close)];
  if (again !== null && isMissing(again, out)) all.push(out.remember(again));
  if (all.every(({ duplicate }) => duplicate)) {
    out.duplicate();
    return null;
  }
  if (first.tie) out.note("sequence_tie");
  const last = all.at(-1) ?? first;
  const isKnown = last.versions.length > 0;
  if (isKnown !== wasKnown) out.linked(isKnown);
  for (const { changes } of all) for (const one of changes) out.curate(table, columnsOf(one, key));
  return last;
}

/** An earlier snapshot lacked the key, so that it ended; in this one it is back, under its old date. */
function isMissing({ from, rank }: HistoryChange, out: Out<never>): boolean {
  if (versionAt(out.versions(), from) !== null) return false;
  return out.facts("").some((fact) => fact.kind === "delete" && fact.rank.precedence === rank.precedence);
}

/** The version of a dimension that holds at an instant, as alerts show it. */
export function dimensionInForce(actor: ActorId, versions: readonly Version[], atMs: number): readonly VersionInForce[] {
  const version = versionAt(versions, civilDate(atMs));
  return version === null ? [] : [{ actor, version: version.scdVersion, validFrom: version.from, validTo: version.to }];
}

/** Values are copied one by one: a spread of objects that are not literals costs ten times as much. */
function columnsOf({ change, version }: VersionChange, key: Readonly<Record<string, CellValue>>): Readonly<Record<string, CellValue>> {
  const columns: Record<string, CellValue> = {
    version_id: version.versionId,
    record_effective_date: version.from,
    record_end_date: version.to ?? OPEN_END,
    is_current: change !== "retracted" && version.to === null,
    scd_version: version.scdVersion,
    known_from: version.knownFromMs,
    known_to: null,
    change,
  };
  for (const name of Object.keys(version.values)) columns[name] = version.values[name] ?? null;
  for (const name of Object.keys(key)) columns[name] = key[name] ?? null;
  return columns;
}
