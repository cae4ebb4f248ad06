import { ByteReader, ByteWriter } from "./byte_writer.ts";
import type { CellValue, CuratedRow } from "./emission.ts";
import { invariant } from "./fault.ts";
import { type ActorId, actorIdFrom, longHash } from "./ids.ts";
import type { ResolvedTable } from "./table.ts";

type Cells = Readonly<Record<string, CellValue | undefined>>;

/** What all rows of one record, or of one timer, have in common. */
export interface RowCause {
  /** `encodeHead` of the batch. */
  readonly head: Uint8Array;
  /** Number behind the origin in the head; -1: the origin is the whole position. */
  readonly at: number;
  readonly arrivedAtMs: number;
  readonly rescued: string | null;
  readonly schemaVersion: number;
}

/** One row, but for its cells. `key` and `ordinal` (n-th row of its record in the table) make its id. */
export interface RowFacts {
  readonly table: ResolvedTable;
  readonly key: string;
  readonly ordinal: number;
  readonly date: string;
  readonly actor: ActorId | null;
  readonly late: boolean;
  readonly rules: string | null;
  /** Columns born by schema evolution. */
  readonly extra: Cells | null;
}

const writer = new ByteWriter(); // Only a buffer: nothing of one row is in the next.

/** What all rows of a batch have in common: feed (null for a timer), source (`name` or `name:path`), origin of positions. */
export function encodeHead(feed: string | null, source: string, origin: string): Uint8Array {
  writer.begin();
  writer.cell(feed);
  writer.cell(source);
  writer.cell(origin);
  return writer.end();
}

/** Writes a row for the log: the cells of the feed's record (null: none), then those that an actor adds. Cells that are missing are null. */
export function writeRow(into: ByteWriter, cause: RowCause, row: RowFacts, record: Cells | null, added: Cells): void {
  const { columns, ofFeed } = row.table;
  writeFacts(into, cause, row, columns.length, ofFeed > 0 && record !== null && record[(columns[0] as Column)[0]] === row.key);
  for (let n = 0; n < columns.length; n += 1) {
    const name = (columns[n] as Column)[0];
    into.cell((n < ofFeed ? record?.[name] : added[name]) ?? null);
  }
  into.byte(END);
}

/** The same for cells that are already in the table's order. */
export function writeCells(into: ByteWriter, cause: RowCause, row: RowFacts, cells: readonly CellValue[]): void {
  writeFacts(into, cause, row, cells.length, cells[0] === row.key);
  for (let n = 0; n < cells.length; n += 1) into.cell(cells[n] as CellValue);
  into.byte(END);
}

type Column = ResolvedTable["columns"][number];

/** `keyIsFirst`: the key is the first cell too, and is not written twice. */
function writeFacts(into: ByteWriter, cause: RowCause, row: RowFacts, cells: number, keyIsFirst: boolean): void {
  into.bytes(cause.head);
  into.cell(cause.at);
  into.cell(cause.arrivedAtMs);
  into.cell(cause.rescued);
  into.cell(cause.schemaVersion);
  into.cell(row.table.name);
  into.cell(keyIsFirst ? null : row.key);
  into.cell(row.ordinal);
  into.cell(row.date);
  into.cell(row.actor);
  into.cell(row.late);
  into.cell(row.rules);
  into.cell(row.extra === null ? null : JSON.stringify(row.extra));
  into.cell(row.table.ofFeed);
  into.cell(cells - row.table.ofFeed);
}

const END = 0x45;
/** In front of the number of the row that this one replaces; a row that replaces none goes without. */
const AMENDS = 0x41;

/** What is other in a row that is said again. */
export interface Amendment {
  /** Number in the log of the row that it replaces. */
  readonly amends: number;
  readonly rescued: string | null;
  readonly schemaVersion: number;
  readonly extra: Cells;
}

/** Writes a row that replaces the one with these bytes, under the same id: all is as it was, but for what the amendment says. */
export function writeAmendment(into: ByteWriter, bytes: Uint8Array, { amends, rescued, schemaVersion, extra }: Amendment): void {
  const reader = new ByteReader(bytes);
  const pass = (cells: number): void => {
    for (let n = 0; n < cells; n += 1) into.cell(reader.cell());
  };
  pass(CELLS_OF_CAUSE - 2);
  reader.cell();
  reader.cell();
  into.cell(rescued);
  into.cell(schemaVersion);
  pass(CELLS_OF_ROW - 1);
  reader.cell();
  into.cell(JSON.stringify(extra));
  const [ofFeed, ofActors] = [reader.cell(), reader.cell()];
  into.cell(ofFeed);
  into.cell(ofActors);
  pass(Number(ofFeed) + Number(ofActors));
  into.byte(AMENDS);
  into.cell(amends);
  into.byte(END);
}

