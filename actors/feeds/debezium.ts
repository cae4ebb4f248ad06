import type { ColumnType } from "../../engine/emission.ts";
import { fault } from "../../engine/fault.ts";
import type { Fields, OpenEnvelope } from "../../engine/feed.ts";
import { dayText, decimalText, instantTextOf, isBase64Decimal, unitOf } from "./connect_value.ts";

// A change as Debezium's connector for SQL Server writes it, taken out as the row that SQL Server's own capture has of it.

type Values = Readonly<Record<string, unknown>>;

/** What comes in place of a large value that an update left alone. */
const UNAVAILABLE = "__debezium_unavailable_value";
/** Operation codes of SQL Server. A row of a snapshot has none; its word is `r`, and it counts as 0. */
const OPERATIONS: ReadonlyMap<string, number | "r"> = new Map<string, number | "r">([
  ["c", 2],
  ["u", 4],
  ["d", 1],
  ["r", "r"],
]);
/** Truncations and messages of the log say nothing of any row. */
const SILENT: readonly unknown[] = ["t", "m"];
const DELETED = 1;
const MERGED = 5;
/** A snapshot holds all that was committed up to its LSN: it stands behind the last change of that transaction. */
const LAST_OF_TRANSACTION = { __$seqval: "f".repeat(20), __$command_id: 0xffff_ffff };
const BEFORE_ALL = { __$start_lsn: "0".repeat(20), __$seqval: "0".repeat(20), __$command_id: null };

/**
 * Opens envelopes with and without `schema` and `payload`, and records flattened by `ExtractNewRecordState` (`__op`, `__deleted`, and the fields
 * of `source` under `__` or `__source_`). `fields` are the feed's, in which a decimal has its scale and a date is one.
 */
export function debezium(fields: Fields): OpenEnvelope {
  const columns = new Map(Object.entries(fields).map(([name, { column }]) => [name, column]));
  return (value, exact) => {
    const shape = shapeOf(value);
    if (shape === null) return null;
    const whole = exact();
    const payload = shape.wrapped ? whole["payload"] : whole;
    if (payload === null) return { type: "nothing" };
    if (!isObject(payload)) return fault("bad_envelope", "the payload is no object", "payload");
    const types = shape.wrapped && isObject(whole["schema"]) ? whole["schema"] : null;
    const read = (image: Values, type: unknown): Values => readImage(image, typesOf(type), columns);
    switch (shape.type) {
      case "envelope":
        return openChange(payload, (image, member) => read(image, typesOf(types).get(member)));
      case "flattened":
        return openFlattened(payload, (image) => read(image, types));
      case "row":
        return { type: "values", values: read(payload, types), before: null };
      case "marker":
        return { type: "nothing" };
    }
  };
}

interface Shape {
  readonly type: "envelope" | "flattened" | "row" | "marker";
  readonly wrapped: boolean;
}

/** Null: a record that is in no envelope. */
function shapeOf(value: Values): Shape | null {
  if (Object.hasOwn(value, "__$operation")) return null;
  const wrapped = Object.hasOwn(value, "payload");
  const { payload } = value;
  const type = wrapped ? (isObject(payload) ? bareShapeOf(payload) : null) : bareShapeOf(value);
  return type === null && !wrapped ? null : { type: type ?? "row", wrapped };
}

function bareShapeOf(value: Values): Shape["type"] | null {
  const has = (name: string): boolean => Object.hasOwn(value, name);
  if (has("__$operation")) return null;
  if (has("op") || (has("source") && (has("after") || has("before")))) return "envelope";
  if (has("__op") || has("__deleted")) return "flattened";
  return isMarker(value) ? "marker" : null;
}

/** Begin and end of a transaction, heartbeats and changes of the schema may come on the same topic; nobody waits for them. */
function isMarker(value: Values): boolean {
  const isBoundary = (value["status"] === "BEGIN" || value["status"] === "END") && Object.hasOwn(value, "id");
  const isSchemaChange = Object.hasOwn(value, "ddl") && Object.hasOwn(value, "source");
  return isBoundary || isSchemaChange || Object.keys(value).join() === "ts_ms";
}

