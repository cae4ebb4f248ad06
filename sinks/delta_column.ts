import type { CellValue, ColumnType, CuratedRow } from "../engine/emission.ts";
import { BrokenInvariant, invariant } from "../engine/fault.ts";
import type { ResolvedTable } from "../engine/table.ts";

/** What this sink needs to know of a curated table. */
export type DeclaredTable = Pick<ResolvedTable, "name" | "feed" | "columns">;

/** A column of a table's own: stored as `name`, filled from the row's cell `cell`. */
export interface DeltaColumn {
  readonly name: string;
  readonly cell: string;
  readonly type: ColumnType;
}

/** A column that schema evolution added to a feed, with the type as the row of `schema_versions` has it. */
export interface BornColumn {
  readonly feed: string;
  readonly column: string;
  readonly type: string;
}

/** A curated row with its number in the log. */
export interface NumberedRow {
  readonly sequence: number;
  readonly row: CuratedRow;
}

/** The columns that every row begins with, and where their values come from. */
export const LEADING_COLUMNS: readonly {
  readonly name: string;
  readonly type: ColumnType;
  readonly of: (numbered: NumberedRow) => CellValue;
}[] = [
  { name: "_row_id", type: { type: "string" }, of: ({ row }) => row.rowId },
  { name: "_seq", type: { type: "long" }, of: ({ sequence }) => sequence },
  { name: "_amends", type: { type: "long" }, of: ({ row }) => row.amends },
  { name: "_source", type: { type: "string" }, of: ({ row }) => row.source },
  { name: "_position", type: { type: "string" }, of: ({ row }) => row.position },
  { name: "_ingestion_ts", type: { type: "timestamp" }, of: ({ row }) => row.arrivedAtMs },
  { name: "_rescued_data", type: { type: "string" }, of: ({ row }) => row.rescued },
  { name: "_schema_version", type: { type: "long" }, of: ({ row }) => row.schemaVersion },
  { name: "late", type: { type: "boolean" }, of: ({ row }) => row.late },
  { name: "rules", type: { type: "string" }, of: ({ row }) => row.rules },
];

/** The partition column: in the folder's name and in the Delta log, not in the file. It follows the leading columns. */
export const PARTITION_COLUMN = "date";

/**
 * A table's own columns: those it has already (null: no table yet), then declared ones that are new, then those born since. A column never goes or
 * changes its type. Throws `BrokenInvariant` if the declaration now says another type.
 */
export function columnsOf(
  present: readonly DeltaColumn[] | null,
  table: DeclaredTable,
  born: readonly BornColumn[],
): readonly DeltaColumn[] {
  const columns = [...(present ?? [])];
  const known = new Map(columns.map((column) => [column.cell, column]));
  const taken = new Set([...LEADING_COLUMNS, ...columns, { name: PARTITION_COLUMN }].map(({ name }) => name.toLowerCase()));
  const add = (cell: string, type: ColumnType): void => {
    const column = { name: freeName(cell, taken), cell, type };
    taken.add(column.name.toLowerCase());
    known.set(cell, column);
    columns.push(column);
  };
  for (const [cell, type] of new Map(table.columns)) {
    const before = known.get(cell);
    if (before === undefined) add(cell, type);
    else if (typeText(before.type) !== typeText(type)) {
      throw new BrokenInvariant(`column ${cell} of ${table.name} is stored as ${typeText(before.type)} and declared as ${typeText(type)}`);
    }
  }
  for (const { feed, column, type } of born) if (feed === table.feed && !known.has(column)) add(column, bornType(type));
  return columns;
}

/** The columns that the rows of table `schema_versions` add, in order; those of other tables add none. */
export function bornIn(rows: readonly NumberedRow[]): readonly BornColumn[] {
  return rows
    .filter(({ row }) => row.table === "schema_versions")
    .map(({ row: { cells } }) => ({ feed: text(cells["feed"]), column: text(cells["column"]), type: text(cells["type"]) }));
}

/** A column's type in the words of Delta: `long`, `decimal(18,2)`. */
export function typeText(type: ColumnType): string {
  return type.type === "decimal" ? `decimal(${type.precision},${type.scale})` : type.type;
}

/** Reads what `typeText` wrote. Throws `BrokenInvariant` on anything else. */
export function parseType(written: string): ColumnType {
  switch (written) {
    case "string":
    case "double":
    case "long":
    case "boolean":
    case "date":
    case "timestamp":
      return { type: written };
  }
  const type = decimalType(written);
  if (type === null) throw new BrokenInvariant(`${written} is no type of a curated column`);
  return type;
}

/** Whole numbers and fractions are both stored as double, so that a widened column keeps its type; JSON and what is not known is text. */
function bornType(declared: string): ColumnType {
  const name = declared.trim().toLowerCase();
  if (/^(?:tinyint|smallint|int|integer|bigint|byte|short|long|float|real|double)$/.test(name)) return { type: "double" };
  if (name === "boolean" || name === "date" || name === "timestamp") return { type: name };
  const decimal = decimalType(name);
  // A cell is a whole number within 2^53: 18 digits hold it, and more would not fit in the eight bytes it is stored in.
  return decimal === null ? { type: "string" } : { ...decimal, precision: Math.min(decimal.precision, 18) };
}

function decimalType(written: string): (ColumnType & { readonly type: "decimal" }) | null {
  const match = /^decimal\((\d{1,2}),\s*(\d{1,2})\)$/.exec(written);
  return match === null ? null : { type: "decimal", precision: Number(match[1]), scale: Number(match[2]) };
}

/** Delta knows names without regard to case, and Parquet readers refuse some characters. The cell's own name is kept in the column's metadata. */
function freeName(cell: string, taken: ReadonlySet<string>): string {
  let name = cell.replace(/[\s,;{}()=\p{Cc}]/gu, "_");
  while (taken.has(name.toLowerCase())) name += "_";
  return name;
}

function text(value: CellValue | undefined): string {
  invariant(typeof value === "string", "a row of schema_versions names feed, column and type");
  return value;
}
