import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { CellValue, ColumnType } from "../engine/emission.ts";
import { invariant } from "../engine/fault.ts";
import { type DeltaColumn, LEADING_COLUMNS, type NumberedRow } from "./delta_column.ts";

const ROW_GROUP_ROWS = 5_000; // Between groups the event loop gets its turn.
const DAY_MS = 86_400_000;

/** A whole Parquet file (snappy) with the leading columns and these, all nullable. The same rows and columns give the same bytes. */
export async function encodePart(columns: readonly DeltaColumn[], rows: readonly NumberedRow[]): Promise<Uint8Array> {
  const all = [
    ...LEADING_COLUMNS,
    ...columns.map(({ name, cell, type }) => ({ name, type, of: ({ row }: NumberedRow) => row.cells[cell] ?? null })),
  ];
  const { writer, file } = newFile(all);
  for (let from = 0; from < rows.length; from += ROW_GROUP_ROWS) {
    const group = rows.slice(from, from + ROW_GROUP_ROWS);
    const columnData = all.map(({ name, type, of }) => ({ name, data: filled(group, of, type, name), ...writingOf(name, type) }));
    await file.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
  }
  await file.finish();
  return writer.getBytes();
}

/**
 * The same for any columns, in pieces: a row group for each group of rows, so that a file of any size needs the memory of one group. A row is
 * its cells by name; one that is missing is null.
 */
export async function* encodeGroups(
  columns: readonly NamedColumn[],
  groups: AsyncIterable<readonly Readonly<Record<string, CellValue>>[]>,
): AsyncGenerator<Uint8Array, void> {
  const { writer, file } = newFile(columns);
  for await (const rows of groups) {
    const columnData = columns.map(({ name, type }) => ({ name, data: rows.map((row) => physical(row[name] ?? null, type, name)) }));
    await file.write({ columnData, rowGroupSize: Math.max(1, rows.length) });
    yield piece(writer);
  }
  await file.finish();
  yield piece(writer);
}

/** A column of a file. */
export interface NamedColumn {
  readonly name: string;
  readonly type: ColumnType;
}

function newFile(columns: readonly NamedColumn[]): { readonly writer: ByteWriter; readonly file: ParquetWriter } {
  const writer = Object.assign(new ByteWriter(1 << 20), { flush: nextTurnOfTheLoop });
  const schema = [{ name: "root", num_children: columns.length }, ...columns.map(({ name, type }) => element(name, type))];
  return { writer, file: new ParquetWriter({ writer, schema, codec: "SNAPPY", createdBy: "gridactor" }) };
}

/** Takes what has been written since the last time; places in the file go on counting. */
function piece(writer: ByteWriter): Uint8Array {
  const bytes = writer.getBytes().slice();
  writer.index = 0;
  return bytes;
}

function element(name: string, type: ColumnType): SchemaElement {
  const common = { name, repetition_type: "OPTIONAL" } as const;
  switch (type.type) {
    case "string":
      return { ...common, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "double":
      return { ...common, type: "DOUBLE" };
    case "long":
      return { ...common, type: "INT64" };
    case "boolean":
      return { ...common, type: "BOOLEAN" };
    case "date":
      return { ...common, type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "timestamp":
      return {
        ...common,
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      };
    case "decimal": {
      const { precision, scale } = type;
      const logical_type = { type: "DECIMAL", precision, scale } as const;
      return { ...common, type: "INT64", converted_type: "DECIMAL", precision, scale, logical_type };
    }
  }
}

type Physical = string | number | bigint | boolean | null;

function filled(group: readonly NumberedRow[], of: (row: NumberedRow) => CellValue, type: ColumnType, name: string): Physical[] {
  const data = new Array<Physical>(group.length);
  for (let n = 0; n < group.length; n += 1) data[n] = physical(of(group[n] as NumberedRow), type, name);
  return data;
}

/** Columns that are other in every row: a dictionary of them is looked for in vain. */
const PLAIN: ReadonlySet<string> = new Set(["_row_id", "_seq", "_position"]);

/** Least and greatest text of a row group cost as much as all the rest, and nobody passes over groups by them: days have parts of their own. */
function writingOf(name: string, { type }: ColumnType) {
  return { ...(type === "string" ? { statistics: false } : {}), ...(PLAIN.has(name) ? { encoding: "PLAIN" as const } : {}) };
}

/** The value as the file stores it: a decimal's bigint is taken as it is, unscaled. */
function physical(value: CellValue, type: ColumnType, name: string): Physical {
  if (value === null) return null;
  switch (type.type) {
    case "string":
      return typeof value === "string" ? value : JSON.stringify(value);
    case "boolean":
      invariant(typeof value === "boolean", `${name} is a truth value`);
      return value;
    case "double":
      invariant(typeof value === "number", `${name} is a number`);
      return value;
    case "long":
    case "decimal":
      invariant(Number.isSafeInteger(value), `${name} is a whole number within 2^53`);
      return BigInt(value);
    case "date": {
      const days = Date.parse(`${value}T00:00:00Z`) / DAY_MS;
      invariant(Number.isInteger(days), `${name} is a civil date`);
      return days;
    }
    case "timestamp":
      invariant(typeof value === "number" && Number.isFinite(value), `${name} is an instant`);
      return BigInt(Math.round(value * 1_000));
  }
}

function nextTurnOfTheLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
