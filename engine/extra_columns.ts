import type { CellValue } from "./emission.ts";
import { type Fault, fault } from "./fault.ts";
import { bool, civilDate, decimal, type Field, instant, integer, isPrintable, json, jsonText, number, text } from "./feed.ts";
import type { Limits } from "./limits.ts";
import type { RecordReading, RescueReason } from "./reading.ts";
import { type FeedSchema, newColumn, type SchemaColumn, type TypeName, withColumns } from "./schema.ts";

/** A value under a name that the feed does not declare. */
export interface Stranger {
  readonly name: string;
  readonly value: unknown;
}

/** What became of a record's strangers. */
export interface Extra {
  /** Columns that the feed does not declare, kept by `addNewColumns`; null: none. */
  readonly extra: Readonly<Record<string, CellValue>> | null;
  /** The schema after this record: the same object if it brought no new column. */
  readonly schema: FeedSchema;
}

/** Whether a name reaches behind an object: such a record is refused. */
export function isForbidden(name: string): boolean {
  return name === "__proto__" || name === "constructor" || name === "prototype";
}

/** Keeps, by the schema's mode, what a record says beside the declared columns; what cannot be kept is rescued. */
export function readStrangers(strangers: readonly Stranger[], schema: FeedSchema, reading: RecordReading, limits: Limits): Extra | Fault {
  const extra: Record<string, CellValue> = {};
  const born: Record<string, SchemaColumn> = {};
  for (const { name, value } of strangers) {
    if (isForbidden(name) || !isPrintable(name)) return fault("forbidden_key", "the record has a key that is not allowed");
    const known = Object.hasOwn(schema.columns, name) ? schema.columns[name] : undefined;
    if (reading.isNull(name, value)) {
      if (known !== undefined) extra[name] = null;
      continue; // A null tells no type, so it brings no column; and there is nothing to rescue.
    }
    const column = known ?? birth(name, value, schema, Object.keys(born).length, limits);
    if (typeof column === "string") {
      reading.rescue(name, value, column);
      continue;
    }
    const read = fieldOf(column, schema).read(reading.precise(name, value), name, reading);
    if (typeof read === "object" && read !== null) {
      reading.refuse(name, value, read);
      if (known !== undefined) extra[name] = null;
    } else {
      extra[name] = read;
      if (known === undefined) born[name] = column;
    }
  }
  return {
    extra: Object.keys(extra).length > 0 ? extra : null,
    schema: Object.keys(born).length > 0 ? withColumns(schema, born) : schema,
  };
}

const OF_THE_ENGINE = /^(?:_.*|date|late|rules)$/; // Every curated table has these already.

/** The column that a new name brings, or why it brings none. */
function birth(name: string, value: unknown, schema: FeedSchema, bornBefore: number, limits: Limits): SchemaColumn | RescueReason {
  const names = Object.keys(schema.columns);
  const lower = name.toLowerCase();
  if (names.some((other) => other.toLowerCase() === lower)) return "case_mismatch";
  const isFull = names.length + bornBefore >= limits.keysMax;
  const isTaken = OF_THE_ENGINE.test(name) || schema.taken?.includes(lower) === true;
  return schema.mode === "rescue" || isFull || isTaken ? "new_column" : newColumn(schema, name, value);
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
  read: (value, name, reading) => (typeof value === "string" ? text.read(value, name, reading) : jsonText(value)),
};

function fieldOf({ type, origin }: SchemaColumn, { inferColumnTypes }: FeedSchema): Field<CellValue> {
  if (type === "string" && origin === "inferred" && !inferColumnTypes) return TEXT_OR_JSON;
  const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined) return decimal(Number(precision), Number(scale));
  return FIELDS[type as keyof typeof FIELDS];
}
