import type { CellValue } from "./emission.ts";
import { parseExact } from "./exact_json.ts";
import { type Extra, isForbidden, readStrangers, type Stranger } from "./extra_columns.ts";
import { type Fault, fault } from "./fault.ts";
import type { AsIs, Feed, Field, Opened, Row } from "./feed.ts";
import { canonicalMs } from "./instant.ts";
import { inSchemaCase } from "./letter_case.ts";
import type { Limits } from "./limits.ts";
import type { Note } from "./note.ts";
import { RecordReading } from "./reading.ts";
import type { FeedSchema } from "./schema.ts";
import type { SourceRecord } from "./source.ts";

/** What a sound record says. */
export interface Decoded extends Extra {
  /** The feed's fields, in their order. */
  readonly row: Row;
  /** Whether the record spoke about a column at all (a null counts, an absent key does not). */
  readonly authored: (column: string) => boolean;
  /** What did not become part of the row, JSON text: `{"<column>":{"value":...,"reason":"..."}}`; beyond the limit `{"hash":...,"bytes":...}`. */
  readonly rescued: string | null;
  readonly notes: readonly Note[];
  /** What the record says that it replaces, if it came in an envelope that tells and it could be read. */
  readonly before: Row | null;
}

/** Of a sound record that has no effect: a tombstone, or a transport's word to itself. */
export const NOTHING = { row: null } as const;

/**
 * Decodes one record: limits, then JSON (or the values that its format gave) and its envelope, then the feed's fields, then columns that it does not declare.
 * This is the trust boundary: what comes out has only declared columns, and values that say exactly what was written.
 */
export function decode(feed: Feed, record: SourceRecord, schema: FeedSchema, limits: Limits): Decoded | typeof NOTHING | Fault {
  if (record.fault !== undefined) return record.fault;
  const { bytes, fields } = record;
  const plan = planOf(feed);
  if (fields !== undefined) {
    const reading = new RecordReading(null, false, record.cells === true);
    return excessOfAll(fields, limits) ?? decodeValues(plan, fields, blankRow(plan, fields, 0), reading, schema, limits);
  }
  if (bytes.length === 0 && feed.open !== null) return NOTHING;
  if (bytes.length > limits.recordBytesMax)
    return fault("too_large", `${bytes.length} bytes, of which ${limits.recordBytesMax} are allowed`);
  const text = textOf(bytes);
  if (text === null) return fault("bad_encoding", "the bytes are not UTF-8");
  const value = parsed(text);
  if (value === undefined)
    return text.slice(0, 4).includes("\0") ? fault("bad_encoding", "the text is UTF-16") : fault("bad_json", "the text is not JSON");
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fault("not_an_object", "the value is no object");
  // A smaller record can break limits only inside of a value that is an object; those are looked into one by one.
  if (bytes.length > Math.min(4 * limits.keysMax, limits.arrayLengthMax, limits.stringBytesMax)) {
    const excess = excessOf(value, 1, limits);
    if (excess !== null) return excess;
  }
  const opened = feed.open === null ? null : feed.open(value as Values, () => parseExact(text) as Values);
  if (opened !== null) return "code" in opened ? opened : decodeOpened(plan, value as Values, opened, schema, limits);
  const isCompleted = record.beside !== undefined && complete(value as Record<string, unknown>, record.beside);
  const plain = !isCompleted && text.length === bytes.length && !text.includes("\\") && !text.includes("\x7f");
  // Read in place: as long as keys come in the feed's order, the parsed object becomes the row and no second one is filled.
  return decodeValues(plan, value as Values, value as MutableRow, new RecordReading(text, plain, false), schema, limits);
}

/** Lets what the transport knows stand in where the record says nothing. True: it did somewhere. */
function complete(values: Record<string, unknown>, beside: Values): boolean {
  const missing = Object.keys(beside).filter((name) => values[name] === undefined || values[name] === null);
  for (const name of missing) values[name] = beside[name];
  return missing.length > 0;
}

/** Decodes what was in an envelope. An earlier state that cannot be read is as one that was not told. */
function decodeOpened(
  plan: Plan,
  envelope: Values,
  opened: Exclude<Opened, Fault>,
  schema: FeedSchema,
  limits: Limits,
): Decoded | typeof NOTHING | Fault {
  const excess = excessOf(envelope, 1, limits);
  if (excess !== null) return excess;
  if (opened.type === "nothing") return NOTHING;
  const read = (values: Values): Decoded | Fault =>
    decodeValues(plan, values, blankRow(plan, values, 0), new RecordReading(null, false, false), schema, limits);
  const decoded = read(opened.values);
  if ("code" in decoded || opened.before === null) return decoded;
  const before = read(opened.before);
  return "code" in before ? decoded : { ...decoded, before: before.row };
}

type Values = Readonly<Record<string, unknown>>;
type MutableRow = Record<string, CellValue>;

// Plans ---------------------------------------------------------------------------------------------------------------------------------

