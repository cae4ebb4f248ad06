import { Excerpt, excerptOfRest, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Place, Reading, Slice } from "../format.ts";
import { Group } from "../grouped.ts";
import { Window } from "../window.ts";
import { isBlank, isJson, JsonScanner } from "./json_scanner.ts";
import { ARRAY, VALUES } from "./json_shape.ts";

/** Reads values one after another, over as many lines as they take; the elements of an array stand for themselves. */
export async function* jsonValues(file: FileBytes, reading: Reading, limits: FormatLimits): AsyncGenerator<Slice, Ending> {
  const pass = new ValueReading(file, reading, limits);
  const stopped = yield* pass.slices();
  if (stopped === "complete") return { type: "complete", at: { ...pass.used, offset: file.sizeBytes, shape: VALUES } };
  const excerpt = await excerptOfRest(file, pass.used.offset, limits, reading.signal);
  const { offset, row } = pass.used;
  const isLong = file.sizeBytes - offset > limits.recordBytesMax;
  const [type, code, why] =
    stopped === "broken"
      ? (["refused", "bad_json", "the rest of the file cannot be read as JSON"] as const)
      : (["incomplete", isLong ? "too_large" : "truncated", "the file ends inside of a value or array"] as const);
  return { type, at: pass.used, rest: excerpt.record(row, reading.arrivedAtMs, code, why) };
}

/** Why there is no further value: everything was used, the file ends in the middle, or a byte cannot be where it is. */
type Stop = "complete" | "incomplete" | "broken";

const OPEN = 0x5b;
const CLOSE = 0x5d;
const COMMA = 0x2c;

/** One pass over a file of values. */
class ValueReading {
  /** The place behind the last value that was cut. */
  used: Place;
  readonly #reading: Reading;
  readonly #limits: FormatLimits;
  readonly #window: Window;
  readonly #group: Group;
  readonly #separators: Separators;
  /** Index in the window of the first byte not looked at. */
  #at = 0;
  /** The value at hand: its beginning in the window, or what is kept of it if it is too large. */
  #begin: number | null = null;
  #excerpt: Excerpt | null = null;
  #scanner = new JsonScanner();

  constructor(file: FileBytes, reading: Reading, limits: FormatLimits) {
    this.used = reading.from;
    this.#reading = reading;
    this.#limits = limits;
    this.#window = new Window(file, reading.from.offset);
    this.#group = new Group(reading.bounds);
    this.#separators = new Separators(reading.from.shape === ARRAY);
  }

  async *slices(): AsyncGenerator<Slice, Stop> {
    for (;;) {
      this.#reading.signal.throwIfAborted();
      const stopped = yield* this.#cut();
      if (stopped !== null) {
        if (!this.#group.isEmpty) yield this.#slice();
        return stopped;
      }
      await this.#advance();
    }
  }

  #slice(): Slice {
    return { records: this.#group.take(), end: this.used };
  }

  /** Cuts all values that end in the window. Null: there is more to read. */
  *#cut(): Generator<Slice, Stop | null> {
    const { bytes, atEnd } = this.#window;
    for (;;) {
      if (this.#begin === null) {
        this.#at = this.#separators.pass(bytes, this.#at);
        if (this.#separators.state === "broken") return "broken";
        if (this.#at === bytes.length) return atEnd ? (this.#separators.state === "outside" ? "complete" : "incomplete") : null;
        this.#begin = this.#at;
        this.#scanner = new JsonScanner();
      }
      this.#at = this.#scanner.scan(bytes, this.#at);
      if (this.#scanner.state === "broken") return "broken";
      if (this.#scanner.state === "open") return atEnd ? "incomplete" : null;
      if (!(yield* this.#take(bytes, this.#begin))) return "broken";
    }
  }

  /** Takes the value between `begin` and the present index. False: it is no JSON. */
  *#take(bytes: Buffer, begin: number): Generator<Slice, boolean> {
    const { arrivedAtMs } = this.#reading;
    const { row } = this.used;
    const value = bytes.subarray(begin, this.#at);
    if (this.#excerpt === null && value.length > this.#limits.recordBytesMax) this.#excerpt = new Excerpt(this.#limits);
    this.#excerpt?.add(value);
    const record =
      this.#excerpt === null
        ? { at: row, arrivedAtMs, bytes: value }
        : this.#excerpt.record(row, arrivedAtMs, "too_large", "the value is larger than a record may be");
    if (this.#excerpt === null && !isJson(value)) return false;
    if (!this.#group.hasRoom(record.bytes.length)) yield this.#slice();
    this.#group.add(record);
    this.#begin = null;
    this.#excerpt = null;
    this.#separators.valueEnds();
    this.used = { offset: this.#window.base + this.#at, row: row + 1, shape: this.#separators.inArray ? ARRAY : VALUES };
    return true;
  }

  /** Reads on; keeps the value at hand in memory as long as it may still be a record. */
  async #advance(): Promise<void> {
    const { bytes } = this.#window;
    let keep = this.#begin ?? this.#at;
    if (this.#begin !== null && (this.#excerpt !== null || bytes.length - keep > this.#limits.recordBytesMax)) {
      this.#excerpt ??= new Excerpt(this.#limits);
      this.#excerpt.add(bytes.subarray(keep));
      keep = bytes.length;
    }
    await this.#window.advance(keep);
    this.#at -= keep;
    if (this.#begin !== null) this.#begin = 0;
  }
}

/** What lies between values: white space, and the brackets and commas of arrays. */
class Separators {
  /** Where the last byte has led to. `broken`: it cannot be there. */
  state: "outside" | "opened" | "behind" | "comma" | "broken";

  constructor(inArray: boolean) {
    this.state = inArray ? "behind" : "outside";
  }

  get inArray(): boolean {
    return this.state !== "outside";
  }

  valueEnds(): void {
    if (this.inArray) this.state = "behind";
  }

  /** The index of the byte at which a value begins, or that cannot be there; `bytes.length` if there is none. */
  pass(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (!isBlank(byte) && !this.#take(byte)) return at;
    }
    return bytes.length;
  }

  /** False: no separator. */
  #take(byte: number): boolean {
    switch (this.state) {
      case "outside":
        if (byte !== OPEN) return false;
        this.state = "opened";
        return true;
      case "opened":
        if (byte !== CLOSE) return false;
        this.state = "outside";
        return true;
      case "behind":
        this.state = byte === COMMA ? "comma" : byte === CLOSE ? "outside" : "broken";
        return this.state !== "broken";
      default:
        return false;
    }
  }
}
