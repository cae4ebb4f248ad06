import type { ColumnType } from "./emission.ts";
import { invariant } from "./fault.ts";

/** The type of a column, in the words of schema hints. */
export type TypeName = "string" | "double" | "bigint" | "boolean" | "date" | "timestamp" | "json" | `decimal(${number},${number})`;

/** Where a column comes from: the feed's own fields, a hint, the values that were seen in it, or a person who approved it. */
export type ColumnOrigin = "declared" | "hint" | "inferred" | "approved";

export interface SchemaColumn {
  readonly type: TypeName;
  readonly origin: ColumnOrigin;
}

/**
 * What becomes of a column that the feed does not declare. `addNewColumns`: it is born in the schema's next version, with its first value (of a
 * file: before its first row). `addNewColumnsWithTypeWidening`: so, too, and an inferred column of whole numbers becomes one of fractions when
 * they come. `rescue`: its values are kept in `_rescued_data`, the schema stays. `failOnNewColumns`: its source waits until a person has
 * decided. `none`: its values are counted and not kept, nor are those that do not fit their column.
 */
export type EvolutionMode = (typeof EVOLUTION_MODES)[number];
export const EVOLUTION_MODES = ["addNewColumns", "addNewColumnsWithTypeWidening", "rescue", "failOnNewColumns", "none"] as const;

/** Whether columns are born without being asked for. */
export function growsByItself({ mode }: Pick<FeedSchema, "mode">): boolean {
  return mode === "addNewColumns" || mode === "addNewColumnsWithTypeWidening";
}

/** What a feed, or its configuration, says of schema evolution. What is left out: the feed's own word, else `rescue`, no hints, text columns. */
export interface SchemaSettings {
  readonly mode?: EvolutionMode;
  /** Column -> type, for columns seen or not yet seen. Beats inference. */
  readonly hints?: Readonly<Record<string, TypeName>>;
  /** False: new columns are text (other values as JSON text). */
  readonly inferColumnTypes?: boolean;
  /** False: `Voltage_V` is read as `voltage_v`, where only one column can be meant. */
  readonly caseSensitive?: boolean;
}

/** A version of a feed's schema. Version 1 holds the declared fields; it only grows. */
export interface FeedSchema extends Required<SchemaSettings> {
  readonly version: number;
  /** Columns that a person does not want: their values are counted and not kept. */
  readonly ignored: readonly string[];
  /** Names that the feed's curated table gives to cells of its actors, in lower case: no column can be born under them. */
  readonly taken?: readonly string[];
  readonly columns: Readonly<Record<string, SchemaColumn>>;
}

/** Columns that the feed does not declare, each with the types of the values that were seen in it. */
export type Sights = ReadonlyMap<string, readonly TypeName[]>;

/** What a schema needs to know of its feed. */
export interface DeclaredFeed {
  readonly name: string;
  readonly fields: Readonly<Record<string, { readonly column: ColumnType; readonly required: boolean }>>;
  readonly evolution: SchemaSettings;
}

/** Version 1 of a feed's schema. Throws if a hint contradicts a required field: no record could pass. */
export function firstSchema(feed: DeclaredFeed, settings: SchemaSettings = {}): FeedSchema {
  const columns: Record<string, SchemaColumn> = {};
  const { mode = "rescue", hints = {}, inferColumnTypes = false, caseSensitive = true } = { ...feed.evolution, ...settings };
  for (const [name, { column, required }] of Object.entries(feed.fields)) {
    const type = typeName(column);
    const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
    if (required && hint !== undefined && hint !== type)
      throw new Error(`feed ${feed.name}: the hint "${name} ${hint}" contradicts ${type}`);
    columns[name] = { type, origin: "declared" };
  }
  return { version: 1, mode, hints, inferColumnTypes, caseSensitive, ignored: [], columns };
}

/** The next version, with these columns more, or with these types. */
export function withColumns(schema: FeedSchema, changed: Readonly<Record<string, SchemaColumn>>): FeedSchema {
  return { ...schema, version: schema.version + 1, columns: { ...schema.columns, ...changed } };
}

/** The column of this name, if the schema has it. */
export function columnOf({ columns }: FeedSchema, name: string): SchemaColumn | undefined {
  return Object.hasOwn(columns, name) ? columns[name] : undefined;
}

