import type { ParquetType } from "hyparquet";
import { sound } from "./damage.ts";
import { PARQUET_LIMITS } from "./limits.ts";
import { type ByteReader, countInRuns, deltas } from "./runs.ts";
import type { Leaf } from "./schema.ts";

/** A page's encoding of values, as the format numbers them. */
export const PLAIN = 0;
const PLAIN_DICTIONARY = 2;
const RLE = 3;
const DELTA_BINARY_PACKED = 5;
const DELTA_LENGTH_BYTE_ARRAY = 6;
const DELTA_BYTE_ARRAY = 7;
const RLE_DICTIONARY = 8;
const BYTE_STREAM_SPLIT = 9;

const VALUE_BYTES: Readonly<Partial<Record<ParquetType, number>>> = { INT32: 4, FLOAT: 4, INT64: 8, DOUBLE: 8, INT96: 12 };

/** Levels with their length in front, as in pages of version 1. Returns how many of the values are there and not null. */
export function checkLevels(reader: ByteReader, { definitionMax, repetitionMax }: Leaf, values: number): number {
  if (repetitionMax > 0) checkRuns(reader.part(reader.fixed(4)), repetitionMax, values);
  return definitionMax > 0 ? checkRuns(reader.part(reader.fixed(4)), definitionMax, values) : values;
}

/** Levels of `highest` at most. Returns how many are the highest. */
export function checkRuns(reader: ByteReader, highest: number, values: number): number {
  return countInRuns(reader, 32 - Math.clz32(highest), values, highest);
}

/**
 * Makes sure that as many values as there should be are in the rest of a page, so that a reader cannot be led beyond it, or to take more memory than
 * the values have. Throws `Damage`.
 */
export function checkValues(reader: ByteReader, leaf: Leaf, encoding: number, count: number): void {
  if (count === 0) return;
  switch (encoding) {
    case PLAIN:
      return checkPlain(reader, leaf, count);
    case PLAIN_DICTIONARY:
    case RLE_DICTIONARY: {
      const width = reader.byte();
      if (width > 0) countInRuns(reader, width, count, -1);
      return;
    }
    case RLE:
      sound(leaf.type === "BOOLEAN", "values of this type are not packed in runs");
      countInRuns(reader.part(reader.fixed(4)), 1, count, -1);
      return;
    case DELTA_BINARY_PACKED:
      return checkBlocks(reader);
    case DELTA_LENGTH_BYTE_ARRAY:
      sound(sumOf(deltas(reader, count)) <= reader.left, "texts are longer than their page");
      return;
    case DELTA_BYTE_ARRAY:
      return checkPrefixes(reader, count);
    case BYTE_STREAM_SPLIT:
      sound(count * (VALUE_BYTES[leaf.type] ?? leaf.typeLength) <= reader.left, "a page has too few values");
      return;
    default:
      sound(false, `the encoding ${encoding} is not known`);
  }
}

function checkPlain(reader: ByteReader, { type, typeLength }: Leaf, count: number): void {
  if (type === "BYTE_ARRAY") {
    for (let n = 0; n < count; n += 1) reader.part(reader.fixed(4));
    return;
  }
  const bytes = type === "BOOLEAN" ? Math.ceil(count / 8) : count * (VALUE_BYTES[type] ?? typeLength);
  sound(bytes <= reader.left, "a page has too few values");
}

function checkBlocks(reader: ByteReader): void {
  const blockSize = reader.varint();
  const parts = reader.varint();
  sound(parts > 0 && blockSize % parts === 0 && blockSize <= 1_048_576, "a block of differences has no sound size");
}

/** Texts that begin like the text before: a short page can describe very long ones. */
function checkPrefixes(reader: ByteReader, count: number): void {
  const prefixes = deltas(reader, count);
  const suffixes = deltas(reader, count);
  sound(sumOf(suffixes) <= reader.left, "texts are longer than their page");
  let length = 0;
  let bytes = 0;
  for (const [n, prefix] of prefixes.entries()) {
    sound(prefix >= 0 && prefix <= length, "a text shares more than the text before has");
    length = prefix + (suffixes[n] ?? 0);
    bytes += length;
  }
  sound(bytes <= PARQUET_LIMITS.rowGroupMax, `the texts of a page have ${bytes} bytes`);
}

function sumOf(lengths: Int32Array): number {
  let sum = 0;
  for (const length of lengths) {
    sound(length >= 0, "a text has a negative length");
    sum += length;
  }
  return sum;
}
