import { crc32 } from "node:zlib";
import type { ColumnMetaData, CompressionCodec } from "hyparquet";
import { CODECS } from "./codecs.ts";
import { checkLevels, checkRuns, checkValues, PLAIN } from "./content.ts";
import { sound } from "./damage.ts";
import { PARQUET_LIMITS } from "./limits.ts";
import { ByteReader } from "./runs.ts";
import type { Leaf } from "./schema.ts";
import { BadThrift, type Struct, ThriftReader } from "./thrift.ts";

const DATA_PAGE = 0;
const DICTIONARY_PAGE = 2;
const DATA_PAGE_V2 = 3;

/** Field numbers of a page header. */
const TYPE = 1;
const DECODED_BYTES = 2;
const STORED_BYTES = 3;
const CRC = 4;
const DESCRIPTION = new Map([
  [DATA_PAGE, 5],
  [DICTIONARY_PAGE, 7],
  [DATA_PAGE_V2, 8],
]);

interface Page {
  readonly type: number;
  readonly description: Struct;
  readonly values: number;
  readonly decodedBytes: number;
  readonly stored: Buffer;
}

/**
 * Goes over the pages of a column before any is decoded: sizes within bounds, checksums right where there are any, and as many values as are
 * claimed. Throws `Damage`.
 */
export function checkPages(bytes: Buffer, column: ColumnMetaData, leaf: Leaf): void {
  const valuesMax = Number(column.num_values);
  let values = 0;
  let decodedBytes = 0;
  for (let at = 0; at < bytes.length && values < valuesMax; ) {
    const reader = new ThriftReader(bytes, at);
    const page = pageAt(reader, bytes, column);
    at = reader.at + page.stored.length;
    decodedBytes += page.decodedBytes;
    sound(decodedBytes <= PARQUET_LIMITS.rowGroupMax, `a column has ${decodedBytes} bytes`);
    checkContent(page, column.codec, leaf);
    if (page.type !== DICTIONARY_PAGE) values += page.values;
  }
  sound(values === valuesMax, "the pages do not have the values of the column");
}

function pageAt(reader: ThriftReader, bytes: Buffer, column: ColumnMetaData): Page {
  const header = headerAt(reader);
  const storedBytes = numberIn(header, STORED_BYTES);
  const decodedBytes = numberIn(header, DECODED_BYTES);
  sound(storedBytes >= 0 && decodedBytes >= 0 && storedBytes <= bytes.length - reader.at, "a page is longer than its column");
  sound(decodedBytes <= PARQUET_LIMITS.pageMax, `a page has ${decodedBytes} bytes`);
  const isBomb = decodedBytes > PARQUET_LIMITS.freePage && decodedBytes > storedBytes * PARQUET_LIMITS.ratioMax;
  sound(!isBomb, `a page of ${storedBytes} bytes claims to hold ${decodedBytes}`);
  const stored = bytes.subarray(reader.at, reader.at + storedBytes);
  const crc = header.get(CRC);
  if (typeof crc === "number") sound(crc >>> 0 === crc32(stored), "the checksum of a page is wrong");
  const type = numberIn(header, TYPE);
  const description = header.get(DESCRIPTION.get(type) ?? 0);
  sound(description instanceof Map, "a page is of no known type");
  const values = numberIn(description, 1);
  sound(
    values >= 0 && values <= Math.max(Number(column.num_values), type === DICTIONARY_PAGE ? decodedBytes : 0),
    `a page claims ${values} values`,
  );
  return { type, description, values, decodedBytes, stored };
}

function checkContent({ type, description, values, decodedBytes, stored }: Page, codec: CompressionCodec, leaf: Leaf): void {
  if (type === DICTIONARY_PAGE) return checkValues(new ByteReader(decoded(stored, codec, decodedBytes)), leaf, PLAIN, values);
  if (type === DATA_PAGE) {
    const reader = new ByteReader(decoded(stored, codec, decodedBytes));
    const present = checkLevels(reader, leaf, values);
    return checkValues(reader, leaf, numberIn(description, 2), present);
  }
  const reader = new ByteReader(stored);
  const repetitions = reader.part(numberIn(description, 6));
  const definitions = reader.part(numberIn(description, 5));
  if (leaf.repetitionMax > 0) checkRuns(repetitions, leaf.repetitionMax, values);
  const present = leaf.definitionMax > 0 ? checkRuns(definitions, leaf.definitionMax, values) : values;
  sound(values - numberIn(description, 2) === present, "a page says two different numbers of nulls");
  const levelBytes = repetitions.bytes.length + definitions.bytes.length;
  const isPlain = description.get(7) === false;
  const rest = isPlain ? stored.subarray(levelBytes) : decoded(stored.subarray(levelBytes), codec, decodedBytes - levelBytes);
  checkValues(new ByteReader(rest), leaf, numberIn(description, 4), present);
}

function decoded(stored: Uint8Array, codec: CompressionCodec, length: number): Uint8Array {
  sound(length >= 0, "a page is shorter than its levels");
  const bytes = codec === "UNCOMPRESSED" ? stored : CODECS[codec]?.(stored, length);
  sound(bytes?.length === length, "a page does not have the length it claims");
  return bytes;
}

function headerAt(reader: ThriftReader): Struct {
  try {
    return reader.struct();
  } catch (error) {
    sound(!(error instanceof BadThrift), "a page has no sound header");
    throw error;
  }
}

function numberIn(struct: Struct, id: number): number {
  const value = struct.get(id);
  sound(typeof value === "number", "a page header lacks a number");
  return value;
}