const SHORTCUTS: readonly AsIs["type"][] = ["number", "text", "words", "pattern", "boolean", "instant"];
const NUMBER = 0;
const TEXT = 1;
const WORDS = 2;
const PATTERN = 3;
const BOOLEAN = 4;
const INSTANT = 5;
const NO_PATTERN = /$^/;

/** A field laid out for the loop below: one hidden class and plain numbers, whatever its kind. */
class Step {
  readonly name: string;
  readonly required: boolean;
  /** Place in `SHORTCUTS`, -1: none. */
  readonly shortcut: number;
  /** Of a number, of the length of a text, of an instant. */
  readonly min: number;
  readonly max: number;
  readonly words: readonly string[];
  readonly pattern: RegExp;
  readonly read: Field<CellValue>["read"];

  constructor(name: string, { required, asIs, read }: Field<CellValue>) {
    this.name = name;
    this.required = required;
    this.shortcut = asIs === undefined ? -1 : SHORTCUTS.indexOf(asIs.type);
    this.min = asIs !== undefined && "min" in asIs ? asIs.min : 0;
    this.max = asIs !== undefined && "max" in asIs ? asIs.max : 0;
    this.words = asIs?.type === "words" ? asIs.words : [];
    this.pattern = asIs?.type === "pattern" ? asIs.pattern : NO_PATTERN;
    this.read = read;
  }
}

/** What decode needs of a feed, made once. */
interface Plan {
  readonly feed: Feed;
  readonly steps: readonly Step[];
  /** Name -> place in `steps`. */
  readonly places: ReadonlyMap<string, number>;
  /** A row in which everything is null. */
  readonly blank: Row;
  /** `authored` of a record that has every column and no other. */
  readonly authoredAll: (column: string) => boolean;
}

const plans = new WeakMap<Feed, Plan>(); // Spares the work: a feed has the same plan always.

function planOf(feed: Feed): Plan {
  return plans.get(feed) ?? planned(feed);
}

function planned(feed: Feed): Plan {
  const steps = Object.entries(feed.fields).map(([name, field]) => new Step(name, field));
  const places = new Map(steps.map(({ name }, place) => [name, place]));
  const blank = Object.fromEntries(steps.map(({ name }) => [name, null]));
  const plan: Plan = { feed, steps, places, blank, authoredAll: (column) => places.has(column) };
  plans.set(feed, plan);
  return plan;
}

// Rows ----------------------------------------------------------------------------------------------------------------------------------

/** Reads `values` into `target`: a blank row, or `values` itself, which is given up for a blank row where keys leave the feed's order. */
function decodeValues(
  plan: Plan,
  values: Values,
  target: MutableRow,
  reading: RecordReading,
  schema: FeedSchema,
  limits: Limits,
): Decoded | Fault {
  if (schema.mode === "none") reading.dropsAll();
  if (!schema.caseSensitive) {
    const named = inSchemaCase(values, schema, reading);
    if (named !== values) return decodeValues(plan, named, blankRow(plan, named, 0), reading, schema, limits);
  }
  const { steps } = plan;
  let row = target;
  let strangers: Stranger[] | null = null;
  let place = 0;
  for (const name in values) {
    const value = values[name];
    if (steps[place]?.name !== name) {
      if (row === values) row = blankRow(plan, values, place);
      const found = plan.places.get(name);
      if (found === undefined) {
        const excess = excessOf(value, 2, limits);
        if (excess !== null) return excess;
        strangers ??= [];
        strangers.push({ name, value });
        continue;
      }
      place = found;
    }
    const step = steps[place] as Step;
    place += 1;
    if (isTakenAsIs(step, value, reading.plain)) {
      if (row !== values) row[name] = value;
      continue;
    }
    if (step.shortcut === INSTANT && typeof value === "string") {
      const atMs = canonicalMs(value);
      if (atMs >= step.min) {
        row[name] = atMs;
        continue;
      }
    }
    const refusal = readValue(step, value, row, reading, limits);
    if (refusal !== null) return refusal;
  }
  if (row === values && place < steps.length) row = blankRow(plan, values, place);
  const isWhole = row === values;
  const refusal = (isWhole ? null : lacking(steps, row)) ?? judge(plan, values, row, reading);
  if (refusal !== null) return refusal;
  const rest = strangers === null ? { extra: null, schema } : readStrangers(strangers, schema, reading, limits);
  if ("code" in rest) return rest;
  return {
    row,
    authored: isWhole ? plan.authoredAll : authoredIn(values),
    rescued: reading.rescued(limits.rescuedBytesMax),
    notes: reading.notes(),
    before: null,
    extra: rest.extra,
    schema: rest.schema,
  };
}

/** Made outside of the loop above: a closure there would slow each of its reads. */
function authoredIn(values: Values): (column: string) => boolean {
  return (column) => Object.hasOwn(values, column) && values[column] !== undefined;
}

