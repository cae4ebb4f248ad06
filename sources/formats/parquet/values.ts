import { type FileMetaData, type ParquetParsers, parquetSchema, type SchemaElement, type SchemaTree } from "hyparquet";

/** Text that is not UTF-8: its row is bad, the others are not. */
export class BadText {}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LATEST_MS = 8_640_000_000_000_000n; // The last instant that a Date can hold.

/** How values are made: nothing is rounded, and one bad value never costs the column. */
export const PARSERS: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => instant(millis),
  timestampFromMicroseconds: (micros) => instant(floored(micros, 1_000n)),
  timestampFromNanoseconds: (nanos) => instant(floored(nanos, 1_000_000n)),
  stringFromBytes: (bytes) => textOf(bytes),
  jsonFromBytes: (bytes) => jsonOf(bytes),
};

/** Makes the value of a top-level column from what was decoded. Undefined, where a column has no value that it should have, stays so. */
export type Conversion = (value: unknown) => unknown;

/**
 * The top-level columns, in order, with what is to be done to their values. It takes the mark of decimals away from the footer: the library would
 * make doubles of them, where the unscaled whole numbers can be written out exactly.
 */
export function conversions(footer: FileMetaData): ReadonlyMap<string, Conversion> {
  return new Map(parquetSchema(footer).children.map((tree) => [tree.element.name, conversionOf(tree)]));
}

function conversionOf(tree: SchemaTree): Conversion {
  const { type, repetition_type } = tree.element;
  if (type !== undefined && repetition_type !== "REPEATED") return leafConversion(tree.element);
  const convert = nestedConversion(tree);
  return (value) => convert(value) ?? null; // Of what an ancestor lacks there is nothing.
}

/** For values in lists, maps and structs, from which the library has taken the levels off that only make up a list or a map. One bad text makes all bad. */
function nestedConversion(tree: SchemaTree): Conversion {
  const convertOne = tree.children.length === 0 ? leafConversion(tree.element) : groupConversion(tree);
  const convert: Conversion = (value) =>
    Array.isArray(value)
      ? unlessBad(
          value.map((each) => convert(each) ?? null),
          (items) => items,
        )
      : convertOne(value);
  return convert;
}

function groupConversion({ element, children }: SchemaTree): Conversion {
  const [only] = children;
  if (element.converted_type === "LIST" && only !== undefined)
    return nestedConversion(only.children.length === 1 ? (only.children[0] as SchemaTree) : only);
  if (element.converted_type === "MAP" && only?.children[1] !== undefined) {
    const convert = nestedConversion(only.children[1]); // Keys are texts by now.
    return (value) => withFields(value, () => convert);
  }
  const fields = new Map(children.map((child) => [child.element.name, nestedConversion(child)]));
  return (value) => withFields(value, (name) => fields.get(name));
}

function withFields(value: unknown, conversionFor: (name: string) => Conversion | undefined): unknown {
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [name, conversionFor(name)?.(each) ?? null] as const);
  return unlessBad(
    fields.map(([, each]) => each),
    () => Object.fromEntries(fields),
  );
}

function unlessBad<T>(items: readonly unknown[], otherwise: (items: readonly unknown[]) => T): T | BadText {
  const bad = items.find((item) => item instanceof BadText);
  return bad instanceof BadText ? bad : otherwise(items);
}

function leafConversion(element: SchemaElement): Conversion {
  const { converted_type, logical_type, type } = element;
  if (converted_type === "DECIMAL" || logical_type?.type === "DECIMAL") {
    const scale = element.scale ?? (logical_type?.type === "DECIMAL" ? logical_type.scale : 0);
    delete element.converted_type;
    delete element.logical_type;
    return (value) => (value === null || value === undefined ? value : decimalText(unscaled(value), scale));
  }
  if (type === "BYTE_ARRAY") return (value) => (value instanceof Uint8Array ? textOf(value) : value); // Old writers do not mark text as such.
  return (value) => value;
}

function unscaled(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  let sum = 0n;
  for (const byte of value) sum = sum * 256n + BigInt(byte);
  return value.length === 0 ? 0n : BigInt.asIntN(value.length * 8, sum);
}

/** `-12345` at scale 2 is `-123.45`. */
function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${value < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

function textOf(bytes: Uint8Array): string | BadText {
  try {
    return UTF8.decode(bytes);
  } catch {
    return new BadText();
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  try {
    return typeof text === "string" ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

/** A Date, or the number itself where a Date cannot reach. */
function instant(ms: bigint): Date | bigint {
  return ms <= LATEST_MS && ms >= -LATEST_MS ? new Date(Number(ms)) : ms;
}

function floored(value: bigint, by: bigint): bigint {
  const whole = value / by;
  return value < 0n && whole * by !== value ? whole - 1n : whole;
}

/** The row as JSON, numbers beyond 2^53 in full. */
export function jsonText(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" && !Number.isFinite(value)) return `"${value}"`;
  if (value === null || value === undefined || value instanceof BadText) return "null";
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "null" : `"${value.toISOString()}"`;
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString("hex")}"`;
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([name, each]) => `${JSON.stringify(name)}:${jsonText(each)}`)
    .join(",")}}`;
}
