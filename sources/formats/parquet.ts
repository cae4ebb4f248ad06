import { type AsyncBuffer, type FileMetaData, parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { invariant } from "../../engine/fault.ts";
import { jsonText } from "../../engine/feed.ts";
import type { SourceRecord } from "../../engine/source.ts";
import { excerptOfRest, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Format, Place, Reading, Slice } from "../format.ts";

const MAGIC = "PAR1";
const SHORTEST_BYTES = 12;
const FOOTER_BYTES_MAX = 16_777_216;
const GROUP_BYTES_MAX = 268_435_456;
const GROUPS_MAX = 10_000;
const FILE_BYTES_MAX = 4_294_967_296;

/**
 * Parquet, row by row: `fields` are the columns (INT64 as bigint, DATE and TIMESTAMP as Date, DECIMAL as the nearest double, which the feed takes
 * back to its scale), `bytes` the same as JSON text. The footer is checked before anything is decoded; one row group is in memory at a time. What
 * cannot be decoded costs the rest of the file, as one `bad_parquet`.
 */
export function parquet(limits: FormatLimits): Format {
  return {
    grows: false,
    async *records(file, reading) {
      const refusal = (why: string): Promise<SourceRecord> => refused(file, reading, limits, why);
      if (file.sizeBytes === 0) return { type: "incomplete", at: reading.from, rest: await refusal("the file is empty") };
      if (!(await endsWithMagic(file)))
        return { type: "incomplete", at: reading.from, rest: await refusal("the file has no Parquet footer") };
      const metadata = await footerOf(file);
      if (typeof metadata === "string") return { type: "refused", at: reading.from, rest: await refusal(metadata) };
      return yield* groups(file, metadata, reading, refusal);
    },
  };
}

async function endsWithMagic(file: FileBytes): Promise<boolean> {
  if (file.sizeBytes < SHORTEST_BYTES) return false;
  return (await textAt(file, file.sizeBytes - MAGIC.length, MAGIC.length)) === MAGIC && (await textAt(file, 0, MAGIC.length)) === MAGIC;
}

/** The footer, or why it cannot be used. */
async function footerOf(file: FileBytes): Promise<FileMetaData | string> {
  if (file.sizeBytes > FILE_BYTES_MAX) return `the file has more than ${FILE_BYTES_MAX} bytes`;
  const tail = await bytesAt(file, file.sizeBytes - 8, 8);
  const footerBytes = tail.readUInt32LE(0);
  if (footerBytes > FOOTER_BYTES_MAX || footerBytes + SHORTEST_BYTES > file.sizeBytes) return `the footer claims ${footerBytes} bytes`;
  try {
    const footer = await bytesAt(file, file.sizeBytes - 8 - footerBytes, footerBytes + 8);
    const metadata = parquetMetadata(footer.buffer.slice(footer.byteOffset, footer.byteOffset + footer.length) as ArrayBuffer);
    return faultOf(metadata) ?? metadata;
  } catch (error) {
    return `the footer cannot be read: ${textOf(error)}`;
  }
}

function faultOf({ row_groups: rowGroups, num_rows: rows }: FileMetaData): string | null {
  if (rowGroups.length > GROUPS_MAX) return `the file has more than ${GROUPS_MAX} row groups`;
  const large = rowGroups.findIndex((group) => group.total_byte_size > GROUP_BYTES_MAX);
  if (large >= 0) return `row group ${large} decodes to more than ${GROUP_BYTES_MAX} bytes`;
  const counted = rowGroups.reduce((sum, group) => sum + group.num_rows, 0n);
  return counted === rows ? null : `the footer counts ${rows} rows, its row groups ${counted}`;
}

async function* groups(
  file: FileBytes,
  metadata: FileMetaData,
  reading: Reading,
  refusal: (why: string) => Promise<SourceRecord>,
): AsyncGenerator<Slice, Ending> {
  const { signal, from } = reading;
  let next: Place = { ...from, shape: MAGIC };
  let firstRow = 0;
  for (const group of metadata.row_groups) {
    const endRow = firstRow + Number(group.num_rows);
    if (endRow > next.row) {
      signal.throwIfAborted();
      const rows = await decoded(file, metadata, next.row, endRow);
      if (typeof rows === "string") return { type: "refused", at: next, rest: { ...(await refusal(rows)), at: next.row } };
      for (const slice of slices(rows, next, reading)) {
        yield slice;
        next = slice.end;
      }
    }
    firstRow = endRow;
  }
  return { type: "complete", at: { ...next, offset: file.sizeBytes } };
}

type Fields = Readonly<Record<string, unknown>>;

/** Rows of one group, or why they cannot be decoded. */
async function decoded(file: FileBytes, metadata: FileMetaData, rowStart: number, rowEnd: number): Promise<readonly Fields[] | string> {
  const outages: unknown[] = [];
  const buffer: AsyncBuffer = {
    byteLength: file.sizeBytes,
    async slice(start, end = file.sizeBytes) {
      try {
        const bytes = await bytesAt(file, start, Math.min(end, file.sizeBytes) - start);
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
      } catch (error) {
        outages.push(error);
        throw error;
      }
    },
  };
  try {
    const rows = await parquetReadObjects({ file: buffer, metadata, rowStart, rowEnd, compressors });
    if (rows.length !== rowEnd - rowStart) return `rows ${rowStart} to ${rowEnd} are not all there`;
    return rows;
  } catch (error) {
    if (outages.length > 0) throw outages[0]; // The file could not be read: that says nothing about its content.
    return `rows ${rowStart} to ${rowEnd} cannot be decoded: ${textOf(error)}`;
  }
}

function* slices(rows: readonly Fields[], start: Place, { bounds, arrivedAtMs }: Reading): Generator<Slice> {
  let records: SourceRecord[] = [];
  let size = 0;
  let row = start.row;
  for (const fields of rows) {
    const bytes = Buffer.from(jsonText(fields));
    if (records.length > 0 && (records.length >= bounds.records || size + bytes.length > bounds.bytes)) {
      yield { records, end: { ...start, row } };
      records = [];
      size = 0;
    }
    records.push({ at: row, arrivedAtMs, bytes, fields });
    size += bytes.length;
    row += 1;
  }
  if (records.length > 0) yield { records, end: { ...start, row } };
}

async function refused(file: FileBytes, { signal, arrivedAtMs, from }: Reading, limits: FormatLimits, why: string): Promise<SourceRecord> {
  return (await excerptOfRest(file, 0, limits, signal)).record(from.row, arrivedAtMs, "bad_parquet", why);
}

async function bytesAt(file: FileBytes, at: number, length: number): Promise<Buffer> {
  invariant(length >= 0 && at >= 0, "a part of a file lies inside of it");
  const bytes = Buffer.allocUnsafeSlow(length);
  await file.fill(bytes, at);
  return bytes;
}

async function textAt(file: FileBytes, at: number, length: number): Promise<string> {
  return (await bytesAt(file, at, length)).toString("latin1");
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
