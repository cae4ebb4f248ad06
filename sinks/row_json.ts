import type { CellValue, ColumnType } from "../engine/emission.ts";
import { type DeclaredTable, LEADING_COLUMNS, type NumberedRow, PARTITION_COLUMN } from "./delta_column.ts";

/**
 * Makes the writer of curated rows as JSON objects: `table`, `actor`, the columns that every row begins with, `date`, and the table's own, in their
 * order. Instants are text in UTC, decimals numbers in their unit; what schema evolution has added is as it is kept. `tables` are all that may occur.
 */
export function rowJson(tables: readonly DeclaredTable[]): (numbered: NumberedRow) => string {
  const types = new Map(tables.map(({ name, columns }) => [name, new Map(columns)]));
  return (numbered) => {
    const { table, actor, date, cells } = numbered.row;
    const fields: Record<string, CellValue> = { table, actor };
    for (const { name, type, of } of LEADING_COLUMNS) fields[name] = shown(of(numbered), type);
    fields[PARTITION_COLUMN] = date;
    const ofTable = types.get(table);
    for (const [name, value] of Object.entries(cells)) fields[name] ??= shown(value, ofTable?.get(name));
    return JSON.stringify(fields);
  };
}

function shown(value: CellValue, type: ColumnType | undefined): CellValue {
  if (typeof value !== "number" || type === undefined) return value;
  if (type.type === "timestamp") return new Date(value).toISOString();
  return type.type === "decimal" ? value / 10 ** type.scale : value; // The nearest double prints as that very decimal.
}
