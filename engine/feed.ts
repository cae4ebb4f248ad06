import { isPlainDecimal, scaleNumber, scaleText } from "./decimal.ts";
import { minutes } from "./duration.ts";
import type { CellValue, ColumnType } from "./emission.ts";
import { type Fault, fault, invariant } from "./fault.ts";
import type { ActorId } from "./ids.ts";
import { dateOf, epochMs, parseDate, parseInstant } from "./instant.ts";
import type { NoteCode } from "./note.ts";
import type { SchemaSettings } from "./schema.ts";

/** A decoded record: feed column -> typed value. Dates are `YYYY-MM-DD`, instants epoch ms, money and other decimals integers in the column's scale. */
export type Row = Readonly<Record<string, CellValue>>;

/** How a field of a feed is read. `T` is its type in the row. Built by `text`, `number`, `instant`, ... below, or by a feed for itself. */
export interface Field<T extends CellValue> {
  readonly column: ColumnType;
  readonly required: boolean;
  /** Values that need no reading: decode takes them as they are, without a call. Left out: every value is read. */
  readonly asIs?: AsIs;
  /** The typed value, or a fault that says what was expected; `missing_field`: the value means null. Null and absent never reach it. */
  readonly read: (value: unknown, name: string, reading: Reading) => T | Fault;
}

/**
 * `text`: of this many UTF-16 units, if the record is plain (see `Reading`). `pattern`: of at most `max` units. `instant`: canonical text (see
 * `canonicalMs`) not before `min`, taken as epoch ms. Limits are included.
 */
export type AsIs =
  | { readonly type: "number" | "text"; readonly min: number; readonly max: number }
  | { readonly type: "words"; readonly words: readonly string[] }
  | { readonly type: "pattern"; readonly pattern: RegExp; readonly max: number }
  | { readonly type: "boolean" }
  | { readonly type: "instant"; readonly min: number };

/** What a field may know and say about the record whose value it reads. */
export interface Reading {
  /** True: the record is printable ASCII without escapes, so that no text in it can hold controls, bidirectional marks or half characters. */
  readonly plain: boolean;
  note(code: NoteCode, detail: string): void;
  /** The number of this name as it is written in the record; `value` itself as text if the record came without text. */
  literal(name: string, value: number): string;
  /** The value was rounded: notes it, and keeps what came beside the row. */
  rounded(name: string, original: unknown): void;
}

