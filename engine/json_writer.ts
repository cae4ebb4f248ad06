import { ByteChunks, numberAt, textBytes, textStart } from "./byte_writer.ts";
import { utcDate } from "./utc_date.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const COMMA = 0x2c;
const ZERO = 0x30;
const Z = 0x5a;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const DAY_MS = 86_400_000;
const YEAR_0_MS = -62_167_219_200_000;
const YEAR_10000_MS = 253_402_300_800_000;

/**
 * Writes cells of a row as JSON text, exactly as `JSON.stringify` would. Texts go from bytes to bytes: as strings they would cost several times as
 * much, and leave garbage. Each method takes the row and the place of the cell in it.
 */
export class JsonWriter extends ByteChunks {
  /** A cell as it is; what is no text and no finite number is null. */
  value(row: Buffer, place: number): void {
    const start = textStart(row, place);
    if (start >= 0) return this.#quoted(row, start, start + textBytes(row, place));
    const number = numberAt(row, place);
    this.ascii(number === null || !Number.isFinite(number) ? "null" : String(number));
  }

  /** A text without its quotes: the middle of a longer one. */
  inner(row: Buffer, place: number): void {
    const start = textStart(row, place);
    this.#escaped(row, start, start + textBytes(row, place));
  }

  /** Epoch milliseconds as ISO 8601. */
  instant(row: Buffer, place: number): void {
    const ms = numberAt(row, place);
    if (ms === null) return this.ascii("null");
    this.byte(QUOTE);
    if (ms >= YEAR_0_MS && ms < YEAR_10000_MS && Number.isInteger(ms)) this.#iso(ms);
    else this.ascii(new Date(ms).toISOString());
    this.byte(QUOTE);
  }

  /** A text as the list of its words, which a space parts. */
  words(row: Buffer, place: number): void {
    const start = textStart(row, place);
    const end = start < 0 ? start : start + textBytes(row, place);
    this.byte(BRACKET);
    for (let from = start; start < end && from <= end; ) {
      let to = from;
      while (to < end && row[to] !== SPACE) to += 1;
      if (from > start) this.byte(COMMA);
      this.#quoted(row, from, to);
      from = to + 1;
    }
    this.byte(BRACKET_END);
  }

  /** A text that is JSON already, as it is. */
  json(row: Buffer, place: number): void {
    const start = textStart(row, place);
    if (start < 0) return this.ascii("null");
    this.bytes(row.subarray(start, start + textBytes(row, place)));
  }

  ascii(text: string): void {
    this.reserve(text.length);
    const { chunk, at } = this;
    for (let n = 0; n < text.length; n += 1) chunk[at + n] = text.charCodeAt(n);
    this.at = at + text.length;
  }

  /** `toISOString` by hand: three of them in each event took a third of its time. */
  #iso(ms: number): void {
    this.ascii(utcDate(ms));
    const inDayMs = ms - Math.floor(ms / DAY_MS) * DAY_MS;
    this.reserve(14);
    this.#digits("T", Math.floor(inDayMs / 3_600_000), 2);
    this.#digits(":", Math.floor(inDayMs / 60_000) % 60, 2);
    this.#digits(":", Math.floor(inDayMs / 1_000) % 60, 2);
    this.#digits(".", inDayMs % 1_000, 3);
    this.byte(Z);
  }

  #digits(before: string, value: number, digits: number): void {
    const { chunk, at } = this;
    chunk[at] = before.charCodeAt(0);
    for (let n = digits, left = value; n > 0; n -= 1) {
      chunk[at + n] = ZERO + (left % 10);
      left = Math.floor(left / 10);
    }
    this.at = at + 1 + digits;
  }

  #quoted(row: Buffer, from: number, to: number): void {
    this.byte(QUOTE);
    this.#escaped(row, from, to);
    this.byte(QUOTE);
  }

  /** Copies UTF-8. A text with something in it that JSON escapes, which hardly any has, takes the way over a string. */
  #escaped(row: Buffer, from: number, to: number): void {
    this.reserve(to - from);
    const { chunk, at } = this;
    for (let n = from; n < to; n += 1) {
      const byte = row[n] as number;
      if (byte < SPACE || byte === QUOTE || byte === BACKSLASH) {
        return this.bytes(Buffer.from(JSON.stringify(row.toString("utf8", from, to)).slice(1, -1)));
      }
      chunk[at + n - from] = byte;
    }
    this.at = at + to - from;
  }
}
