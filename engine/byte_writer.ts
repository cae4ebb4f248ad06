import type { CellValue } from "./emission.ts";

const CHUNK_BYTES = 1 << 20;
const SHORT_MAX = 255;

// How a cell begins.
const NULL = 0;
const NUMBER = 1;
const TRUE = 2;
const FALSE = 3;
const SHORT = 4;
const LONG = 5;
const SMALL = 6;

/** Rows of bytes, one behind another in chunks that are never written again; one that meets the end of its chunk moves to the next. */
export class ByteChunks {
  protected chunk: Buffer;
  protected view: DataView;
  /** Where the next byte goes. */
  protected at = 0;
  #start = 0;

  constructor(bytes = CHUNK_BYTES) {
    this.chunk = Buffer.allocUnsafeSlow(bytes);
    this.view = new DataView(this.chunk.buffer);
  }

  /** Begins a row. One that was not ended is forgotten. */
  begin(): void {
    this.at = this.#start;
  }

  bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.chunk.set(bytes, this.at);
    this.at += bytes.length;
  }

  byte(value: number): void {
    this.reserve(1);
    this.chunk[this.at] = value;
    this.at += 1;
  }

  /** The row's bytes. */
  end(): Uint8Array {
    const row = this.chunk.subarray(this.#start, this.at);
    this.#start = this.at;
    return row;
  }

  protected reserve(bytes: number): void {
    if (this.at + bytes <= this.chunk.length) return;
    const begun = this.chunk.subarray(this.#start, this.at);
    this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, (begun.length + bytes) * 2));
    this.chunk.set(begun, 0);
    this.view = new DataView(this.chunk.buffer);
    this.#start = 0;
    this.at = begun.length;
  }
}

/** Writes rows of cells as bytes, by hand: the row of a reading is the largest single cost of a turn. */
export class ByteWriter extends ByteChunks {
  cell(value: CellValue): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else this.byte(value === null ? NULL : value ? TRUE : FALSE);
  }

  /** -0 and NaN are written as they are: equal values, equal bytes. Small whole numbers take three bytes. */
  #number(value: number): void {
    this.reserve(9);
    const chunk = this.chunk;
    const at = this.at;
    if (value >= 0 && value < 65_536 && Number.isInteger(value) && !Object.is(value, -0)) {
      chunk[at] = SMALL;
      chunk[at + 1] = value & 255;
      chunk[at + 2] = value >> 8;
      this.at = at + 3;
      return;
    }
    chunk[at] = NUMBER;
    this.view.setFloat64(at + 1, value, true);
    this.at = at + 9;
  }

  #text(value: string): void {
    const { length } = value;
    this.reserve(length * 3 + 5);
    if (length <= SHORT_MAX && this.#ascii(value)) return;
    const chunk = this.chunk;
    const bytes = chunk.write(value, this.at + 5);
    chunk[this.at] = LONG;
    chunk.writeUInt32LE(bytes, this.at + 1);
    this.at += 5 + bytes;
  }

  /** False: the text is not ASCII, nothing has been written. */
  #ascii(value: string): boolean {
    const chunk = this.chunk;
    const { length } = value;
    const start = this.at + 2;
    for (let n = 0; n < length; n += 1) {
      const unit = value.charCodeAt(n);
      if (unit > 127) return false;
      chunk[start + n] = unit;
    }
    chunk[start - 2] = SHORT;
    chunk[start - 1] = length;
    this.at = start + length;
    return true;
  }
}

/** Reads what a `ByteWriter` wrote, in the same order. Throws a RangeError at the end of the bytes. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  byte(): number {
    const value = this.#bytes.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  bytes(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  cell(): CellValue {
    const tag = this.byte();
    switch (tag) {
      case NULL:
        return null;
      case NUMBER: {
        const value = this.#bytes.readDoubleLE(this.#at);
        this.#at += 8;
        return value;
      }
      case SMALL:
        return this.byte() | (this.byte() << 8);
      case TRUE:
        return true;
      case FALSE:
        return false;
      case SHORT:
        return this.#text(this.byte());
      case LONG: {
        const length = this.#bytes.readUInt32LE(this.#at);
        this.#at += 4;
        return this.#text(length);
      }
      default:
        throw new RangeError(`a cell cannot begin with ${tag}`);
    }
  }

  /** Passes over a cell. Returns where it begins. */
  skip(): number {
    const place = this.#at;
    const tag = this.byte();
    if (tag === NUMBER) this.#at += 8;
    else if (tag === SMALL) this.#at += 2;
    else if (tag === SHORT) this.#at += 1 + this.#bytes.readUInt8(this.#at);
    else if (tag === LONG) this.#at += 4 + this.#bytes.readUInt32LE(this.#at);
    return place;
  }

  #text(length: number): string {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError("a text ends behind its row");
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}

/** True: the cell at `place` of `bytes` is null. */
export function isNullAt(bytes: Buffer, place: number): boolean {
  return bytes[place] === NULL;
}

/** The number in the cell at `place`; null if it is no number. */
export function numberAt(bytes: Buffer, place: number): number | null {
  if (bytes[place] === SMALL) return bytes.readUInt16LE(place + 1);
  return bytes[place] === NUMBER ? bytes.readDoubleLE(place + 1) : null;
}

/** Where the text of the cell at `place` begins; -1 if it is no text. */
export function textStart(bytes: Buffer, place: number): number {
  return bytes[place] === SHORT ? place + 2 : bytes[place] === LONG ? place + 5 : -1;
}

/** Bytes of the text in the cell at `place`. */
export function textBytes(bytes: Buffer, place: number): number {
  return bytes[place] === SHORT ? (bytes[place + 1] as number) : bytes.readUInt32LE(place + 1);
}
