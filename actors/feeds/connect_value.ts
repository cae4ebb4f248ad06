import { isPlainDecimal } from "../../engine/decimal.ts";
import { dateOf, epochMs } from "../../engine/instant.ts";

// Values as Kafka Connect and Debezium write them into JSON. What is not understood stays as it is: the field that reads it will say so.

/** What a number of time counts. */
export type TimeUnit = "day" | "ms" | "us" | "ns";

const UNITS: ReadonlyMap<string, TimeUnit> = new Map<string, TimeUnit>([
  ["io.debezium.time.Date", "day"],
  ["org.apache.kafka.connect.data.Date", "day"],
  ["io.debezium.time.Timestamp", "ms"],
  ["org.apache.kafka.connect.data.Timestamp", "ms"],
  ["io.debezium.time.MicroTimestamp", "us"],
  ["io.debezium.time.NanoTimestamp", "ns"],
]);
const PER_MS = { ms: 1n, us: 1_000n, ns: 1_000_000n } as const;
const DAY_MAX = 2_932_896; // 9999-12-31, counted from 1970-01-01. As an instant it would be of the year 1970, whatever it counts.
const INTEGER = /^-?\d{1,19}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DECIMAL_BYTES_MAX = 64;

/** The unit that the name of a schema tells, or null. */
export function unitOf(schemaName: unknown): TimeUnit | null {
  return (typeof schemaName === "string" ? UNITS.get(schemaName) : undefined) ?? null;
}

/** A date as text, from days or an instant, in a unit that is told or goes by size. An instant that is not at midnight stays one, as text. */
export function dayText(value: unknown, unit: TimeUnit | null): unknown {
  if (typeof value === "string" && !INTEGER.test(value)) return value.replace(/^(\d{4}-\d\d-\d\d)Z$/, "$1");
  const count = integerOf(value);
  if (count === null) return value;
  if (unit === "day" || (unit === null && -DAY_MAX <= count && count <= DAY_MAX)) return dateOf(Number(count)) ?? value;
  return isoText(msOf(count, unit)) ?? value;
}

/** An instant as text, from a number in a unit that is told or goes by size. Text with a zone is one already. */
export function instantTextOf(value: unknown, unit: TimeUnit | null): unknown {
  const count = integerOf(value);
  return count === null ? value : (isoText(unit === "day" ? Number(count) * 86_400_000 : msOf(count, unit)) ?? value);
}

/**
 * Whether the decimals of a record, without a schema that tells, are bytes in base64. Digits alone may be either; but all decimals of a record are
 * written in one way, so one that cannot be a number settles it, as does one with a point or a sign.
 */
export function isBase64Decimal(values: readonly unknown[]): boolean {
  const texts = values.filter((value) => typeof value === "string");
  return texts.some((text) => !isPlainDecimal(text) && isBytes(text)) && !texts.some((text) => /^-?\d*\.\d+$|^-\d+$/.test(text));
}

/** A decimal as text, from base64 of its unscaled value (two's complement, big-endian), or `{scale, value}`. Numbers and text are left alone. */
export function decimalText(value: unknown, { scale, isBase64 }: { readonly scale: number; readonly isBase64: boolean }): unknown {
  if (typeof value === "object" && value !== null && "scale" in value && "value" in value) {
    return decimalText(value.value, { scale: Number(value.scale), isBase64: true });
  }
  if (typeof value !== "string" || !isBase64 || !isBytes(value) || !(Math.abs(scale) <= 100)) return value;
  return shifted(unscaled(Buffer.from(value, "base64")), scale);
}

function isBytes(text: string): boolean {
  return text !== "" && text.length <= (DECIMAL_BYTES_MAX / 3) * 4 && BASE64.test(text);
}

function unscaled(bytes: Buffer): bigint {
  return BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString("hex")}`));
}

function shifted(unscaledValue: bigint, scale: number): string {
  if (scale <= 0) return String(unscaledValue * 10n ** BigInt(-scale));
  const sign = unscaledValue < 0n ? "-" : "";
  const digits = String(unscaledValue < 0n ? -unscaledValue : unscaledValue).padStart(scale + 1, "0");
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function integerOf(value: unknown): bigint | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : null;
  return typeof value === "string" && INTEGER.test(value) ? BigInt(value) : null;
}

function msOf(count: bigint, unit: Exclude<TimeUnit, "day"> | null): number {
  if (unit === null) return epochMs(count);
  const per = PER_MS[unit];
  const cut = count / per;
  return Number(count < 0n && cut * per !== count ? cut - 1n : cut);
}

function isoText(atMs: number): string | null {
  return Math.abs(atMs) <= 253_402_300_799_999 ? new Date(atMs).toISOString() : null;
}
