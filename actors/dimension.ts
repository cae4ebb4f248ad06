import type { Out } from "../engine/behaviour.ts";
import type { CellValue } from "../engine/emission.ts";
import type { HistoryChange, Remembered, VersionChange } from "../engine/history.ts";

const OPEN_END = "9999-12-31";

/** A master record as facts: what holds from a date, and the date at which it really ends, if it says one. */
export interface DimensionChange {
  readonly change: HistoryChange;
  readonly close: HistoryChange | null;
}

/**
 * Adds a master record to the actor's history, and appends the beliefs that changed to its table. Null: the actor held it already, which the
 * record's counts say too.
 */
export function rememberDimension(
  { change, close }: DimensionChange,
  table: string,
  key: Readonly<Record<string, CellValue>>,
  out: Out<never>,
): Remembered | null {
  const wasKnown = out.versions().length > 0;
  const first = out.remember(change);
  const second = close === null ? null : out.remember(close);
  if (first.duplicate && (second === null || second.duplicate)) {
    out.duplicate();
    return null;
  }
  if (first.tie) out.note("sequence_tie");
  const isKnown = (second ?? first).versions.length > 0;
  if (isKnown !== wasKnown) out.linked(isKnown);
  for (const one of [...first.changes, ...(second?.changes ?? [])]) out.curate(table, { ...key, ...columnsOf(one) });
  return second ?? first;
}

function columnsOf({ change, version }: VersionChange): Readonly<Record<string, CellValue>> {
  return {
    ...version.values,
    version_id: version.versionId,
    record_effective_date: version.from,
    record_end_date: version.to ?? OPEN_END,
    is_current: change !== "retracted" && version.to === null,
    scd_version: version.scdVersion,
    known_from: version.knownFromMs,
    known_to: null,
    change,
  };
}
