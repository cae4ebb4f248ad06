import { alertEvents } from "./alerts.ts";
import { logFrom, type View } from "./reader.ts";
import { feedOf } from "./readings.ts";

/** What a count was of, or the field that a value is of. */
export type Ranked = "alerts" | "records" | "late" | "faults" | { readonly field: string };

/**
 * By how much what actors are ranked by has changed since a time, by full id: counts by what the log has of it, values of a field against the last
 * that was reported before. Null: nothing was. As far back as the log is kept.
 */
export async function changesSince(
  view: View,
  by: Ranked,
  values: ReadonlyMap<string, number>,
  sinceMs: number,
): Promise<ReadonlyMap<string, number | null>> {
  if (typeof by === "object") return changesOf(view, by.field, values, sinceMs);
  const counts = new Map<string, number>([...values.keys()].map((id) => [id, 0]));
  const count = (id: string | null): void => {
    if (id !== null && counts.has(id)) counts.set(id, (counts.get(id) ?? 0) + 1);
  };
  if (by === "alerts") {
    const isRaised = alertEvents(view, ({ type, time }) => type.includes(".raised.") && Date.parse(time) >= sinceMs, 1);
    for await (const { event } of isRaised) count(event.subject);
    return counts;
  }
  for await (const row of rows(view)) {
    if (by === "faults") {
      if (row.table === "quarantine" && Number(row.cells["event_time"] ?? row.arrivedAtMs) >= sinceMs) count(String(row.cells["actor"]));
    } else if ((timeOf(view, row) ?? Number.NEGATIVE_INFINITY) >= sinceMs && (by === "records" || row.late)) count(row.actor);
  }
  return counts;
}

async function changesOf(
  view: View,
  field: string,
  values: ReadonlyMap<string, number>,
  sinceMs: number,
): Promise<ReadonlyMap<string, number | null>> {
  const before = new Map<string, readonly [atMs: number, value: number]>();
  for await (const row of rows(view)) {
    const value = row.cells[field];
    const atMs = timeOf(view, row);
    if (row.actor === null || !values.has(row.actor) || typeof value !== "number" || atMs === null || atMs > sinceMs) continue;
    if (atMs >= (before.get(row.actor)?.[0] ?? Number.NEGATIVE_INFINITY)) before.set(row.actor, [atMs, value]);
  }
  return new Map([...values].map(([id, value]) => [id, changeFrom(before.get(id)?.[1], value)]));
}

function changeFrom(before: number | undefined, value: number): number | null {
  return before === undefined ? null : Math.round(1e6 * (value - before)) / 1e6;
}

async function* rows(view: View) {
  for await (const entries of logFrom(view, "curated", 1)) {
    for (const entry of entries) {
      const emission = view.decode("curated", entry);
      if (emission.stream === "curated") yield emission.row;
    }
  }
}

/** Event time of a row of a record; null: it is of none. */
function timeOf(view: View, row: Parameters<typeof feedOf>[1]): number | null {
  return feedOf(view, row)?.eventTimeMs(row.cells) ?? null;
}