/** A row whose first columns, up to `place`, are those of `values` (already read), and which is null in the others. */
function blankRow({ steps, blank }: Plan, values: Values, place: number): MutableRow {
  const row: MutableRow = { ...blank };
  for (let n = 0; n < place; n += 1) {
    const { name } = steps[n] as Step;
    row[name] = values[name] as CellValue;
  }
  return row;
}

function isTakenAsIs({ shortcut, min, max, words, pattern }: Step, value: unknown, plain: boolean): value is CellValue {
  switch (shortcut) {
    case NUMBER:
      return typeof value === "number" && value >= min && value <= max && value !== 0; // 0 may be -0.
    case TEXT:
      return plain && typeof value === "string" && value.length >= min && value.length <= max;
    case WORDS:
      return typeof value === "string" && words.includes(value);
    case PATTERN:
      // Irregexp judges a short text in 20 ns; comparing characters by hand was no faster.
      return typeof value === "string" && value.length <= max && pattern.test(value);
    case BOOLEAN:
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** Reads a value into the row. A fault: the whole record is refused. */
function readValue({ name, required, read }: Step, given: unknown, row: MutableRow, reading: RecordReading, limits: Limits): Fault | null {
  const excess = excessOf(given, 2, limits);
  if (excess !== null) return excess;
  if (reading.isNull(name, given)) {
    if (required) return fault("missing_field", "a value was expected", name);
    row[name] = null;
    return null;
  }
  const value = read(reading.precise(name, given), name, reading);
  const isRefused = typeof value === "object" && value !== null;
  if (isRefused && required) return value;
  if (isRefused && value.code !== "missing_field") reading.refuse(name, given, value);
  const cell = isRefused ? null : value;
  if (!Object.is(cell, row[name])) row[name] = cell; // In place most are what they were; comparing is cheaper than storing.
  return null;
}

function lacking(steps: readonly Step[], row: Row): Fault | null {
  const step = steps.find(({ name, required }) => required && row[name] === null);
  return step === undefined ? null : fault("missing_field", "a value was expected", step.name);
}

/** Lets the feed judge the row. What it says of an optional field costs that field only. */
function judge({ feed, places, steps }: Plan, values: Values, row: MutableRow, reading: RecordReading): Fault | null {
  for (;;) {
    const refusal = feed.check(row);
    const name = refusal?.field ?? null;
    if (refusal === null || name === null) return refusal;
    const step = steps[places.get(name) ?? -1];
    if (step === undefined || step.required || row[name] === null) return refusal;
    reading.refuse(name, reading.exact(name, values[name]), refusal);
    row[name] = null;
  }
}

// Bytes and limits ----------------------------------------------------------------------------------------------------------------------

const UTF8 = new TextDecoder("utf-8", { fatal: true }); // Leaves out a byte order mark.

/** Null: not UTF-8. */
function textOf(bytes: Uint8Array): string | null {
  const text = Buffer.isBuffer(bytes) ? bytes.toString() : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  if (text.length === bytes.length && !text.includes("\ufffd")) return text; // ASCII: one unit a byte, none replaced.
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

/** Undefined: not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function excessOfAll(values: Values, limits: Limits): Fault | null {
  for (const name in values) {
    const excess = excessOf(values[name], 2, limits);
    if (excess !== null) return excess;
  }
  return null;
}

/** What of a value lies beyond the limits; `depth` counts it as a level, the record itself being the first. */
function excessOf(value: unknown, depth: number, limits: Limits): Fault | null {
  if (typeof value === "string")
    return isTooLong(value, limits) ? fault("limit_string", `a text is longer than ${limits.stringBytesMax} bytes`) : null;
  if (typeof value !== "object" || value === null || value instanceof Date) return null;
  if (value instanceof Uint8Array) return value.length > limits.stringBytesMax ? fault("limit_string", "a value has too many bytes") : null;
  if (depth > limits.depthMax) return fault("limit_depth", `values lie deeper than ${limits.depthMax} levels`);
  if (Array.isArray(value)) {
    if (value.length > limits.arrayLengthMax) return fault("limit_array", `a list is longer than ${limits.arrayLengthMax}`);
    return firstExcess(value, depth, limits);
  }
  const names = Object.keys(value);
  if (names.length > limits.keysMax) return fault("limit_keys", `an object has more than ${limits.keysMax} keys`);
  if (names.some(isForbidden)) return fault("forbidden_key", "the record has a key that is not allowed");
  return firstExcess(names, depth, limits) ?? firstExcess(Object.values(value), depth, limits);
}

function firstExcess(values: readonly unknown[], depth: number, limits: Limits): Fault | null {
  for (const value of values) {
    const excess = excessOf(value, depth + 1, limits);
    if (excess !== null) return excess;
  }
  return null;
}

function isTooLong(text: string, { stringBytesMax }: Limits): boolean {
  return text.length * 3 > stringBytesMax && Buffer.byteLength(text) > stringBytesMax;
}
