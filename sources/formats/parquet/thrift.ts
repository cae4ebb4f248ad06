const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const I64 = 6;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
const DEPTH_MAX = 32;

/** A struct: field number -> value. Texts are skipped (null), and of lists only the number of elements is kept. */
export type Struct = ReadonlyMap<number, ThriftValue>;
export type ThriftValue = number | boolean | Struct | null;

/** Thrown for bytes that are no sound struct: cut, too deep, or claiming more than there is. */
export class BadThrift extends Error {}

/**
 * Reads a struct of Thrift's compact protocol without ever taking a length on trust, which other readers do. Used to look at page headers, and
 * over a footer before it is parsed.
 */
export class ThriftReader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  struct(depth = 0): Struct {
    if (depth > DEPTH_MAX) throw new BadThrift("the structs are nested too deeply");
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (let head = this.#byte(); (head & 0x0f) !== STOP; head = this.#byte()) {
      id = head >> 4 === 0 ? this.#zigzag() : id + (head >> 4);
      fields.set(id, this.#value(head & 0x0f, depth));
    }
    return fields;
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case TRUE:
        return true;
      case FALSE:
        return false;
      case BYTE:
        return this.#byte();
      case DOUBLE:
        this.#skip(8);
        return null;
      case BINARY:
        this.#skip(this.#varint());
        return null;
      case LIST:
        return this.#list(depth);
      case STRUCT:
        return this.struct(depth + 1);
      default:
        if (type > I64) throw new BadThrift("a field has no known type");
        return this.#zigzag();
    }
  }

  #list(depth: number): number {
    const head = this.#byte();
    const size = head >> 4 === 15 ? this.#varint() : head >> 4;
    if (size > this.#bytes.length - this.at) throw new BadThrift("a list claims more elements than there are bytes");
    const type = head & 0x0f;
    for (let n = 0; n < size; n += 1) {
      if (type === TRUE || type === FALSE) this.#skip(1);
      else this.#value(type, depth + 1);
    }
    return size;
  }

  #byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new BadThrift("the bytes end inside of a struct");
    this.at += 1;
    return byte;
  }

  #skip(bytes: number): void {
    if (bytes > this.#bytes.length - this.at) throw new BadThrift("a text is longer than the bytes there are");
    this.at += bytes;
  }

  /** As a double: what lies beyond 2^53 is no length that could be right. */
  #varint(): number {
    let value = 0;
    for (let n = 0, factor = 1; n < 10; n += 1, factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new BadThrift("a number is too long");
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
