import { type FileMetaData, parquetMetadata, type RowGroup } from "hyparquet";
import { Damage, sound } from "./damage.ts";
import { PARQUET_LIMITS } from "./limits.ts";
import { leavesOf, type NamedLeaf } from "./schema.ts";
import { ThriftReader } from "./thrift.ts";

/** The length of what ends a file: length of the footer, magic. */
export const TRAILER_BYTES = 8;
export const MAGIC = "PAR1";

const CODECS = ["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4", "LZ4_RAW"];
const VALUE_BYTES = 8; // What a decoded value takes at the least.

/** Parses the footer with its trailer, which end a file of `sizeBytes`, and makes sure that nothing in it is out of bounds. Throws `Damage`. */
export function footerOf(bytes: Buffer, sizeBytes: number): FileMetaData {
  try {
    new ThriftReader(bytes.subarray(0, -TRAILER_BYTES), 0).struct(); // The library takes the lengths in it on trust.
    const footer = parquetMetadata(bytes, { geoparquet: false });
    check(footer, sizeBytes - bytes.length);
    return footer;
  } catch (error) {
    throw error instanceof Damage ? error : new Damage(`the footer is damaged: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function check(footer: FileMetaData, footerAt: number): void {
  const leaves = leavesOf(footer);
  sound(footer.row_groups.length <= PARQUET_LIMITS.rowGroupsMax, `there are ${footer.row_groups.length} row groups`);
  const rows = footer.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  sound(rows === footer.num_rows, "the row groups do not have the rows of the file");
  for (const group of footer.row_groups) checkGroup(group, leaves);
  checkRanges(footer.row_groups, footerAt);
}

/** Where a column's pages are in the file. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

/** The pages of a group, column by column. */
export function rangesOf(group: RowGroup): readonly Range[] {
  return group.columns.map(({ meta_data: column }) => {
    sound(column !== undefined, "a column has no description, or is encrypted");
    const dictionary = Number(column.dictionary_page_offset ?? 0);
    const data = Number(column.data_page_offset);
    const begin = dictionary > 0 && dictionary < data ? dictionary : data; // Some writers say 0 for none.
    return { begin, end: begin + Number(column.total_compressed_size) };
  });
}

function checkGroup(group: RowGroup, leaves: readonly NamedLeaf[]): void {
  sound(group.num_rows >= 0n, "a row group has a negative number of rows");
  sound(group.columns.length === leaves.length, "a row group does not have the columns of the schema");
  let bytes = 0;
  for (const [n, { meta_data: column, crypto_metadata, encrypted_column_metadata, file_path }] of group.columns.entries()) {
    sound(crypto_metadata === undefined && encrypted_column_metadata === undefined, "a column is encrypted");
    sound(file_path === undefined || file_path === "", "a column lies in another file");
    sound(column !== undefined, "a column has no description");
    const { path, type } = leaves[n] as NamedLeaf;
    sound(column.type === type && column.path_in_schema.join() === path.join(), "a column is not the one of the schema");
    sound(CODECS.includes(column.codec), `the codec ${column.codec} is not known`);
    sound(column.num_values >= 0n && column.total_compressed_size >= 0n, "a column has a negative size");
    bytes += Math.max(Number(column.total_uncompressed_size), Number(column.num_values) * VALUE_BYTES);
  }
  sound(bytes <= PARQUET_LIMITS.rowGroupMax, `a row group has ${bytes} bytes`);
  sound(group.num_rows === 0n || leaves.length > 0, "there are rows without columns");
}

/** Columns lie between the magic and the footer, and none in another. */
function checkRanges(groups: readonly RowGroup[], footerAt: number): void {
  const ranges = groups.flatMap((group) => (group.num_rows === 0n ? [] : rangesOf(group))).sort((a, b) => a.begin - b.begin);
  let behind = MAGIC.length;
  for (const { begin, end } of ranges) {
    sound(begin >= behind && end >= begin && end <= footerAt, "columns overlap, or lie outside of the file");
    behind = end;
  }
}
