import type { CellValue } from "./emission.ts";
import { type Fault, fault } from "./fault.ts";
import { bool, civilDate, decimal, type Field, instant, integer, isPrintable, json, jsonText, number, text } from "./feed.ts";
import { byLowerCase } from "./letter_case.ts";
import type { Limits } from "./limits.ts";
import type { RecordReading, RescueReason } from "./reading.ts";
import {
  columnOf,
  type FeedSchema,
  growsByItself,
  newColumn,
  type SchemaColumn,
  type Sights,
  type TypeName,
  typeOf,
  widened,
  withColumns,
} from "./schema.ts";

/** A value under a name that the feed does not declare. */
export interface Stranger {
  readonly name: string;
  readonly value: unknown;
}

/** What became of a record's strangers. */
export interface Extra {
  /** Columns of the schema that the feed does not declare; null: none. */
  readonly extra: Readonly<Record<string, CellValue>> | null;
  /** The schema after this record: the same object if it brought no new column and widened none. */
  readonly schema: FeedSchema;
}

/** Whether a name reaches behind an object: such a record is refused. */
export function isForbidden(name: string): boolean {
  return name === "__proto__" || name === "constructor" || name === "prototype";
}

/** Keeps, by the schema's mode, what a record says beside the declared columns; what cannot be kept is rescued. */
export function readStrangers(strangers: readonly Stranger[], schema: FeedSchema, reading: RecordReading, limits: Limits): Extra | Fault {
  const extra: Record<string, CellValue> = {};
  const changed: Record<string, SchemaColumn> = {};
  for (const { name, value } of strangers) {
    if (isForbidden(name) || !isPrintable(name)) return fault("forbidden_key", "the record has a key that is not allowed");
    const known = columnOf(schema, name);
    if (reading.isNull(name, value)) {
      if (known !== undefined) extra[name] = null;
      continue; // A null tells no type, so it brings no column; and there is nothing to rescue.
    }
    const seen = typeOf(reading.precise(name, value));
    const column = known === undefined ? birth(name, [seen], schema, changed, limits) : widened(schema, known, [seen]);
    if (typeof column === "string") {
      if (column === "ignored") reading.ignore(name);
      else reading.rescue(name, value, column);
      continue;
    }
    const read = readInColumn(column, schema, name, value, reading);
    if (typeof read === "object" && read !== null) {
      reading.refuse(name, value, read);
      if (known !== undefined) extra[name] = null;
    } else {
      extra[name] = read;
      if (column !== known) changed[name] = column;
    }
  }
  return {
    extra: Object.keys(extra).length > 0 ? extra : null,
    schema: Object.keys(changed).length > 0 ? withColumns(schema, changed) : schema,
  };
}

/** The value as a column of this type has it, or why it does not fit. `value` is neither null nor undefined. */
export function readInColumn(
  column: SchemaColumn,
  schema: FeedSchema,
  name: string,
  value: unknown,
  reading: RecordReading,
): CellValue | Fault {
  return fieldOf(column, schema).read(reading.precise(name, value), name, reading);
}

/** The next schema, if values of these types were seen in columns (names as decode gives them to new columns); the same one if it has them all. */
export function grownBy(schema: FeedSchema, sights: Sights, limits: Limits): FeedSchema {
  if (!growsByItself(schema)) return schema;
  const changed: Record<string, SchemaColumn> = {};
  for (const [name, seen] of sights) {
    const known = columnOf(schema, name);
    const column = known === undefined ? birth(name, seen, schema, changed, limits) : widened(schema, known, seen);
    if (typeof column !== "string" && column !== known) changed[name] = column;
  }
  return Object.keys(changed).length > 0 ? withColumns(schema, changed) : schema;
}

/** Why no column can have this name: it differs from another by case only (`other`; null: from several), or the table has a cell of that name. */
export function nameConflict(name: string, schema: FeedSchema): { readonly reason: RescueReason; readonly other: string | null } | null {
  const lower = name.toLowerCase();
  const other = byLowerCase(schema).get(lower);
  if (other !== undefined) return { reason: "case_mismatch", other };
  return OF_THE_ENGINE.test(name) || schema.taken?.includes(lower) === true ? { reason: "new_column", other: null } : null;
}

const OF_THE_ENGINE = /^(?:_.*|date|late|rules)$/; // Every curated table has these already.

/** The column that a new name brings; or why its value is rescued, or that it is not wanted. */
function birth(
  name: string,
  seen: readonly TypeName[],
  schema: FeedSchema,
  bornBefore: Readonly<Record<string, SchemaColumn>>,
  limits: Limits,
): SchemaColumn | RescueReason | "ignored" {
  if (schema.mode === "none" || schema.ignored.includes(name)) return "ignored";
  const conflict = nameConflict(name, schema);
  if (conflict !== null) return conflict.reason;
  if (!growsByItself(schema)) return "new_column";
  const others = Object.keys(bornBefore);
  if (others.some((other) => other.toLowerCase() === name.toLowerCase())) return "case_mismatch";
  return Object.keys(schema.columns).length + others.length >= limits.keysMax ? "new_column" : newColumn(schema, name, seen);
}

const FIELDS: Readonly<Record<Exclude<TypeName, `decimal${string}`>, Field<CellValue>>> = {
  string: text,
  double: number(),
  bigint: integer(),
  boolean: bool,
  date: civilDate,
  timestamp: instant,
  json,
};

/** Text of a column whose type was not inferred: everything else is kept as JSON text. */
const TEXT_OR_JSON: Field<string> = {
  ...text,
  read: (value, name, reading) => (typeof value === "string" ? text.read(value, name, reading) : plainText(value)),
};

/** Text of a column in which numbers and text were seen: numbers are kept as they are written. */
const TEXT_OR_NUMBER: Field<string> = {
  ...text,
  read: (value, name, reading) =>
    typeof value === "object" || typeof value === "string" ? text.read(value, name, reading) : plainText(value),
};

function plainText(value: unknown): string {
  return typeof value === "bigint" ? String(value) : jsonText(value);
}

function fieldOf({ type, origin }: SchemaColumn, { inferColumnTypes }: FeedSchema): Field<CellValue> {
  if (type === "string" && origin === "inferred") return inferColumnTypes ? TEXT_OR_NUMBER : TEXT_OR_JSON;
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined) return decimal(Number(precision), Number(scale));
  return FIELDS[type as keyof typeof FIELDS];
}
