import { crc32 } from "node:zlib";
import type { ColumnMetaData } from "hyparquet";
import { sound } from "./damage.ts";
import { PARQUET_LIMITS } from "./footer.ts";
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

/** Goes over the pages of a column before any is decoded: sizes within bounds, checksums right where there are any. Throws `Damage`. */
export function checkPages(bytes: Buffer, column: ColumnMetaData): void {
  let values = 0;
  let decodedBytes = 0;
  for (let at = 0; at < bytes.length && values < Number(column.num_values); ) {
    const reader = new ThriftReader(bytes, at);
    const header = headerAt(reader);
    const stored = numberIn(header, STORED_BYTES);
    const decoded = numberIn(header, DECODED_BYTES);
    sound(stored >= 0 && decoded >= 0 && reader.at + stored <= bytes.length, "a page is longer than its column");
    const page = bytes.subarray(reader.at, reader.at + stored);
    checkSize(decoded, column.codec === "UNCOMPRESSED" ? decoded : stored);
    checkSum(header, page);
    values += valuesOf(header, decoded, column);
    decodedBytes += decoded;
    at = reader.at + stored;
  }
  sound(values === Number(column.num_values), "the pages do not have the values of the column");
  sound(decodedBytes <= PARQUET_LIMITS.rowGroupMax, `a column has ${decodedBytes} bytes`);
}

/** The number of values that a page adds to the column. */
function valuesOf(header: Struct, decoded: number, column: ColumnMetaData): number {
  const type = numberIn(header, TYPE);
  const description = header.get(DESCRIPTION.get(type) ?? 0);
  sound(description instanceof Map, "a page is of no known type");
  const values = numberIn(description, 1);
  const valuesMax = type === DICTIONARY_PAGE ? decoded : Number(column.num_values);
  sound(values >= 0 && values <= valuesMax, `a page claims ${values} values`);
  return type === DICTIONARY_PAGE ? 0 : values;
}

function checkSize(decoded: number, stored: number): void {
  sound(decoded <= PARQUET_LIMITS.pageMax, `a page has ${decoded} bytes`);
  const isBomb = decoded > PARQUET_LIMITS.freePage && decoded > stored * PARQUET_LIMITS.ratioMax;
  sound(!isBomb, `a page of ${stored} bytes claims to hold ${decoded}`);
}

function checkSum(header: Struct, page: Buffer): void {
  const crc = header.get(CRC);
  if (typeof crc === "number") sound(crc >>> 0 === crc32(page), "the checksum of a page is wrong");
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
