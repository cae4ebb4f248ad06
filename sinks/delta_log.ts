import { BrokenInvariant } from "../engine/fault.ts";
import { longHash } from "../engine/ids.ts";
import { type DeltaColumn, LEADING_COLUMNS, PARTITION_COLUMN, parseType, typeText } from "./delta_column.ts";

/** What the log of a Delta table says, all entries together. */
export interface DeltaState {
  /** Number of entries; the next one has this number. */
  readonly entries: number;
  /** The table's own columns; null: there is no table yet. */
  readonly columns: readonly DeltaColumn[] | null;
  /** Last sequence of the newest extent of this application; 0: none. */
  readonly lastSequence: number;
}

export const NO_TABLE: DeltaState = { entries: 0, columns: null, lastSequence: 0 };

/** A file to be listed. `date` is its partition, `sequences` the first and last `_seq` in it. */
export interface ListedPart {
  readonly path: string;
  readonly date: string;
  readonly sizeBytes: number;
  /** Latest arrival of a row in it. */
  readonly modifiedAtMs: number;
  readonly rows: number;
  readonly sequences: readonly [first: number, last: number];
}

/** Where a table's entries are. */
export const LOG_FOLDER = "_delta_log";

/** The name of an entry's file. */
export function entryName(number: number): string {
  return `${String(number).padStart(20, "0")}.json`;
}

/** Number of the entry that a file of this name is; null: it is none. */
export function entryNumber(name: string): number | null {
  return /^\d{20}\.json$/.test(name) ? Number(name.slice(0, 20)) : null;
}

/** The state after one more entry; the files that the entry lists, relative to the table's folder, are added to `listed`. Throws `BrokenInvariant` if the entry is not one that this program writes. */
export function afterEntry(state: DeltaState, text: string, appId: string, listed: Set<string>): DeltaState {
  let { columns, lastSequence } = state;
  for (const line of text.split("\n").filter((each) => each !== "")) {
    const { metaData, add, txn, remove } = JSON.parse(line) as Action;
    if (remove !== undefined) throw new BrokenInvariant(`entry ${state.entries} removes ${remove.path}: the table is append-only`);
    if (metaData !== undefined) columns = readColumns(metaData.schemaString);
    if (add !== undefined) listed.add(add.path);
    if (txn?.appId === appId) lastSequence = txn.version;
  }
  return { entries: state.entries + 1, columns, lastSequence };
}

/** Who wrote an entry; empty if it does not say. */
export function applicationOf(text: string): string {
  for (const line of text.split("\n")) {
    const { txn } = line === "" ? {} : (JSON.parse(line) as Action);
    if (txn !== undefined) return txn.appId;
  }
  return "";
}

/** What an entry says: the parts of one extent of one table. `columns` null: they are as before. */
export interface NewEntry {
  readonly storeId: string;
  readonly table: string;
  readonly isFirst: boolean;
  readonly columns: readonly DeltaColumn[] | null;
  readonly parts: readonly ListedPart[];
  readonly appId: string;
  readonly lastSequence: number;
}

/** The text of an entry: the same content gives the same text. */
export function entryText({ storeId, table, isFirst, columns, parts, appId, lastSequence }: NewEntry): string {
  const actions: Action[] = [];
  if (isFirst) actions.push({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } });
  if (columns !== null) actions.push({ metaData: metaDataOf(storeId, table, columns) });
  for (const part of parts) actions.push({ add: addOf(part) });
  actions.push({ txn: { appId, version: lastSequence } });
  return actions.map((action) => `${JSON.stringify(action)}\n`).join("");
}

/** A line of an entry. */
export interface Action {
  readonly protocol?: { readonly minReaderVersion: number; readonly minWriterVersion: number };
  readonly metaData?: MetaData;
  readonly add?: Add;
  readonly remove?: { readonly path: string };
  readonly txn?: { readonly appId: string; readonly version: number };
}

interface MetaData {
  readonly id: string;
  readonly name: string;
  readonly format: { readonly provider: "parquet"; readonly options: Readonly<Record<string, string>> };
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  readonly configuration: Readonly<Record<string, string>>;
}

interface Add {
  readonly path: string;
  readonly partitionValues: Readonly<Record<string, string>>;
  readonly size: number;
  readonly modificationTime: number;
  readonly dataChange: boolean;
  readonly stats: string;
}

/** A field of `schemaString`. `metadata.cell`: the name before it was made fit for a column. */
interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly nullable: true;
  readonly metadata: { readonly cell?: string };
}

function metaDataOf(storeId: string, table: string, columns: readonly DeltaColumn[]): MetaData {
  const fields: SchemaField[] = [
    ...LEADING_COLUMNS.map(({ name, type }) => fieldOf(name, typeText(type))),
    fieldOf(PARTITION_COLUMN, "date"),
    ...columns.map(({ name, cell, type }) => fieldOf(name, typeText(type), cell)),
  ];
  return {
    id: longHash([storeId, table]).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    name: table,
    format: { provider: "parquet", options: {} },
    schemaString: JSON.stringify({ type: "struct", fields }),
    partitionColumns: [PARTITION_COLUMN],
    configuration: { "delta.appendOnly": "true" },
  };
}

function fieldOf(name: string, type: string, cell = name): SchemaField {
  return { name, type, nullable: true, metadata: cell === name ? {} : { cell } };
}

function readColumns(schemaString: string): readonly DeltaColumn[] {
  const { fields } = JSON.parse(schemaString) as { readonly fields: readonly SchemaField[] };
  return fields
    .slice(LEADING_COLUMNS.length + 1)
    .map(({ name, type, metadata }) => ({ name, cell: metadata.cell ?? name, type: parseType(type) }));
}

function addOf({ path, date, sizeBytes, modifiedAtMs, rows, sequences: [first, last] }: ListedPart): Add {
  return {
    path,
    partitionValues: { [PARTITION_COLUMN]: date },
    size: sizeBytes,
    modificationTime: modifiedAtMs,
    dataChange: true,
    stats: JSON.stringify({ numRecords: rows, minValues: { _seq: first }, maxValues: { _seq: last } }),
  };
}
