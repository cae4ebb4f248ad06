import { isUtf8 } from "node:buffer";
import { parse } from "csv-parse/sync";
import { fault } from "../../engine/fault.ts";
import type { SourceRecord } from "../../engine/source.ts";
import { Excerpt, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Format, Place, Reading, Slice } from "../format.ts";
import { Group } from "../grouped.ts";
import { Window } from "../window.ts";
import { headerOf } from "./csv_header.ts";
import { CsvScanner } from "./csv_scanner.ts";

/**
 * Comma-separated values, RFC 4180, with a header. A record's fields are its cells by their names in the header, as text; cells that the line lacks
 * at its end are null. Its bytes are the line. A line that is broken costs itself; a header that is refuses the file. Blank lines are no records.
 */
export function csv(limits: FormatLimits): Format {
  return {
    grows: true,
    async *records(file, reading) {
      const header = await headerOf(file, reading, limits);
      if ("type" in header) return header;
      const from = { ...reading.from, offset: Math.max(reading.from.offset, header.end) };
      return yield* new CsvReading(file, { ...reading, from }, header.names, limits).slices();
    },
  };
}

/** A record in the window: index of its first byte, and of the line end behind it. */
interface Cut {
  readonly from: number;
  readonly to: number;
}

/** One pass over the lines below the header. */
class CsvReading {
  readonly #reading: Reading;
  readonly #names: readonly string[];
  readonly #limits: FormatLimits;
  readonly #window: Window;
  readonly #group: Group;
  readonly #scanner = new CsvScanner();
  #row: number;
  /** Index in the window behind what was used. */
  #used = 0;
  /** Index in the window of the first byte that the scanner has not seen. */
  #scanned = 0;
  /** The record at hand, if it is too large to be kept in memory. */
  #overlong: { readonly at: Place; readonly excerpt: Excerpt } | null = null;

  constructor(file: FileBytes, reading: Reading, names: readonly string[], limits: FormatLimits) {
    this.#reading = reading;
    this.#names = names;
    this.#limits = limits;
    this.#window = new Window(file, reading.from.offset);
    this.#group = new Group(reading.bounds);
    this.#row = reading.from.row;
  }