export type Fields = Readonly<Record<string, Field<CellValue>>>;
export type RowOf<F extends Fields> = { readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

/** What is known about a record beside its row, for `message`. */
export interface RecordContext {
  /** Relative path of the file, null on a broker. */
  readonly path: string | null;
  readonly generation: number;
  /** `mode` of the source: what a row that is absent means, and how it ranks against rows of other sources. */
  readonly mode: "snapshot" | "delta" | "cdc";
  readonly arrivedAtMs: number;
  /** Whether the record spoke about the column at all (a null counts, an absent key does not). */
  readonly authored: (column: string) => boolean;
  /** What the record says that it replaces, read as its row is; null: it says nothing of that. */
  readonly before: Row | null;
  /** True: the record stands for a key that a snapshot lacks. */
  readonly absent: boolean;
  /** Columns that the feed does not declare and that schema evolution let in, by name; null: none. */
  readonly extra: Readonly<Record<string, CellValue>> | null;
}

/** What it means for a feed of histories that a snapshot lacks a key. */
export interface Absence {
  /** The kind of actor that its keys are. */
  readonly kind: string;
  /** The place from which on such a key is gone, as a history has it. */
  readonly from: (path: string, arrivedAtMs: number) => string;
  /** The record that says so. */
  readonly fields: (key: string, from: string) => Readonly<Record<string, unknown>>;
}

/** What was in an envelope: values under the feed's names (`before`: those that they replace), nothing that has an effect, or damage. */
export type Opened =
  | {
      readonly type: "values";
      readonly values: Readonly<Record<string, unknown>>;
      readonly before: Readonly<Record<string, unknown>> | null;
    }
  | { readonly type: "nothing" }
  | Fault;

/**
 * Opens the envelope in which a transport brings a feed's records. Null: `value`, an object as it was parsed, is the record itself. `exact`: the
 * same value, in which numbers that a double does not give back as they are written are text.
 */
export type OpenEnvelope = (value: Readonly<Record<string, unknown>>, exact: () => Readonly<Record<string, unknown>>) => Opened | null;

/**
 * One kind of input of the grid: what a record means, not how it arrives.
 * `dedup: "window"`: the engine keeps a window of recent event ids per actor and judges duplicate, conflict and late before the actor sees the
 * record (at most one such feed per kind of actor). `dedup: "actor"`: the actor knows repeats itself and says `out.duplicate()`.
 */
export interface Feed<M = unknown, R extends Row = Row> {
  readonly name: string;
  /** Curated table of its records, or null if its actors write rows of their own only. */
  readonly table: string | null;
  /** Allowed lateness; Infinity where order is not by event time (histories). */
  readonly latenessMs: number;
  /** How far the feed's clock runs behind the latest event time: the lateness, or a delay of its own where there is no lateness. */
  readonly clockDelayMs: number;
  /** At least this much event time is kept in the dedup window. */
  readonly dedupMs: number;
  readonly dedup: "window" | "actor";
  /** False: event times may lie in the future (dates of validity). */
  readonly refusesFuture: boolean;
  /** Columns in order. A field that is required and bad quarantines the record; an optional one becomes null, and what came is rescued. */
  readonly fields: Readonly<Record<keyof R & string, Field<CellValue>>>;
  readonly evolution: SchemaSettings;
  /** Not null: records may come in envelopes, and one without bytes (a tombstone of a broker) is sound and has no effect. */
  readonly open: OpenEnvelope | null;
  /** Of a feed of captured changes: the same feed, for a table whose columns were captured in this order. */
  readonly captured: ((columns: readonly string[]) => Feed) | null;
  /** Of such a feed: the place of a change in the log, as text whose order is that of the log; null: the row is of a snapshot. */
  readonly place: ((row: R) => string | null) | null;
  /** Null: absence says nothing. */
  readonly absence: Absence | null;
  /**
   * Judges the row as a whole: `bad_interval`, all measures missing. A fault that names an optional field costs that field only: it becomes null,
   * what came is rescued, and the row is judged again.
   */
  readonly check: (row: R) => Fault | null;
  readonly eventTimeMs: (row: R) => number;
  /** Civil date by which curated rows are partitioned; null: the UTC date of the event time. */
  readonly date: ((row: R) => string) | null;
  /** For `dedup: "window"` the value of the first field. */
  readonly dedupKey: (row: R) => string;
  readonly actors: (row: R) => readonly ActorId[];
  /** Who hears, hour by hour, how many of the feed's records concern it, and how many of them say of themselves that they are labelled. Null: nobody. */
  readonly tally: { readonly actor: (row: R) => ActorId | null; readonly isLabelled: (row: R) => boolean } | null;
  readonly message: (row: R, context: RecordContext) => M;
}

/** What `feed` is given: a feed, of which much may be left out. */
export interface FeedOptions<F extends Fields, M> {
  readonly name: string;
  readonly latenessMs: number;
  readonly fields: F;
  readonly eventTimeMs: (row: RowOf<F>) => number;
  readonly dedupKey: (row: RowOf<F>) => string;
  readonly actors: (row: RowOf<F>) => readonly ActorId[];
  readonly message: (row: RowOf<F>, context: RecordContext) => M;
  /** Default: nobody hears of its records but those whom they are for. */
  readonly tally?: { readonly actor: (row: RowOf<F>) => ActorId | null; readonly isLabelled: (row: RowOf<F>) => boolean };
  /** Default: the feed's name. */
  readonly table?: string | null;
  /** Default: the lateness, if it is finite, else 0. */
  readonly clockDelayMs?: number;
  /** Default: 10 minutes. */
  readonly dedupMs?: number;
  /** Default: `window`. */
  readonly dedup?: "window" | "actor";
  /** Default: true. */
  readonly refusesFuture?: boolean;
  /** Default: `rescue`. */
  readonly evolution?: SchemaSettings;
  /** Default: a record is in no envelope, and is never empty. */
  readonly open?: OpenEnvelope;
  /** Default: the feed is none of captured changes. */
  readonly captured?: (columns: readonly string[]) => Feed;
  readonly place?: (row: RowOf<F>) => string | null;
  /** Default: absence says nothing. */
  readonly absence?: Absence;
  /** Default: every row is sound. */
  readonly check?: (row: RowOf<F>) => Fault | null;
  /** Default: by event time. */
  readonly date?: ((row: RowOf<F>) => string) | null;
}

/** Makes a feed. The first field should be the one that `dedupKey` gives. Throws if a field has a name that every object answers to. */
export function feed<F extends Fields, M>(options: FeedOptions<F, M>): Feed<M>;
export function feed<M>(options: FeedOptions<Fields, M>): Feed<M> {
  for (const name of Object.keys(options.fields)) invariant(!(name in Object.prototype), `${name} can name a field`);
  const { name, latenessMs } = options;
  const defaults = {
    table: name,
    clockDelayMs: Number.isFinite(latenessMs) ? latenessMs : 0,
    dedupMs: minutes(10),
    dedup: "window",
    refusesFuture: true,
    evolution: {},
    open: null,
    captured: null,
    place: null,
    absence: null,
    check: () => null,
    date: null,
    tally: null,
  } as const;
  return { ...defaults, ...options };
}

// Kinds of fields -----------------------------------------------------------------------------------------------------------------------

const STRING = { type: "string" } as const;
const ID_LENGTH_MAX = 100; // With the kind in front, the id of an actor stays below 128 bytes.
const KEY_BYTES_MAX = 128;
// Controls, half characters, and what turns or breaks the line when it is shown.
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const BROKEN_TEXT = /[\0\p{Surrogate}]/u;
const NULL_WORDS = ["", "null", "NULL", "N/A"];

/** The field may be null, absent, or bad: then it is null, and what came is rescued. */
export function optional<T extends CellValue>(field: Field<T>): Field<T | null> {
  return { ...field, required: false };
}

/** Any text without NUL and half characters. */
export const text: Field<string> = {
  column: STRING,
  required: true,
  asIs: { type: "text", min: 0, max: Number.POSITIVE_INFINITY },
  read(value, name, { plain }) {
    if (typeof value !== "string") return expected("text", name);
    return plain || !BROKEN_TEXT.test(value) ? value : fault("bad_type", "the text holds NUL or half characters", name);
  },
};

/** A name that came from outside and has no pattern: 1 to 128 bytes of printable text. */
export const key: Field<string> = {
  column: STRING,
  required: true,
  asIs: { type: "text", min: 1, max: KEY_BYTES_MAX },
  read(value, name) {
    if (typeof value !== "string" || value === "") return fault("bad_id", "a text that is not empty was expected", name);
    if (Buffer.byteLength(value) > KEY_BYTES_MAX) return fault("bad_id", `at most ${KEY_BYTES_MAX} bytes were expected`, name);
    return isPrintable(value) ? value : fault("bad_id", "the text is not printable", name);
  },
};

/** A business key of this pattern, of at most 100 characters. The pattern is anchored at both ends, has no flags and matches ASCII only. */
export function id(pattern: RegExp): Field<string> {
  return {
    column: STRING,
    required: true,
    asIs: { type: "pattern", pattern, max: ID_LENGTH_MAX },
    read(value, name) {
      if (typeof value === "string" && value.length <= ID_LENGTH_MAX && pattern.test(value)) return value;
      return fault("bad_id", `an id like ${pattern.source} was expected`, name);
    },
  };
}

/** A word of an open list, trimmed. One that is not listed is kept and noted; without a list all are. Some words mean null: "", null, N/A. */
export function code(words: readonly string[] = []): Field<string> {
  return {
    column: STRING,
    required: true,
    asIs: { type: "words", words },
    read(value, name, reading) {
      const word = text.read(value, name, reading);
      if (typeof word !== "string") return word;
      const trimmed = word.trim();
      if (isNullWord(trimmed)) return fault("missing_field", "the word means null", name);
      if (words.length > 0 && !words.includes(trimmed)) reading.note("unknown_code", `${name}=${trimmed.slice(0, 64)}`);
      return trimmed;
    },
  };
}

/** A finite number between limits, both included. Plain decimals as text are taken. */
export function number(min = -Number.MAX_VALUE, max = Number.MAX_VALUE): Field<number> {
  return {
    column: { type: "double" },
    required: true,
    asIs: { type: "number", min, max },
    read(value, name) {
      const read = numberOf(value);
      if (read === null) return expected("a number", name);
      return within(read, min, max, name);
    },
  };
}

/** A whole number between limits, both included, at most 2^53 - 1 in size. */
export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): Field<number> {
  return {
    column: { type: "long" },
    required: true,
    read(value, name) {
      const read = numberOf(value);
      if (read === null || (!Number.isInteger(read) && Number.isFinite(read))) return expected("a whole number", name);
      return within(read, Math.max(min, Number.MIN_SAFE_INTEGER), Math.min(max, Number.MAX_SAFE_INTEGER), name);
    },
  };
}

