import { sound } from "./damage.ts";

/** A writer may fill its last bit-packed run up to 63 groups. */
const PADDING = 504;

/** Reads the numbers of Parquet's encodings from memory, one after another. Throws `Damage` at the end of the bytes. */
export class ByteReader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.bytes[this.at];
    sound(byte !== undefined, "a page ends too early");
    this.at += 1;
    return byte;
  }

  /** Unsigned, little endian. */
  fixed(length: number): number {
    let value = 0;
    for (let n = 0, factor = 1; n < length; n += 1, factor *= 256) value += this.byte() * factor;
    return value;
  }

  varint(): number {
    let value = 0;
    for (let n = 0, factor = 1; n < 10; n += 1, factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    sound(false, "a number in a page is too long");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** The next bytes, as a reader of their own. */
  part(length: number): ByteReader {
    sound(length >= 0 && length <= this.bytes.length - this.at, "a part of a page is longer than the page");
    const part = new ByteReader(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return part;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }
}

/**
 * Goes through the hybrid of run-length and bit-packed values of `width` bits, and returns how many of the first `count` are `wanted`. Readers trust
 * the length of a run, and fill the memory with it: here it is no longer than what is due.
 */
export function countInRuns(reader: ByteReader, width: number, count: number, wanted: number): number {
  sound(width <= 32, "a page has values of more than 32 bits");
  let found = 0;
  for (let seen = 0; seen < count; ) {
    const head = reader.varint();
    if (head % 2 === 0) {
      const length = head / 2;
      sound(length <= count - seen, "a run is longer than its page");
      if (reader.fixed((width + 7) >> 3) === wanted) found += length;
      seen += length;
    } else {
      const length = ((head - 1) / 2) * 8;
      sound(length <= count - seen + PADDING, "a run is longer than its page");
      const due = Math.min(length, count - seen);
      found += countPacked(reader, width, due, wanted);
      reader.at += Math.min(((length - due) * width) >> 3, reader.left); // The padding may be cut off.
      seen += length;
    }
  }
  return found;
}

function countPacked(reader: ByteReader, width: number, count: number, wanted: number): number {
  if (wanted < 0 || width > 8) {
    reader.part(Math.min(Math.ceil((count * width) / 8), reader.left)); // Nobody asks what the values are.
    return 0;
  }
  let found = 0;
  let bits = 0;
  let held = 0;
  for (let n = 0; n < count; n += 1) {
    while (held < width) {
      bits |= reader.byte() << held;
      held += 8;
    }
    if ((bits & ((1 << width) - 1)) === wanted) found += 1;
    bits >>>= width;
    held -= width;
  }
  return found;
}

/** Reads `count` numbers that are packed as differences (DELTA_BINARY_PACKED, 32 bits). */
export function deltas(reader: ByteReader, count: number): Int32Array {
  const blockSize = reader.varint();
  const parts = reader.varint();
  reader.varint();
  const size = blockSize / parts;
  sound(parts > 0 && Number.isInteger(size) && blockSize <= 1_048_576, "a block of differences has no sound size");
  const values = new Int32Array(count);
  let value = reader.zigzag();
  let filled = 0;
  if (count > 0) values[filled++] = value;
  while (filled < count) {
    const least = reader.zigzag();
    const widths = reader.part(parts).bytes;
    for (let n = 0; n < parts && filled < count; n += 1) {
      const width = widths[n] ?? 0;
      sound(width <= 32, "a difference has more than 32 bits");
      const packed = reader.part(Math.ceil((size * width) / 8));
      for (let i = 0; i < size && filled < count; i += 1) {
        value = (value + least + bitsAt(packed.bytes, i * width, width)) | 0;
        values[filled++] = value;
      }
    }
  }
  return values;
}

function bitsAt(bytes: Uint8Array, from: number, width: number): number {
  let value = 0;
  for (let n = 0; n < width; n += 1) {
    const bit = from + n;
    value += (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1) * 2 ** n;
  }
  return value;
}
