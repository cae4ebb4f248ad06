import type { CellValue } from "../engine/emission.ts";
import type { Feed } from "../engine/feed.ts";
import { rescuedRecords } from "../engine/rescued_index.ts";
import { type ColumnOrigin, type EvolutionMode, type FeedSchema, type SchemaSettings, type TypeName, typeOf } from "../engine/schema.ts";
import { readVersions, restoredSchema } from "../engine/schema_version.ts";
import { ignoredColumn, ignoredGroup } from "../engine/strays.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { cut, printable } from "./printable.ts";
import type { View } from "./reader.ts";
import { suggestions } from "./suggest.ts";
import { readCounters } from "./summary.ts";
import { instantText } from "./time.ts";

/** A feed's schema in one line. `waiting`: columns with rescued values on which nobody has decided; `ignored`: columns that are not wanted. */
export interface SchemaItem {
  readonly feed: string;
  /** Curated table of its records, or null. */
  readonly table: string | null;
  readonly mode: EvolutionMode;
  readonly version: number;
  readonly columns: number;
  readonly waiting: readonly string[];
  readonly ignored: readonly string[];
}

export interface ShownColumn {
  readonly name: string;
  readonly type: TypeName;
  readonly origin: ColumnOrigin;
  readonly required: boolean;
  /** The version that brought it, or gave it this type. */
  readonly version: number;
}

export interface ShownVersion {
  readonly version: number;
  readonly source: string;
  /** First record that is read with it, or the command that made it. */
  readonly position: string;
  readonly arrivedAt: string;
  readonly columns: readonly string[];
}

/** A column that waits for a decision. */
export interface WaitingColumn {
  readonly column: string;
  readonly records: number;
  /** Of the first of its values: the type that it shows by itself, the value, where it came. Null: its row has left the log. */
  readonly type: TypeName | null;
  readonly example: string | null;
  readonly position: string | null;
}

/** All of a feed's schema. */
export interface SchemaDetail extends Omit<SchemaItem, "columns" | "waiting" | "ignored"> {
  readonly inferColumnTypes: boolean;
  readonly caseSensitive: boolean;
  readonly hints: Readonly<Record<string, TypeName>>;
  readonly columns: readonly ShownColumn[];
  readonly versions: readonly ShownVersion[];
  readonly waiting: readonly WaitingColumn[];
  /** Columns that are not wanted, and those of which values were counted only; `values`: how many. */
  readonly ignored: readonly { readonly column: string; readonly values: number }[];
}

/** What the configuration says, feed by feed. */
export type ConfiguredSchemas = ReadonlyMap<string, SchemaSettings>;

/** Every feed, in the order of the domain. */
export function listSchemas(view: View, settings: ConfiguredSchemas): readonly SchemaItem[] {
  return view.domain.feeds.map((feed) => {
    const { mode, version, columns, ignored } = schemaOf(view, feed, settings);
    const waiting = [...waitingColumns(view, feed.name).keys()];
    return { feed: feed.name, table: feed.table, mode, version, columns: Object.keys(columns).length, waiting, ignored };
  });
}

/** One feed. Throws NOT_FOUND. */
export async function showSchema(view: View, feedName: string, settings: ConfiguredSchemas): Promise<SchemaDetail> {
  const feed = findFeed(view, feedName);
  const schema = schemaOf(view, feed, settings);
  const { mode, version, inferColumnTypes, caseSensitive, hints } = schema;
  const versions = readVersions(view.store, feed.name);
  const versionOf = (name: string): number => versions.findLast(({ columns }) => Object.hasOwn(columns, name))?.version ?? 1;
  return {
    feed: feed.name,
    table: feed.table,
    mode,
    version,
    inferColumnTypes,
    caseSensitive,
    hints,
    columns: Object.entries(schema.columns).map(([name, { type, origin }]) => {
      return { name, type, origin, required: feed.fields[name]?.required ?? false, version: versionOf(name) };
    }),
    versions: versions.map(({ columns, arrivedAtMs, ...rest }) => {
      return { ...rest, arrivedAt: instantText(arrivedAtMs), columns: Object.keys(columns) };
    }),
    waiting: await Promise.all([...waitingColumns(view, feed.name)].map(([column, seen]) => waitingColumn(view, column, seen))),
    ignored: ignoredColumns(view, schema, feed.name),
  };
}

/** The feed of this name. Throws NOT_FOUND with those that may be meant. */
export function findFeed({ domain }: Pick<View, "domain">, name: string): Feed {
  const feed = domain.feeds.find((one) => one.name === name);
  if (feed !== undefined) return feed;
  const names = domain.feeds.map((one) => one.name);
  throw new CommandError("NOT_FOUND", `no feed ${name}`, { hint: `feeds: ${names.join(", ")}`, candidates: suggestions(name, names) });
}

/** A table for people. */
export function schemasText(items: readonly SchemaItem[], screen: Screen | null): string {
  return formatRows(items, LIST_COLUMNS, "table", screen);
}