/** Limits of a decimal, in its own unit (not in its scale). */
export interface DecimalLimits {
  readonly min?: number;
  readonly max?: number;
}

/**
 * An exact decimal: in the row an integer, value x 10^scale. It is read from how the number is written, never from its binary value; more places
 * are rounded half away from zero, noted, and what came is kept.
 */
export function decimal(precision: number, scale: number, limits: DecimalLimits = {}): Field<number> {
  const min = Math.max((limits.min ?? Number.NEGATIVE_INFINITY) * 10 ** scale, Number.MIN_SAFE_INTEGER);
  const max = Math.min((limits.max ?? Number.POSITIVE_INFINITY) * 10 ** scale, Number.MAX_SAFE_INTEGER);
  return {
    column: { type: "decimal", precision, scale },
    required: true,
    read(value, name, reading) {
      const written = typeof value === "number" ? (scaleNumber(value, scale) ?? reading.literal(name, value)) : value;
      if (typeof written === "number") return within(written, min, max, name);
      const isText = typeof written === "bigint" || (typeof written === "string" && (typeof value !== "string" || isPlainDecimal(written)));
      const scaled = isText ? scaleText(String(written), scale) : null;
      if (scaled === null) return expected("a decimal", name);
      const result = within(scaled.value, min, max, name);
      if (scaled.rounded && typeof result === "number") reading.rounded(name, value);
      return result;
    },
  };
}

