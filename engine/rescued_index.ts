import type { ChangedRow } from "./commit.ts";
import { days } from "./duration.ts";
import type { Store } from "./store.ts";

/** How long rescued values wait for a decision: later their rows stay as they are. */
const KEPT_MS = days(90);

/** A record with values under names that its feed does not declare, which its curated rows could only rescue. */
export interface RescuedRecord {
  readonly columns: readonly string[];
  /** Numbers in the log of its curated rows as they stand now. */
  readonly rows: readonly number[];
  readonly arrivedAtMs: number;
}

/** Of `_rescued_data` the columns that the feed does not declare. */
export function strayColumns(rescued: string, declared: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(JSON.parse(rescued) as Readonly<Record<string, unknown>>).flatMap(([name, entry]) =>
    typeof entry === "object" && !Object.hasOwn(declared, name) ? [name] : [],
  );
}

/** The index is in the order of the log, which is the order of positions within each source. */
export function rescuedRow(feed: string, number: number, record: RescuedRecord | null): ChangedRow {
  const value = record === null || record.columns.length === 0 ? null : Buffer.from(JSON.stringify(record));
  return { table: "feed", key: keyOf(feed, number), value };
}

/** All records of a feed that wait, each with its number in the index. */
export function* rescuedRecords(store: Pick<Store, "range">, feed: string): Generator<readonly [number: number, record: RescuedRecord]> {
  const prefix = prefixOf(feed);
  for (const [key, bytes] of store.range("feed", prefix)) yield [Number(key.slice(prefix.length)), parsed(bytes)];
}

/** The record of this number, or null: it waits no longer. */
export function rescuedRecord(store: Pick<Store, "get">, feed: string, number: number): RescuedRecord | null {
  const bytes = store.get("feed", keyOf(feed, number));
  return bytes === null ? null : parsed(bytes);
}

/** Rows that end the waiting of records which have waited too long, seen from a record that arrived at this time. */
export function expired(store: Pick<Store, "range">, feed: string, arrivedAtMs: number): readonly ChangedRow[] {
  const rows: ChangedRow[] = [];
  for (const [number, record] of rescuedRecords(store, feed)) {
    if (record.arrivedAtMs >= arrivedAtMs - KEPT_MS) break; // The index is in order of arrival, but for files that were found late.
    rows.push(rescuedRow(feed, number, null));
  }
  return rows;
}

function prefixOf(feed: string): string {
  return `rescued ${feed} `;
}

function keyOf(feed: string, number: number): string {
  return `${prefixOf(feed)}${String(number).padStart(16, "0")}`;
}

function parsed(bytes: Uint8Array): RescuedRecord {
  return JSON.parse(Buffer.from(bytes).toString()) as RescuedRecord;
}
