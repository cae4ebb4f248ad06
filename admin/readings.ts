import type { CellValue, CuratedRow } from "../engine/emission.ts";
import type { Feed } from "../engine/feed.ts";
import { type ActorId, keyOf } from "../engine/ids.ts";
import { shownCells } from "./cell.ts";
import { type Column, columnsOf, formatRows, type Screen } from "./format.ts";
import { type Actor, actorClockMs, findActor, logFrom, readActor, type View } from "./reader.ts";
import { instantText, timeMs } from "./time.ts";

/** What a value is expected to lie in, by what is usual for its actor now. */
export interface Band {
  readonly lower: number;
  readonly expected: number;
  readonly upper: number;
}

/** One accepted record of an actor. */
export interface Reading {
  readonly eventTime: string;
  readonly feed: string;
  readonly eventId: string;
  readonly late: boolean;
  readonly values: Readonly<Record<string, CellValue>>;
  /** Of the value that the actor's statistics are of; null: nothing is known yet. */
  readonly band: Band | null;
}

/** The latest `limit` readings, oldest first, and how many there are. */
export interface ReadingList {
  readonly readings: readonly Reading[];
  readonly found: number;
}

const SINCE_DEFAULT = "7d";

/** An actor's records between two times, as far back as the log is kept. Throws NOT_FOUND and USAGE. */
export async function readings(
  view: View,
  idText: string,
  { since = SINCE_DEFAULT, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  limit: number,
): Promise<ReadingList> {
  const id = findActor(view, idText);
  const actor = readActor(view, id);
  const clockMs = actorClockMs(view, actor);
  const untilMs = until === undefined ? Number.POSITIVE_INFINITY : timeMs(until, clockMs, "--until");
  const sinceMs = clockMs === null && since === SINCE_DEFAULT ? Number.NEGATIVE_INFINITY : timeMs(since, clockMs, "--since");
  const found = new Map<string, { readonly atMs: number; readonly reading: Reading }>();
  const band = bandOf(actor);
  for await (const row of rowsOf(view, id)) {
    const feed = feedOf(view, row);
    if (feed === undefined) continue;
    const atMs = feed.eventTimeMs(row.cells);
    if (atMs >= sinceMs && atMs < untilMs) found.set(row.rowId, { atMs, reading: readingOf(row, feed, atMs, band) });
    else found.delete(row.rowId); // A later row of the same record replaces the one before it.
  }
  const all = [...found.values()].sort((a, b) => a.atMs - b.atMs).map(({ reading }) => reading);
  return { readings: limit <= 0 ? [] : all.slice(-limit), found: all.length };
}

/** A table for people. */
export function readingsText(rows: readonly Reading[], screen: Screen | null): string {
  const names = columnsOf(rows.map(({ values }) => values)).map(({ name }) => name);
  const columns: readonly Column<Reading>[] = [
    { name: "time", of: ({ eventTime }) => eventTime, isWhole: true },
    ...names.map((name): Column<Reading> => ({ name, of: ({ values }) => values[name] })),
    { name: "usual", of: ({ band }) => (band === null ? null : `${band.lower}-${band.upper}`) },
    { name: "late", of: ({ late }) => (late ? "late" : null) },
  ];
  // A terminal has no room for texts that never change; every form for programs has them all.
  const isSame = ({ of }: Column<Reading>): boolean =>
    rows.length > 1 && rows.every((row) => typeof of(row) !== "number" && of(row) === of(rows[0] ?? row));
  const isShown = (column: Column<Reading>): boolean =>
    column.name === "time" ||
    (rows.some((row) => (column.of(row) ?? "") !== "") && !(screen !== null && names.includes(column.name) && isSame(column)));
  return formatRows(rows, columns.filter(isShown), "table", screen);
}

/** The rows of records that tell of an actor, in order of the log. An entry that does not name the actor is not read. */
export async function* rowsOf(view: View, id: ActorId): AsyncGenerator<CuratedRow, void> {
  const name = Buffer.from(id);
  for await (const entries of logFrom(view, "curated", 1)) {
    for (const entry of entries) {
      if (Buffer.from(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.length).indexOf(name) < 0) continue;
      const emission = view.decode("curated", entry);
      if (emission.stream === "curated" && emission.row.actor === id) yield emission.row;
    }
  }
}

/** The feed whose record a row is; undefined: it is a row of the engine, or one that an actor has made up. */
export function feedOf({ domain }: View, row: CuratedRow): Feed | undefined {
  const name = domain.tables.find((table) => table.name === row.table)?.feed;
  return name == null ? undefined : domain.feeds.find((feed) => feed.name === name);
}

function readingOf(row: CuratedRow, feed: Feed, atMs: number, band: Band | null): Reading {
  const eventId = feed.dedupKey(row.cells);
  const types = new Map(Object.entries(feed.fields).map(([name, { column }]) => [name, column]));
  const known: readonly CellValue[] = [null, eventId, row.actor === null ? null : keyOf(row.actor)];
  const own = Object.entries(row.cells).filter(([name, value]) => name in feed.fields && !known.includes(value));
  const values = Object.entries(shownCells(Object.fromEntries(own), types)).filter(([, value]) => value !== instantText(atMs));
  return { eventTime: instantText(atMs), feed: feed.name, eventId, late: row.late, values: Object.fromEntries(values), band };
}

/** Three robust standard deviations around the median; null while it is being learnt. */
function bandOf({ description: { rolling } }: Actor): Band | null {
  const { median, spread, learning } = rolling ?? {};
  if (typeof median !== "number" || typeof spread !== "number" || learning !== false) return null;
  const width = 3 * 1.4826 * spread;
  const round = (value: number): number => Math.round(1_000 * value) / 1_000;
  return { lower: round(Math.max(0, median - width)), expected: median, upper: round(median + width) };
}