/** True and false; as text and numbers also True/False, Yes/No, Y/N, 1/0. */
export const bool: Field<boolean> = {
  column: { type: "boolean" },
  required: true,
  asIs: { type: "boolean" },
  read(value, name) {
    if (typeof value === "boolean") return value;
    switch (typeof value === "string" ? value.trim().toLowerCase() : value) {
      case "true":
      case "yes":
      case "y":
      case "1":
      case 1:
        return true;
      case "false":
      case "no":
      case "n":
      case "0":
      case 0:
        return false;
      default:
        return expected("true or false", name);
    }
  },
};

const EARLIEST_MS = Date.UTC(2000, 0, 1);

/** An instant, in epoch ms, not before 2000: ISO 8601 text (without a zone it is UTC, and noted) or an epoch number, told by its size. */
export const instant: Field<number> = {
  column: { type: "timestamp" },
  required: true,
  asIs: { type: "instant", min: EARLIEST_MS },
  read(value, name, reading) {
    const atMs = instantMs(value, name, reading);
    if (atMs >= EARLIEST_MS) return atMs;
    return fault("bad_time", Number.isNaN(atMs) ? "an instant was expected" : "the instant lies before the year 2000", name);
  },
};

/** A civil date, `YYYY-MM-DD`: as text, as days from 1970-01-01, or as an instant at midnight. No zone ever shifts it. */
export const civilDate: Field<string> = {
  column: { type: "date" },
  required: true,
  read(value, name) {
    const date = dateText(value);
    return date ?? fault("bad_time", "a date was expected", name);
  },
};

/** Any value, kept as JSON text. */
export const json: Field<string> = {
  column: STRING,
  required: true,
  read: (value) => jsonText(value),
};

/** Whether a cell of a CSV file, or a code, stands for null. */
export function isNullWord(word: string): boolean {
  return NULL_WORDS.includes(word);
}

/** Whether a text can name something: no controls, no half characters, nothing that turns or breaks a line. */
export function isPrintable(name: string): boolean {
  return !UNPRINTABLE.test(name);
}

/** JSON text of any value a source may give: big integers and what JSON has no number for as text, bytes in base64. */
export function jsonText(value: unknown): string {
  return (
    JSON.stringify(value, (_, inner: unknown) => {
      if (typeof inner === "bigint" || (typeof inner === "number" && !Number.isFinite(inner))) return String(inner);
      return inner instanceof Uint8Array ? Buffer.from(inner).toString("base64") : inner;
    }) ?? "null"
  );
}

function expected(what: string, name: string): Fault {
  return fault("bad_type", `${what} was expected`, name);
}

function within(value: number, min: number, max: number, name: string): number | Fault {
  return value >= min && value <= max ? value + 0 : fault("out_of_range", `a value from ${min} to ${max} was expected`, name);
}

/** Null: no number. A whole number that a double cannot hold is infinite, so that it fits no limits. */
function numberOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isNaN(value) ? null : value;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : Number.POSITIVE_INFINITY;
  return typeof value === "string" && isPlainDecimal(value) ? Number(value) : null;
}

function instantMs(value: unknown, name: string, reading: Reading): number {
  if (typeof value === "number" || typeof value === "bigint") return epochMs(value);
  if (typeof value !== "string") return value instanceof Date ? value.getTime() : Number.NaN;
  const read = parseInstant(value);
  if (read === null) return epochTextMs(value);
  if (!read.zoned) reading.note("no_zone", name);
  return read.atMs;
}

function epochTextMs(text: string): number {
  if (/^\s*\d+\s*$/.test(text)) return epochMs(BigInt(text));
  return isPlainDecimal(text) ? epochMs(Number(text)) : Number.NaN;
}

function dateText(value: unknown): string | null {
  if (typeof value === "string") return parseDate(value);
  if (typeof value === "number") return dateOf(value);
  return value instanceof Date ? dateOf(value.getTime() / 86_400_000) : null;
}
