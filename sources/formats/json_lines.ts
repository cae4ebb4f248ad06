import { fault } from "../../engine/fault.ts";
import type { SourceRecord } from "../../engine/source.ts";
import { Excerpt, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Format, Place, Reading, Slice } from "../format.ts";
import { Group } from "../grouped.ts";
import { Window } from "../window.ts";
import { isBlank, isJson, JsonScanner } from "./json_scanner.ts";
import { beginOf, LINES } from "./json_shape.ts";
import { jsonValues } from "./json_values.ts";

/**
 * JSON in all the shapes that writers use, told by content: lines, one array, one object over many lines, objects one after another. A record's
 * bytes are its JSON text. Lines are only cut, not parsed, so that a bad one costs nothing but itself. In the other shapes a broken value costs the
 * rest of the file, since nothing tells where the next one begins. Blank lines are no records.
 */
export function jsonLines(limits: FormatLimits): Format {
  return {
    grows: true,
    async *records(file, reading) {
      const from = await beginOf(file, reading, limits);
      if ("type" in from) return from;
      const ending = yield* from.shape === LINES
        ? new LineReading(file, { ...reading, from }, limits).slices()
        : jsonValues(file, { ...reading, from }, limits);
      const isUntouched = ending.at.row === reading.from.row && reading.from.shape === null;
      return ending.type === "incomplete" && isUntouched ? { ...ending, at: reading.from } : ending; // More content may tell another shape.
    },
  };
}

const LF = 0x0a;
const CR = 0x0d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** A line in its window. A view of its bytes is made when it is asked for: kept by every record of a batch, views are what a garbage collector copies most. */
class Line implements SourceRecord {
  readonly at: number;
  readonly arrivedAtMs: number;
  readonly #window: Buffer;
  readonly #from: number;
  readonly #to: number;

  constructor(at: number, arrivedAtMs: number, window: Buffer, from: number, to: number) {
    this.at = at;
    this.arrivedAtMs = arrivedAtMs;
    this.#window = window;
    this.#from = from;
    this.#to = to;
  }

  get bytes(): Uint8Array {
    return this.#window.subarray(this.#from, this.#to);
  }
}

/** One pass over a file of lines. */
class LineReading {
  readonly #reading: Reading;
  readonly #limits: FormatLimits;
  readonly #window: Window;
  readonly #group: Group;
  #row: number;
  /** Index in the window behind what was cut. */
  #used = 0;
  /** The line at hand, if it is too long to be kept in memory. */
  #overlong: { readonly at: Place; readonly excerpt: Excerpt } | null = null;

  constructor(file: FileBytes, reading: Reading, limits: FormatLimits) {
    this.#reading = reading;
    this.#limits = limits;
    this.#window = new Window(file, reading.from.offset);
    this.#group = new Group(reading.bounds);
    this.#row = reading.from.row;
  }

