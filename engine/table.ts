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
