import type { CellValue } from "../../engine/emission.ts";
import type { Fault } from "../../engine/fault.ts";
import { fault } from "../../engine/fault.ts";
import type { Absence, RecordContext, Row } from "../../engine/feed.ts";
import type { HistoryChange, Rank } from "../../engine/history.ts";
import { longHash } from "../../engine/ids.ts";
import { parseDate } from "../../engine/instant.ts";
import { civilDate, civilDayStartMs } from "../civil_day.ts";

const OPEN_END = "9999-12-31";
const PRECEDENCE: Readonly<Record<RecordContext["mode"], number>> = { snapshot: 0, delta: 1, cdc: 2 };

/** The part of a master record that places it in time. What it says of being current, and of its version's number, is not believed. */
export interface Validity {
  readonly record_effective_date: string;
  /** 9999-12-31 and null: open. */
  readonly record_end_date: string | null;
}

/** A master record as facts of a history: what holds from its effective date and, if it states a real end, that nothing does from there. */
export interface MasterFacts {
  readonly atMs: number;
  readonly change: HistoryChange;
  readonly close: HistoryChange | null;
  /** Of a snapshot's row: that it still holds on the day on which the snapshot speaks. */
  readonly again: HistoryChange | null;
}

/** `columns` are those of the business, without the key. */
export function masterFacts(row: Row & Validity, columns: readonly string[], context: RecordContext): MasterFacts {
  const rank = rankOf(context);
  if (context.absent) return { atMs: civilDayStartMs(row.record_effective_date), ...gone(row.record_effective_date, rank) };
  const authored = columns.every(context.authored) ? null : columns.filter(context.authored);
  const values: Record<string, CellValue> = {};
  for (const name of columns) values[name] = row[name] ?? null;
  const from = row.record_effective_date;
  const end = realEnd(row);
  const change = {
    from,
    kind: "upsert",
    rank,
    values,
    authored,
    atMs: null,
  } as const;
  const speaksOn = context.mode === "snapshot" && context.path !== null ? speakingDay(context.path, context.arrivedAtMs) : from;
  return {
    atMs: civilDayStartMs(from),
    change,
    close: end === null ? null : { from: end, kind: "close", rank, values: {}, authored: null, atMs: null },
    again: speaksOn > from && (end === null || speaksOn < end) ? { ...change, from: speaksOn } : null,
  };
}

/** What a snapshot says of keys that it lacks, where they are counted as gone: that they are, from the day on which it speaks. */
export function masterAbsence(kind: string, key: string): Absence {
  return { kind, from: speakingDay, fields: (id, from) => ({ [key]: id, record_effective_date: from }) };
}

function gone(from: string, rank: Rank): Omit<MasterFacts, "atMs"> {
  return { change: { from, kind: "delete", rank, values: {}, authored: null, atMs: null }, close: null, again: null };
}

/** The date in a file's name, or else the day on which it came. */
function speakingDay(path: string, arrivedAtMs: number): string {
  const digits = publicationOf(path);
  return parseDate(`${digits.slice(0, 4)}-${digits.slice(4, 6)}-${digits.slice(6)}`) ?? civilDate(arrivedAtMs);
}

/** A version must last a day: ends are days on which it no longer holds. */
export function checkValidity(row: Validity): Fault | null {
  const end = realEnd(row);
  if (end === null || end > row.record_effective_date) return null;
  return fault("bad_interval", "the record ends before it takes effect", "record_effective_date");
}

/** The identity of a master record: who, from when, and what it says. */
export function masterKey(key: string, row: Row & Validity): string {
  return `${key}@${row.record_effective_date}/${longHash([JSON.stringify(Object.values(row))])}`;
}

function realEnd({ record_end_date: end }: Validity): string | null {
  return end === OPEN_END ? null : end;
}

/** Publication: the 8 digits in a file's name, 0 without. */
function rankOf({ path, mode, generation }: RecordContext): Rank {
  return { publication: path === null ? 0 : Number(publicationOf(path)), precedence: PRECEDENCE[mode], generation };
}

function publicationOf(path: string): string {
  const [digits = "0"] = /(?<!\d)\d{8}(?!\d)/.exec(path.slice(path.lastIndexOf("/") + 1)) ?? [];
  return digits;
}