  async *slices(): AsyncGenerator<Slice, Ending> {
    for (;;) {
      this.#reading.signal.throwIfAborted();
      this.#passOverlong();
      yield* this.#cutLines();
      yield* this.#cutUnfinishedLine();
      if (this.#window.atEnd) return yield* this.#ending();
      await this.#window.advance(this.#used);
      this.#used = 0;
    }
  }

  *#handOver(): Generator<Slice, void> {
    if (!this.#group.isEmpty) yield { records: this.#group.take(), end: this.#place() };
  }

  #place(): Place {
    return { offset: this.#window.base + this.#used, row: this.#row, shape: LINES };
  }

  /** Cuts every line that has its end in the window. */
  *#cutLines(): Generator<Slice, void> {
    const { bytes } = this.#window;
    const end = Math.max(bytes.lastIndexOf(LF), bytes.lastIndexOf(CR)) + 1;
    while (this.#used < end) {
      this.#used = this.#cut(bytes, this.#used, end);
      if (this.#used < end) yield* this.#handOver();
    }
  }

  /** Cuts lines off from index `from` on, and returns the index behind the last; before `end`, if the group is full. The last byte is a line's end. */
  #cut(bytes: Buffer, from: number, end: number): number {
    let lineFeed = -1;
    let carriageReturn = -1; // A line end of its own, too: in CRLF a blank line lies between the two.
    let brace = -1;
    for (let at = from; at < end; ) {
      if (lineFeed < at) lineFeed = indexOf(bytes, LF, at);
      if (carriageReturn < at) carriageReturn = indexOf(bytes, CR, at);
      if (brace < at) brace = indexOf(bytes, OBJECT_END, at);
      const lineEnd = Math.min(lineFeed, carriageReturn);
      const first = bytes[at] as number;
      if (isBlank(first)) at += 1;
      else {
        const to = brace === lineEnd - 1 ? lineEnd : endOfFirst(bytes, at, brace, lineEnd);
        if (!this.#group.hasRoom(to - at)) return at;
        this.#add(bytes, at, to);
        at = to;
      }
    }
    return end;
  }

  /** What stands behind the last line end: objects that are complete are records, even if the writer should go on with the line. */
  *#cutUnfinishedLine(): Generator<Slice, void> {
    const { bytes, atEnd } = this.#window;
    if (this.#overlong !== null || (!atEnd && bytes.length - this.#used <= this.#limits.recordBytesMax)) return;
    for (let from = skipBlanks(bytes, this.#used); bytes[from] === OBJECT; from = skipBlanks(bytes, this.#used)) {
      const scanner = new JsonScanner();
      const to = scanner.scan(bytes, from);
      if (scanner.state !== "done") break;
      if (!this.#group.hasRoom(to - from)) yield* this.#handOver();
      this.#add(bytes, from, to);
      this.#used = to;
    }
    if (bytes.length - this.#used <= this.#limits.recordBytesMax) return;
    yield* this.#handOver();
    this.#overlong = { at: this.#place(), excerpt: new Excerpt(this.#limits) };
    this.#passOverlong();
  }

  /** Goes through a line without keeping it, to its end or that of the window. */
  #passOverlong(): void {
    if (this.#overlong === null) return;
    const { excerpt } = this.#overlong;
    const { bytes } = this.#window;
    const end = Math.min(indexOf(bytes, LF, this.#used), indexOf(bytes, CR, this.#used));
    excerpt.add(bytes.subarray(this.#used, end));
    this.#used = end;
    if (end === bytes.length) return;
    this.#overlong = null;
    this.#addTooLarge(excerpt);
  }

  #add(bytes: Buffer, from: number, to: number): void {
    if (to - from > this.#limits.recordBytesMax) {
      const excerpt = new Excerpt(this.#limits);
      excerpt.add(bytes.subarray(from, to));
      return this.#addTooLarge(excerpt);
    }
    this.#group.add(new Line(this.#row, this.#reading.arrivedAtMs, bytes, from, to), to - from);
    this.#row += 1;
  }

  #addTooLarge(excerpt: Excerpt): void {
    this.#group.add(tooLarge(excerpt, this.#row, this.#reading.arrivedAtMs));
    this.#row += 1;
  }

  *#ending(): Generator<Slice, Ending> {
    yield* this.#handOver();
    const { arrivedAtMs } = this.#reading;
    if (this.#overlong !== null) {
      const { at, excerpt } = this.#overlong;
      return { type: "incomplete", at, rest: tooLarge(excerpt, at.row, arrivedAtMs) };
    }
    const { bytes } = this.#window;
    const at = this.#place();
    const rest = bytes.subarray(skipBlanks(bytes, this.#used));
    if (rest.length === 0) return { type: "complete", at: { ...at, offset: this.#window.base + bytes.length } };
    const record = { at: this.#row, arrivedAtMs, bytes: rest };
    if (isJson(rest)) return { type: "incomplete", at, rest: record }; // A number, say, which further digits would change.
    return { type: "incomplete", at, rest: { ...record, fault: fault("truncated", "the file ends inside of a line") } };
  }
}

function tooLarge(excerpt: Excerpt, row: number, arrivedAtMs: number) {
  return excerpt.record(row, arrivedAtMs, "too_large", "the line is longer than a record may be");
}

/** The index of a byte from `from` on; `bytes.length` if there is none. */
function indexOf(bytes: Buffer, byte: number, from: number): number {
  const index = bytes.indexOf(byte, from);
  return index < 0 ? bytes.length : index;
}

function skipBlanks(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && isBlank(bytes[at] as number)) at += 1;
  return at;
}

/**
 * Where the first of several objects on a line ends; `lineEnd`, if there is one value, whatever it is. Only where an object's end is followed by an
 * object's begin (`brace` is the index of the first end) is there something to look into.
 */
function endOfFirst(bytes: Buffer, from: number, brace: number, lineEnd: number): number {
  for (let end = brace; end < lineEnd; end = indexOf(bytes, OBJECT_END, end + 1)) {
    const next = skipBlanks(bytes, end + 1);
    if (next >= lineEnd || bytes[next] !== OBJECT) continue;
    const scanner = new JsonScanner();
    const line = bytes.subarray(from, lineEnd);
    const behind = scanner.scan(line, 0);
    return scanner.state === "done" && line[skipBlanks(line, behind)] === OBJECT ? from + behind : lineEnd;
  }
  return lineEnd;
}
