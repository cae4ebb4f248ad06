import type { CellValue, ColumnType, Table } from "./emission.ts";
import type { Field } from "./feed.ts";

/** A curated table with all its declared columns in order: those of its feed first, then those that actors add. */
export interface ResolvedTable {
  readonly name: string;
  readonly feed: string | null;
  readonly columns: readonly (readonly [name: string, type: ColumnType])[];
  /** How many of the first columns are the feed's. */
  readonly ofFeed: number;
}

/** Puts a table and its feed together. `feed` is the one that `table.feed` names, or null. */
export function resolveTable(table: Table, feed: { readonly fields: Readonly<Record<string, Field<CellValue>>> } | null): ResolvedTable {
  const ofFeed = feed === null ? [] : Object.entries(feed.fields).map(([name, field]) => [name, field.column] as const);
  return { name: table.name, feed: table.feed, columns: [...ofFeed, ...Object.entries(table.columns)], ofFeed: ofFeed.length };
}


type Cells = Readonly<Record<string, CellValue | undefined>>;

/** The cells of a row in table order: those of the feed's record (if there is one), then those that the actor adds. What is missing is null. */
export function cellsOf(table: ResolvedTable, record: Cells | null, added: Cells): CellValue[] {
  const { columns, ofFeed } = table;
  const cells: CellValue[] = [];
  for (let n = 0; n < columns.length; n += 1) {
    const name = (columns[n] as ResolvedTable["columns"][number])[0];
    cells.push((n < ofFeed ? record?.[name] : added[name]) ?? null);
  }
  return cells;
}