  async *slices(): AsyncGenerator<Slice, Ending> {
    for (;;) {
      this.#reading.signal.throwIfAborted();
      this.#passOverlong();
      yield* this.#takeRecords();
      if (this.#window.bytes.length - this.#used > this.#limits.recordBytesMax) {
        yield* this.#handOver();
        this.#overlong = { at: this.#place(), excerpt: new Excerpt(this.#limits) };
        this.#passOverlong();
      }
      if (this.#window.atEnd) break;
      await this.#window.advance(this.#used);
      this.#scanned -= this.#used;
      this.#used = 0;
    }
    yield* this.#handOver();
    return this.#ending();
  }

  *#handOver(): Generator<Slice, void> {
    if (!this.#group.isEmpty) yield { records: this.#group.take(), end: this.#place() };
  }

  #place(): Place {
    return { offset: this.#window.base + this.#used, row: this.#row, shape: null };
  }

  /** Takes the records that end in the window. */
  *#takeRecords(): Generator<Slice, void> {
    if (this.#overlong !== null) return;
    const { bytes } = this.#window;
    const { cuts, end } = this.#cut();
    const cells = cellsOf(bytes, cuts);
    for (const [n, { from, to }] of cuts.entries()) {
      if (!this.#group.hasRoom(to - from)) yield* this.#handOver();
      this.#group.add(this.#record(bytes.subarray(from, to), cells[n] ?? null));
      this.#row += 1;
      this.#used = to;
    }
    this.#used = end;
  }

  #cut(): { readonly cuts: readonly Cut[]; readonly end: number } {
    const { bytes } = this.#window;
    const cuts: Cut[] = [];
    let from = this.#used;
    for (;;) {
      const to = this.#scanner.scan(bytes, this.#scanned);
      this.#scanned = Math.min(to + 1, bytes.length);
      if (to === bytes.length) return { cuts, end: from };
      if (!isBlankLine(bytes, from, to)) cuts.push({ from, to });
      from = to + 1;
    }
  }

  /** Goes through a record without keeping it, to its end or that of the window. */
  #passOverlong(): void {
    if (this.#overlong === null) return;
    const { excerpt } = this.#overlong;
    const { bytes } = this.#window;
    const end = this.#scanner.scan(bytes, this.#scanned);
    excerpt.add(bytes.subarray(this.#used, end));
    this.#used = end;
    this.#scanned = end;
    if (end === bytes.length) return;
    this.#used += 1; // Behind the line end.
    this.#scanned = this.#used;
    this.#overlong = null;
    this.#group.add(excerpt.record(this.#row, this.#reading.arrivedAtMs, "too_large", "the line is longer than a record may be"));
    this.#row += 1;
  }

  /** `cells`: null if the quoting is broken. */
  #record(bytes: Buffer, cells: readonly string[] | null): SourceRecord {
    const record = { at: this.#row, arrivedAtMs: this.#reading.arrivedAtMs, bytes };
    const names = this.#names;
    if (bytes.length > this.#limits.recordBytesMax) {
      const excerpt = new Excerpt(this.#limits);
      excerpt.add(bytes);
      return excerpt.record(record.at, record.arrivedAtMs, "too_large", "the line is longer than a record may be");
    }
    if (!isUtf8(bytes) || bytes.includes(0)) return { ...record, fault: fault("bad_encoding", "the line is not UTF-8 text") };
    if (cells === null) return { ...record, fault: fault("bad_csv", "the quoting of the line is broken") };
    if (cells.length > names.length) {
      return { ...record, fault: fault("bad_csv", `the line has ${cells.length} cells, the header ${names.length}`) };
    }
    return { ...record, fields: Object.fromEntries(names.map((name, n) => [name, cells[n] ?? null])), cells: true };
  }

  #ending(): Ending {
    const { bytes } = this.#window;
    const at = this.#place();
    if (this.#overlong !== null) {
      const { at: begin, excerpt } = this.#overlong;
      const { arrivedAtMs } = this.#reading;
      if (this.#scanner.isQuoted) {
        return { type: "refused", at: begin, rest: excerpt.record(begin.row, arrivedAtMs, "bad_csv", "a quote is not closed any more") };
      }
      const rest = excerpt.record(begin.row, arrivedAtMs, "too_large", "the line is longer than a record may be");
      return { type: "incomplete", at: begin, rest };
    }
    if (isBlankLine(bytes, this.#used, bytes.length)) return { type: "complete", at: { ...at, offset: this.#window.base + bytes.length } };
    // Without its line end nobody can tell a last cell that is whole from one that is cut.
    const line = bytes.subarray(this.#used);
    const cells = this.#scanner.isQuoted ? null : (cellsOf(line, [{ from: 0, to: line.length }])[0] ?? null);
    const record = this.#record(line, cells);
    const isCut = this.#scanner.isQuoted || (cells !== null && cells.length < this.#names.length);
    if (!isCut) return { type: "incomplete", at, rest: record };
    const { at: row, arrivedAtMs } = record;
    return {
      type: "incomplete",
      at,
      rest: { at: row, arrivedAtMs, bytes: line, fault: fault("truncated", "the file ends inside of a line") },
    };
  }
}

const OPTIONS = {
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true, // Judged against the header, not against the line before.
  skip_empty_lines: true, // Its bound on the size of a record is not needed: what is longer was cut out before.
};

/** The cells of each record; null for one whose quoting is broken. Many at once, since a parser costs more than a line. */
function cellsOf(bytes: Buffer, cuts: readonly Cut[]): readonly (readonly string[] | null)[] {
  const first = cuts[0];
  const last = cuts.at(-1);
  if (first === undefined || last === undefined) return [];
  const rows = parsed(bytes.subarray(first.from, last.to));
  if (rows?.length === cuts.length) return rows;
  if (cuts.length === 1) return [null];
  const half = cuts.length >> 1;
  return [...cellsOf(bytes, cuts.slice(0, half)), ...cellsOf(bytes, cuts.slice(half))];
}

function parsed(bytes: Buffer): readonly (readonly string[])[] | null {
  try {
    return parse(bytes, OPTIONS);
  } catch {
    return null;
  }
}

const BLANKS = [0x20, 0x09, 0x0a, 0x0d];

function isBlankLine(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (!BLANKS.includes(bytes[at] as number)) return false;
  return true;
}
