import type { ColumnType } from "./emission.ts";
import { invariant } from "./fault.ts";

/** The type of a column, in the words of schema hints. */
export type TypeName = "string" | "double" | "bigint" | "boolean" | "date" | "timestamp" | "json" | `decimal(${number},${number})`;

/** Where a column comes from: the feed's own fields, a hint, or the first value that was seen in it. */
export type ColumnOrigin = "declared" | "hint" | "inferred";

export interface SchemaColumn {
  readonly type: TypeName;
  readonly origin: ColumnOrigin;
}

/**
 * What becomes of a column that the feed does not declare. `addNewColumns`: it is born with its first value, in the schema's next version.
 * `rescue`: its values are kept in `_rescued_data`, the schema stays.
 */
export type EvolutionMode = "addNewColumns" | "rescue";

/** What a feed, or its configuration, says of schema evolution. What is left out: the feed's own word, else `rescue`, no hints, text columns. */
export interface SchemaSettings {
  readonly mode?: EvolutionMode;
  /** Column -> type, for columns seen or not yet seen. Beats inference. */
  readonly hints?: Readonly<Record<string, TypeName>>;
  /** False: new columns are text (other values as JSON text). */
  readonly inferColumnTypes?: boolean;
}

/** A version of a feed's schema. Version 1 holds the declared fields; it only grows. */
export interface FeedSchema extends Required<SchemaSettings> {
  readonly version: number;
  /** Names that the feed's curated table gives to cells of its actors, in lower case: no column can be born under them. */
  readonly taken?: readonly string[];
  readonly columns: Readonly<Record<string, SchemaColumn>>;
}

interface DeclaredFeed {
  readonly name: string;
  readonly fields: Readonly<Record<string, { readonly column: ColumnType; readonly required: boolean }>>;
  readonly evolution: SchemaSettings;
}

/** Version 1 of a feed's schema. Throws if a hint contradicts a required field: no record could pass. */
export function firstSchema(feed: DeclaredFeed, settings: SchemaSettings = {}): FeedSchema {
  const columns: Record<string, SchemaColumn> = {};
  const { mode = "rescue", hints = {}, inferColumnTypes = false } = { ...feed.evolution, ...settings };
  for (const [name, { column, required }] of Object.entries(feed.fields)) {
    const type = typeName(column);
    const hint = Object.hasOwn(hints, name) ? hints[name] : undefined;
    if (required && hint !== undefined && hint !== type)
      throw new Error(`feed ${feed.name}: the hint "${name} ${hint}" contradicts ${type}`);
    columns[name] = { type, origin: "declared" };
  }
  return { version: 1, mode, hints, inferColumnTypes, columns };
}

/** The next version, with these columns more. */
export function withColumns(schema: FeedSchema, born: Readonly<Record<string, SchemaColumn>>): FeedSchema {
  return { ...schema, version: schema.version + 1, columns: { ...schema.columns, ...born } };
}

/** The type of a column that shows itself with this value: a hint, else inferred from it. `value` is neither null nor undefined. */
export function newColumn(schema: FeedSchema, name: string, value: unknown): SchemaColumn {
  const hint = Object.hasOwn(schema.hints, name) ? schema.hints[name] : undefined;
  if (hint !== undefined) return { type: hint, origin: "hint" };
  return { type: schema.inferColumnTypes ? inferred(value) : "string", origin: "inferred" };
}

/** Bytes of a schema for the store: JSON. */
export function encodeSchema(schema: FeedSchema): Uint8Array {
  return Buffer.from(JSON.stringify(schema));
}

/** Reads what `encodeSchema` wrote; what the configuration now says of mode, hints and inference holds from here on. */
export function decodeSchema(bytes: Uint8Array, settings: SchemaSettings = {}): FeedSchema {
  const stored = JSON.parse(Buffer.from(bytes).toString()) as FeedSchema;
  invariant(Number.isInteger(stored.version) && typeof stored.columns === "object", "a stored schema has a version and columns");
  return { ...stored, ...settings };
}

/** Reads hints as configuration writes them: `production_mw double, cells bigint`. Throws on anything else. */
export function parseHints(text: string): Readonly<Record<string, TypeName>> {
  const hints: Record<string, TypeName> = {};
  for (const hint of text.split(/,(?![^(]*\))/)) {
    const [, name = "", type = ""] = /^\s*(\w+)\s+(\w+(?:\(\s*\d+\s*,\s*\d+\s*\))?)\s*$/.exec(hint) ?? [];
    const known = HINT_TYPES.get(type.toLowerCase()) ?? decimalName(type);
    if (known === null || name === "__proto__") throw new Error(`schema hint "${hint.trim()}" is not "<column> <type>"`);
    hints[name] = known;
  }
  return hints;
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
  return precision === undefined ? null : `decimal(${Number(precision)},${Number(scale)})`;
}

function typeName(column: ColumnType): TypeName {
  if (column.type === "decimal") return `decimal(${column.precision},${column.scale})`;
  return column.type === "long" ? "bigint" : column.type;
}

function inferred(value: unknown): TypeName {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "bigint" : "double";
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