/** The column that shows itself with values of these types (one at least): as hinted, else inferred from all of them. */
export function newColumn({ hints, inferColumnTypes }: FeedSchema, name: string, seen: readonly TypeName[]): SchemaColumn {
  const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
  if (hint !== undefined) return { type: hint, origin: "hint" };
  return { type: inferColumnTypes ? typeOfAll(seen) : "string", origin: "inferred" };
}

/** The column once values of these types have come: an inferred one of whole numbers takes fractions, if the mode widens. All others stay. */
export function widened({ mode }: FeedSchema, column: SchemaColumn, seen: readonly TypeName[]): SchemaColumn {
  const isWidened =
    mode === "addNewColumnsWithTypeWidening" && column.origin === "inferred" && column.type === "bigint" && seen.includes("double");
  return isWidened ? { type: "double", origin: "inferred" } : column;
}

/**
 * The type that a value shows, without regard to others. It is neither null nor undefined; whole numbers that a double cannot hold are bigint.
 * Text stays text: dates are not guessed.
 */
export function typeOf(value: unknown): TypeName {
  switch (typeof value) {
    case "number":
      return Number.isSafeInteger(value) ? "bigint" : "double";
    case "bigint":
      return "bigint";
    case "boolean":
      return "boolean";
    case "object":
      return value instanceof Date ? "timestamp" : "json";
    default:
      return "string";
  }
}

/** The type that holds values of all these types. */
function typeOfAll(seen: readonly TypeName[]): TypeName {
  const [first = "string", ...others] = new Set(seen);
  if (others.length === 0) return first;
  if (seen.includes("json")) return "json";
  return seen.every((type) => type === "bigint" || type === "double") ? "double" : "string";
}

/** Bytes of a schema for the store: JSON. */
export function encodeSchema(schema: FeedSchema): Uint8Array {
  return Buffer.from(JSON.stringify(schema));
}

/** Reads what `encodeSchema` wrote. */
export function decodeSchema(bytes: Uint8Array): FeedSchema {
  const stored = JSON.parse(Buffer.from(bytes).toString()) as FeedSchema;
  invariant(Number.isInteger(stored.version) && typeof stored.columns === "object", "a stored schema has a version and columns");
  return { ...stored, ignored: stored.ignored ?? [] };
}

/** Reads hints as configuration writes them: `production_mw double, cells bigint`. Throws on anything else. */
export function parseHints(text: string): Readonly<Record<string, TypeName>> {
  const hints: Record<string, TypeName> = {};
  for (const hint of text.split(/,(?![^(]*\))/)) {
    const [, name = "", type = ""] = /^\s*(\w+)\s+(\w+(?:\(\s*\d+\s*,\s*\d+\s*\))?)\s*$/.exec(hint) ?? [];
    const known = parseTypeName(type);
    if (known === null || name === "__proto__") throw new Error(`schema hint "${hint.trim()}" is not "<column> <type>"`);
    hints[name] = known;
  }
  return hints;
}

/** Reads a type as people write it: `double`, `LONG`, `decimal(18, 2)`. Null: it is none. */
export function parseTypeName(text: string): TypeName | null {
  return HINT_TYPES.get(text.toLowerCase()) ?? decimalName(text);
}

const HINT_TYPES: ReadonlyMap<string, TypeName> = new Map([
  ["string", "string"],
  ["double", "double"],
  ["bigint", "bigint"],
  ["long", "bigint"],
  ["int", "bigint"],
  ["boolean", "boolean"],
  ["date", "date"],
  ["timestamp", "timestamp"],
  ["json", "json"],
]);

function decimalName(type: string): TypeName | null {
  const [, precision, scale] = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/i.exec(type) ?? [];
  const isPossible = Number(precision) >= 1 && Number(precision) <= 38 && Number(scale) <= Math.min(18, Number(precision));
  return isPossible ? `decimal(${Number(precision)},${Number(scale)})` : null;
}

function typeName(column: ColumnType): TypeName {
  if (column.type === "decimal") return `decimal(${column.precision},${column.scale})`;
  return column.type === "long" ? "bigint" : column.type;
}