/** Writes a row that replaces the one with these bytes, under the same id: all is as it was, but for its cells (all of the table's, in its order). */
export function writeRevision(
  into: ByteWriter,
  bytes: Uint8Array,
  { amends, table, cells }: Pick<StoredRow, "table" | "cells"> & { readonly amends: number },
): void {
  const reader = new ByteReader(bytes);
  for (let n = 0; n < CELLS_OF_CAUSE + CELLS_OF_ROW; n += 1) into.cell(reader.cell());
  into.cell(table.ofFeed);
  into.cell(cells.length - table.ofFeed);
  for (const cell of cells) into.cell(cell);
  into.byte(AMENDS);
  into.cell(amends);
  into.byte(END);
}

/** Head, number, arrival, rescued, schema version. */
const CELLS_OF_CAUSE = 7;
/** Table, key, ordinal, date, actor, late, rules, extra. */
const CELLS_OF_ROW = 8;

/** A row as it was stored, its cells in the table's order. */
export interface StoredRow {
  readonly row: Omit<CuratedRow, "cells">;
  readonly table: ResolvedTable;
  readonly cells: readonly CellValue[];
  readonly extra: Readonly<Record<string, CellValue>> | null;
}

/** Reads a row back. `tables`: by name, as they were declared when the row was written. Throws `BrokenInvariant` if they were not. */
export function readRow(tables: ReadonlyMap<string, ResolvedTable>, bytes: Uint8Array): StoredRow {
  const reader = new ByteReader(bytes);
  const feed = text(reader);
  const source = text(reader);
  const origin = text(reader);
  const at = Number(reader.cell());
  const arrivedAtMs = Number(reader.cell());
  const rescued = textOrNull(reader);
  const schemaVersion = Number(reader.cell());
  const name = text(reader);
  const key = textOrNull(reader);
  const ordinal = Number(reader.cell());
  const date = text(reader);
  const actor = textOrNull(reader);
  const late = reader.cell() === true;
  const rules = textOrNull(reader);
  const extra = textOrNull(reader);
  const table = tables.get(name);
  invariant(table !== undefined, `table ${name} of a stored row is declared`);
  const cells: CellValue[] = [];
  const ofFeed = Number(reader.cell());
  const ofActors = Number(reader.cell());
  readCells(reader, ofFeed, table.ofFeed, cells);
  readCells(reader, ofActors, table.columns.length - table.ofFeed, cells);
  const mark = reader.byte();
  const amends = mark === AMENDS ? Number(reader.cell()) : null;
  invariant((amends === null ? mark : reader.byte()) === END, `a stored row of ${name} has the columns that the table declares`);
  return {
    row: {
      table: name,
      get rowId() {
        return longHash([name, feed, key ?? String(cells[0]), ordinal]); // Only who wants it pays for it.
      },
      amends,
      actor: actor === null ? null : actorIdFrom(actor),
      source,
      position: at === -1 ? origin : `${origin}${at}`,
      arrivedAtMs,
      date,
      rescued,
      schemaVersion,
      late,
      rules,
    },
    table,
    cells,
    extra: extra === null ? null : (JSON.parse(extra) as Readonly<Record<string, CellValue>>),
  };
}

/** A feed or a table may have grown at its end since the row was written: what it did not have then is null. */
function readCells(reader: ByteReader, stored: number, declared: number, into: CellValue[]): void {
  invariant(
    stored <= declared,
    `a stored row has ${stored} cells where its table declares ${declared}: columns are only ever added, at the end`,
  );
  for (let n = 0; n < declared; n += 1) into.push(n < stored ? reader.cell() : null);
}

/** Where the cells of a stored row begin, in the table's order; -1: the row was written before the table had the column. */
export function cellPlaces(bytes: Uint8Array, places: Int32Array): void {
  const reader = new ByteReader(bytes);
  for (let n = 0; n < CELLS_OF_CAUSE + CELLS_OF_ROW; n += 1) reader.skip();
  const cells = Number(reader.cell()) + Number(reader.cell());
  for (let n = 0; n < places.length; n += 1) places[n] = n < cells ? reader.skip() : -1;
}

/** Reads a row back, its cells by name. */
export function decodeRow(tables: ReadonlyMap<string, ResolvedTable>, bytes: Uint8Array): CuratedRow {
  const { row, table, cells, extra } = readRow(tables, bytes);
  const named: Record<string, CellValue> = {};
  for (let n = 0; n < cells.length; n += 1) named[(table.columns[n] as Column)[0]] = cells[n] as CellValue;
  return { ...row, cells: extra === null ? named : { ...named, ...extra, ...named } };
}

function text(reader: ByteReader): string {
  return String(reader.cell() ?? "");
}

function textOrNull(reader: ByteReader): string | null {
  const cell = reader.cell();
  return cell === null ? null : String(cell);
}