function openChange(payload: Values, read: (image: Values, member: "before" | "after") => Values): ReturnType<OpenEnvelope> {
  const { op, source, before, after } = payload;
  if (SILENT.includes(op)) return { type: "nothing" };
  const operation = typeof op === "string" ? OPERATIONS.get(op) : undefined;
  if (operation === undefined) return fault("bad_envelope", "an op of c, u, d, r, t or m was expected", "op");
  if (!isObject(source)) return fault("bad_envelope", "the source of the change was expected", "source");
  const [member, image] = operation === DELETED ? (["before", before] as const) : (["after", after] as const);
  if (!isObject(image)) return fault("bad_envelope", `an op of ${op} has an image ${member} it`, member);
  const place = {
    ...placeOf(operation, source["commit_lsn"], source["change_lsn"]),
    event_serial_no: source["event_serial_no"] ?? null,
    cdc_timestamp: source["ts_ms"] ?? source["ts_us"] ?? source["ts_ns"] ?? null,
  };
  const earlier = op === "u" && isObject(before) ? { ...read(before, "before"), ...place } : null;
  return { type: "values", values: { ...read(image, member), ...place }, before: earlier };
}

const META = /^__(?!\$)/;

function openFlattened(payload: Values, read: (image: Values) => Values): ReturnType<OpenEnvelope> {
  const { __op: op, __deleted: deleted } = payload;
  if (SILENT.includes(op)) return { type: "nothing" };
  const isDeleted = op === "d" || deleted === true || deleted === "true";
  const operation = isDeleted ? DELETED : op === undefined ? MERGED : typeof op === "string" ? OPERATIONS.get(op) : undefined;
  if (operation === undefined) return fault("bad_envelope", "an op of c, u, d, r, t or m was expected", "__op");
  const ofSource = (name: string): unknown => payload[`__source_${name}`] ?? payload[`__${name}`] ?? null;
  const image = Object.fromEntries(Object.entries(payload).filter(([name]) => !META.test(name)));
  const place = {
    ...placeOf(operation, ofSource("commit_lsn"), ofSource("change_lsn")),
    event_serial_no: ofSource("event_serial_no"),
    cdc_timestamp: ofSource("ts_ms") ?? ofSource("ts_us") ?? ofSource("ts_ns"),
  };
  return { type: "values", values: { ...read(image), ...place }, before: null };
}

/** Where a change stands. Debezium writes an LSN that is not there as null or `NULL`. */
function placeOf(operation: number | "r", commitLsn: unknown, changeLsn: unknown): Values {
  const place = { __$operation: operation, __$start_lsn: commitLsn, __$seqval: changeLsn, __$command_id: null };
  if (operation !== "r") return place;
  const isUnknown = commitLsn === undefined || commitLsn === null || commitLsn === "NULL";
  return { ...place, ...(isUnknown ? BEFORE_ALL : LAST_OF_TRANSACTION) };
}

/** An image with its values as the feed's fields read them. A value that the change left alone, and did not send, is not there. */
function readImage(image: Values, types: ReadonlyMap<string, Values>, columns: ReadonlyMap<string, ColumnType>): Values {
  const isBase64 = isBase64Decimal(Object.entries(image).map(([name, value]) => (columns.get(name)?.type === "decimal" ? value : null)));
  const read: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(image)) {
    if (value !== UNAVAILABLE) read[name] = readValue(value, types.get(name), columns.get(name), isBase64);
  }
  return read;
}

function readValue(value: unknown, type: Values | undefined, column: ColumnType | undefined, isBase64: boolean): unknown {
  if (value === null) return null;
  switch (column?.type) {
    case "decimal":
      return decimalText(value, {
        scale: scaleOf(type) ?? column.scale,
        isBase64: type === undefined ? isBase64 : type["type"] !== "string",
      });
    case "date":
      return dayText(value, unitOf(type?.["name"]));
    case "timestamp":
      return instantTextOf(value, unitOf(type?.["name"]));
    default:
      return value;
  }
}

/** The scale that a schema states for its decimals: Kafka Connect writes it as text. */
function scaleOf(type: Values | undefined): number | null {
  const parameters = type?.["parameters"];
  const scale = isObject(parameters) ? Number(parameters["scale"]) : Number.NaN;
  return Number.isInteger(scale) ? scale : null;
}

/** The members of a schema of type struct, by name. */
function typesOf(type: unknown): ReadonlyMap<string, Values> {
  const members = isObject(type) && Array.isArray(type["fields"]) ? (type["fields"] as readonly unknown[]) : [];
  return new Map(members.filter(isObject).map((member) => [String(member["field"]), member]));
}

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
