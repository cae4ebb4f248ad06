import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { CellValue } from "../engine/emission.ts";
import { type Cells, shownCells } from "./cell.ts";
import { CommandError } from "./errors.ts";
import { type ExportColumn, type ExportTimes, exportTableOf } from "./export_tables.ts";
import { csvCell } from "./format.ts";
import { printableJson } from "./printable.ts";
import type { View } from "./reader.ts";

/** What is exported, and times as they are typed. */
export interface ExportQuery extends ExportTimes {
  readonly table: string;
  /** A path that ends in `.parquet`, `.csv` or `.jsonl`; `-`: JSON lines to `write`. */
  readonly to: string;
}

export interface Exported {
  readonly table: string;
  readonly to: string;
  readonly rows: number;
}

/** Rows of a table, in bounded groups: cells as they are stored. */
export type RowGroups = AsyncIterable<readonly Cells[]>;

/** Makes the bytes of a Parquet file, in pieces. */
export type ParquetEncoder = (columns: readonly ExportColumn[], groups: RowGroups) => AsyncIterable<Uint8Array>;

export interface ExportOutlets {
  readonly parquet: ParquetEncoder;
  /** Takes what goes to `-`; resolves when there is room for more. */
  readonly write: (piece: Uint8Array) => Promise<void>;
  /** Told how many rows a group that was written had. */
  readonly onRows?: (rows: number) => void;
}

/**
 * Writes a table of `exportTableOf`. Money is exact in Parquet and shown in rupees elsewhere. A file appears whole, under its name, or not at all. Throws
 * NOT_FOUND, USAGE, and REFUSED if the file cannot be written.
 */
export async function exportTable(view: View, query: ExportQuery, { parquet, write, onRows }: ExportOutlets): Promise<Exported> {
  const { table, to } = query;
  const { columns, rows } = exportTableOf(view, table, query);
  const encode = encoderFor(to, parquet);
  const counted = new CountedRows(rows, onRows);
  const pieces = encode(columns, counted.groups(GROUP_ROWS));
  if (to === "-") for await (const piece of pieces) await write(piece);
  else await writeWhole(to, pieces);
  return { table, to, rows: counted.rows };
}

/** The forms in which a table is served. */
export const EXPORT_FORMS = ["jsonl", "csv"] as const;

/** The same, piece by piece, for whoever serves it. */
export function exportedPieces(
  view: View,
  table: string,
  form: (typeof EXPORT_FORMS)[number],
  times: ExportTimes,
): AsyncIterable<Uint8Array> {
  const { columns, rows } = exportTableOf(view, table, times);
  return (form === "csv" ? csv : jsonLines)(columns, new CountedRows(rows).groups(GROUP_ROWS));
}

const GROUP_ROWS = 5_000;

// The file ------------------------------------------------------------------------------------------------------------------------------

type Encoder = (columns: readonly ExportColumn[], groups: RowGroups) => AsyncIterable<Uint8Array>;

function encoderFor(to: string, parquet: ParquetEncoder): Encoder {
  if (to === "-") return jsonLines;
  switch (extname(to)) {
    case ".parquet":
      return parquet;
    case ".csv":
      return csv;
    case ".jsonl":
      return jsonLines;
    default:
      throw new CommandError("USAGE", `--to: ${to} says no format`, { hint: "end it in .parquet, .csv or .jsonl; - is standard output" });
  }
}

class CountedRows {
  rows = 0;
  readonly #cells: Iterable<Cells> | AsyncIterable<Cells>;
  readonly #onRows: (rows: number) => void;

  constructor(cells: Iterable<Cells> | AsyncIterable<Cells>, onRows: (rows: number) => void = () => {}) {
    this.#cells = cells;
    this.#onRows = onRows;
  }

  async *groups(rowsMax: number): AsyncGenerator<readonly Cells[], void> {
    let group: Cells[] = [];
    for await (const cells of this.#cells) {
      group.push(cells);
      this.rows += 1;
      if (group.length < rowsMax) continue;
      yield group;
      this.#onRows(group.length);
      group = [];
    }
    if (group.length > 0) yield group;
    this.#onRows(group.length);
  }
}

async function* jsonLines(columns: readonly ExportColumn[], groups: RowGroups): AsyncGenerator<Uint8Array, void> {
  for await (const rows of groups) yield Buffer.from(rows.map((row) => `${printableJson(shownRow(columns, row))}\n`).join(""));
}

async function* csv(columns: readonly ExportColumn[], groups: RowGroups): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(`${columns.map(({ name }) => csvCell(name)).join(",")}\n`);
  for await (const rows of groups) {
    yield Buffer.from(rows.map((row) => `${Object.values(shownRow(columns, row)).map(csvCell).join(",")}\n`).join(""));
  }
}

/** All columns in their order, as answers show them. */
function shownRow(columns: readonly ExportColumn[], row: Cells): Cells {
  const cells = columns.map(({ name }): [string, CellValue] => [name, row[name] ?? null]);
  return shownCells(Object.fromEntries(cells), new Map(columns.map(({ name, type }) => [name, type])));
}

/** Writes aside, syncs, renames: nobody sees half a file under the name. */
async function writeWhole(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = await open(aside, "wx");
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    if (error instanceof Error && "syscall" in error) throw new CommandError("REFUSED", `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