/** One feed for people. */
export function schemaText(detail: SchemaDetail, screen: Screen | null): string {
  const { feed, table, mode, version, caseSensitive, columns, versions, waiting, ignored } = detail;
  const head = `${feed} · version ${version} · ${mode}${caseSensitive ? "" : " · names in any case"} · table ${table ?? "(histories only)"}\n\n`;
  const part = (title: string, text: string): string => (text === "" ? "" : `\n${title}\n${text}`);
  const rowsText = <Row>(rows: readonly Row[], shown: readonly Column<Row>[]): string =>
    rows.length === 0 ? "" : formatRows(rows, shown, "table", screen);
  return [
    head,
    rowsText(columns, COLUMN_COLUMNS),
    part("versions", rowsText(versions, VERSION_COLUMNS)),
    part(`waiting for a decision: gridactor schema approve ${feed} COLUMN TYPE, or schema ignore`, rowsText(waiting, WAITING_COLUMNS)),
    part("not kept", rowsText(ignored, IGNORED_COLUMNS)),
  ].join("");
}

const LIST_COLUMNS: readonly Column<SchemaItem>[] = [
  { name: "feed", of: (item) => item.feed, isWhole: true },
  { name: "version", of: (item) => item.version },
  { name: "mode", of: (item) => item.mode },
  { name: "columns", of: (item) => item.columns },
  { name: "waiting", of: (item) => listText(item.waiting) },
  { name: "ignored", of: (item) => listText(item.ignored) },
  { name: "table", of: (item) => item.table ?? "-" },
];

const COLUMN_COLUMNS: readonly Column<ShownColumn>[] = [
  { name: "column", of: (column) => column.name, isWhole: true },
  { name: "type", of: (column) => column.type },
  { name: "required", of: (column) => (column.required ? "yes" : "-") },
  { name: "origin", of: (column) => column.origin },
  { name: "version", of: (column) => column.version },
];

const VERSION_COLUMNS: readonly Column<ShownVersion>[] = [
  { name: "version", of: (one) => one.version },
  { name: "columns", of: (one) => listText(one.columns) },
  { name: "source", of: (one) => one.source },
  { name: "position", of: (one) => one.position },
  { name: "arrived", of: (one) => one.arrivedAt },
];

const WAITING_COLUMNS: readonly Column<WaitingColumn>[] = [
  { name: "column", of: (one) => one.column, isWhole: true },
  { name: "records", of: (one) => one.records },
  { name: "type", of: (one) => one.type ?? "-" },
  { name: "example", of: (one) => one.example ?? "-" },
  { name: "position", of: (one) => one.position ?? "-" },
];

const IGNORED_COLUMNS: readonly Column<SchemaDetail["ignored"][number]>[] = [
  { name: "column", of: (one) => one.column, isWhole: true },
  { name: "values", of: (one) => one.values },
];

const EXAMPLE_LENGTH_MAX = 60;

function listText(names: readonly string[]): string {
  return names.length === 0 ? "-" : names.map(printable).join(", ");
}

function schemaOf({ store }: View, feed: Feed, settings: ConfiguredSchemas): FeedSchema {
  return restoredSchema(store, feed, settings.get(feed.name));
}

interface Waiting {
  records: number;
  readonly firstRow: number;
}

function waitingColumns({ store }: View, feed: string): ReadonlyMap<string, Waiting> {
  const waiting = new Map<string, Waiting>();
  for (const [, { columns, rows }] of rescuedRecords(store, feed)) {
    for (const column of columns) {
      const seen = waiting.get(column);
      if (seen === undefined) waiting.set(column, { records: 1, firstRow: rows[0] ?? 0 });
      else seen.records += 1;
    }
  }
  return waiting;
}

async function waitingColumn({ store, decode }: View, column: string, { records, firstRow }: Waiting): Promise<WaitingColumn> {
  const [entry] = await store.readLog("curated", firstRow, 1);
  const emission = entry?.sequence === firstRow ? decode("curated", entry) : null;
  if (emission?.stream !== "curated") return { column, records, type: null, example: null, position: null };
  const { rescued, position } = emission.row;
  const { value } = (JSON.parse(rescued ?? "{}") as Readonly<Record<string, { readonly value: CellValue | object }>>)[column] ?? {};
  const example = cut(typeof value === "string" ? value : JSON.stringify(value), EXAMPLE_LENGTH_MAX);
  return { column, records, type: typeOf(value), example, position };
}

function ignoredColumns(view: View, { ignored }: FeedSchema, feed: string): SchemaDetail["ignored"] {
  const counts = new Map(ignored.map((column) => [column, 0]));
  for (const [counter, values] of Object.entries(readCounters(view).group(ignoredGroup(feed)))) counts.set(ignoredColumn(counter), values);
  return [...counts].map(([column, values]) => ({ column, values }));
}
