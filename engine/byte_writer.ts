import type { CellValue } from "./emission.ts";

const CHUNK_BYTES = 1 << 20;
const SHORT_MAX = 255;
const NULL = 0;
const NUMBER = 1;
const TRUE = 2;
const FALSE = 3;
const SHORT = 4;
const LONG = 5;

/**
 * Writes rows of cells as bytes, by hand: the row of a reading is the largest single cost of a turn. A row is written into a scratch buffer that
 * grows, then copied once into a chunk that is never written again.
 */
export class ByteWriter {
  #scratch = Buffer.allocUnsafeSlow(1 << 16);
  #at = 0;
  #chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  #used = 0;
  readonly #float = new Float64Array(1);
  readonly #floatBytes = new Uint8Array(this.#float.buffer);

  begin(): void {
    this.#at = 0;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#scratch.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#scratch[this.#at] = value;
    this.#at += 1;
  }

  cell(value: CellValue): void {
    if (typeof value === "string") this.#text(value);
    else if (typeof value === "number") this.#number(value);
    else this.byte(value === null ? NULL : value ? TRUE : FALSE);
  }

  /** The row's bytes. */
  end(): Uint8Array {
    const length = this.#at;
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, length));
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    this.#scratch.copy(this.#chunk, start, 0, length);
    return this.#chunk.subarray(start, this.#used);
  }

  #number(value: number): void {
    this.#reserve(9);
    const scratch = this.#scratch;
    const at = this.#at;
    const bytes = this.#floatBytes;
    this.#float[0] = value;
    scratch[at] = NUMBER;
    for (let n = 0; n < 8; n += 1) scratch[at + 1 + n] = bytes[n] as number;
    this.#at = at + 9;
  }

  #text(value: string): void {
    const { length } = value;
    this.#reserve(length * 3 + 5);
    if (length <= SHORT_MAX && this.#ascii(value)) return;
    const scratch = this.#scratch;
    const bytes = scratch.write(value, this.#at + 5);
    scratch[this.#at] = LONG;
    scratch.writeUInt32LE(bytes, this.#at + 1);
    this.#at += 5 + bytes;
  }

  /** False: the text is not ASCII, nothing has been written. */
  #ascii(value: string): boolean {
    const scratch = this.#scratch;
    const { length } = value;
    const start = this.#at + 2;
    for (let n = 0; n < length; n += 1) {
      const unit = value.charCodeAt(n);
      if (unit > 127) return false;
      scratch[start + n] = unit;
    }
    scratch[start - 2] = SHORT;
    scratch[start - 1] = length;
    this.#at = start + length;
    return true;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#scratch.length) return;
    const larger = Buffer.allocUnsafeSlow((this.#at + bytes) * 2);
    this.#scratch.copy(larger, 0, 0, this.#at);
    this.#scratch = larger;
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

  #text(length: number): string {
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new RangeError("a text ends behind its row");
    return this.#bytes.toString("utf8", this.#at - length, this.#at);
  }
}
