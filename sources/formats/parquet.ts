import { type AsyncBuffer, type FileMetaData, parquetScan, type RowGroup } from "hyparquet";
import { fault } from "../../engine/fault.ts";
import type { SourceRecord } from "../../engine/source.ts";
import { Excerpt, excerptOfRest, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Format, Reading, Slice } from "../format.ts";
import { Group } from "../grouped.ts";
import { CODECS } from "./parquet/codecs.ts";
import { Damage, sound } from "./parquet/damage.ts";
import { footerOf, MAGIC, PARQUET_LIMITS, rangesOf, TRAILER_BYTES } from "./parquet/footer.ts";
import { checkPages } from "./parquet/pages.ts";
import { BadText, type Conversion, conversions, jsonText, PARSERS } from "./parquet/values.ts";

/**
 * Parquet. A record's fields are the top-level columns: INT64 as bigint, DATE and TIMESTAMP (INT96, too) as Date, DECIMAL as text with all its
 * digits; its bytes are the row as JSON. A file is one whole: without its footer it waits; with any damage, the rows from there on are one fault.
 */
export function parquet(limits: FormatLimits): Format {
  return {
    grows: false,
    async *records(file, reading) {
      const pass = new ParquetReading(file, reading, limits);
      try {
        const missing = await pass.whatIsMissing();
        if (missing !== null) return pass.ending("incomplete", missing);
        yield* pass.slices();
        return { type: "complete", at: { offset: file.sizeBytes, row: pass.row, shape: null } };
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        return pass.ending("refused", error);
      }
    },
  };
}

type Columns = ReadonlyMap<string, readonly unknown[]>;

/** One pass over a file, row group by row group. */
class ParquetReading {
  /** The next row. */
  row: number;
  readonly #file: FileBytes;
  readonly #reading: Reading;
  readonly #limits: FormatLimits;

  constructor(file: FileBytes, reading: Reading, limits: FormatLimits) {
    this.row = reading.from.row;
    this.#file = file;
    this.#reading = reading;
    this.#limits = limits;
  }

  /** Null: the file ends as it must. A writer puts the end there last. */
  async whatIsMissing(): Promise<Damage | null> {
    const { sizeBytes } = this.#file;
    if (sizeBytes < MAGIC.length + TRAILER_BYTES) return new Damage("the file is too short");
    const begin = await this.#bytes(0, MAGIC.length);
    const end = await this.#bytes(sizeBytes - MAGIC.length, sizeBytes);
    sound(begin.toString("latin1") === MAGIC, "the file is no Parquet, or encrypted");
    return end.toString("latin1") === MAGIC ? null : new Damage("the file has no footer");
  }

  async ending(type: "incomplete" | "refused", { message }: Damage): Promise<Ending> {
    const { arrivedAtMs, from, signal } = this.#reading;
    const excerpt = await excerptOfRest(this.#file, 0, this.#limits, signal);
    const rest = excerpt.record(this.row, arrivedAtMs, "bad_parquet", message);
    return { type, at: { ...from, row: this.row }, rest };
  }

  async *slices(): AsyncGenerator<Slice, void> {
    const footer = await this.#footer();
    const columns = await decoding(() => this.#columns(footer));
    const group = new Group(this.#reading.bounds);
    const handOver = (): Slice => ({ records: group.take(), end: { offset: 0, row: this.row, shape: null } });
    let behind = 0; // Rows of the groups so far.
    for (const rowGroup of footer.row_groups) {
      const first = behind;
      behind += Number(rowGroup.num_rows);
      if (behind <= this.row) continue;
      const values = await this.#decoded(footer, rowGroup, columns);
      while (this.row < behind) {
        const record = this.#record(values, this.row - first);
        if (!group.hasRoom(record.bytes.length)) yield handOver();
        group.add(record);
        this.row += 1;
      }
      if (!group.isEmpty) yield handOver(); // Rows before damage are used.
    }
  }

  async #footer(): Promise<FileMetaData> {
    const { sizeBytes } = this.#file;
    sound(sizeBytes <= PARQUET_LIMITS.fileMax, `the file has ${sizeBytes} bytes`);
    const trailer = await this.#bytes(sizeBytes - TRAILER_BYTES, sizeBytes);
    const length = trailer.readUInt32LE(0);
    sound(length <= PARQUET_LIMITS.footerMax, `the footer claims ${length} bytes`);
    sound(length <= sizeBytes - TRAILER_BYTES - MAGIC.length, "the footer is longer than the file");
    const bytes = await this.#bytes(sizeBytes - TRAILER_BYTES - length, sizeBytes);
    return decoding(() => footerOf(bytes, sizeBytes));
  }

  #columns(footer: FileMetaData): ReadonlyMap<string, Conversion> {
    const columns = conversions(footer);
    const count = footer.schema[0]?.num_children ?? 0;
    sound(columns.size === count, "two columns have the same name");
    sound(count <= this.#limits.csvColumnsMax, `there are ${count} columns`);
    for (const name of ["__proto__", "constructor", "prototype"]) sound(!columns.has(name), "a column has a name that is not allowed");
    return columns;
  }

  async #decoded(footer: FileMetaData, rowGroup: RowGroup, columns: ReadonlyMap<string, Conversion>): Promise<Columns> {
    const decoded = new Map<string, readonly unknown[]>();
    for (const [name, convert] of columns) {
      this.#reading.signal.throwIfAborted();
      const file = await this.#columnBytes(rowGroup, name);
      decoded.set(name, await decoding(() => columnOf(file, footer, rowGroup, name, convert)));
    }
    return decoded;
  }

  /** The part of the file that holds a column of the group, checked, at the offsets it has in the file. */
  async #columnBytes(rowGroup: RowGroup, name: string): Promise<AsyncBuffer> {
    const ranges = rangesOf(rowGroup);
    const parts = rowGroup.columns.flatMap(({ meta_data: column }, n) => {
      const range = ranges[n];
      return column?.path_in_schema[0] === name && range !== undefined ? [{ column, range }] : [];
    });
    sound(parts.length > 0, "a column of the schema is not in a row group");
    const begin = Math.min(...parts.map(({ range }) => range.begin));
    const end = Math.max(...parts.map(({ range }) => range.end));
    sound(end - begin <= PARQUET_LIMITS.rowGroupMax, `a column of the schema has ${end - begin} bytes`);
    const bytes = await this.#bytes(begin, end);
    await decoding(() => {
      for (const { column, range } of parts) checkPages(bytes.subarray(range.begin - begin, range.end - begin), column);
    });
    const slice = (from: number, to = end): ArrayBuffer => {
      sound(from >= begin && to <= end, "a column reaches beyond its bytes");
      return copyOf(bytes.subarray(from - begin, to - begin));
    };
    return { byteLength: this.#file.sizeBytes, slice };
  }

  #record(columns: Columns, index: number): SourceRecord {
    const { arrivedAtMs } = this.#reading;
    const fields: Record<string, unknown> = {};
    let isText = true;
    for (const [name, values] of columns) {
      const value = values[index];
      if (value instanceof BadText) isText = false;
      fields[name] = value;
    }
    const record = { at: this.row, arrivedAtMs, bytes: Buffer.from(jsonText(fields)) };
    if (record.bytes.length > this.#limits.recordBytesMax) {
      const excerpt = new Excerpt(this.#limits);
      excerpt.add(record.bytes);
      return excerpt.record(this.row, arrivedAtMs, "too_large", "the row is larger than a record may be");
    }
    return isText ? { ...record, fields } : { ...record, fault: fault("bad_encoding", "a text is not UTF-8") };
  }

  async #bytes(from: number, to: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(to - from);
    await this.#file.fill(bytes, from);
    return bytes;
  }
}

/** Decodes a column of a group. */
async function columnOf(
  file: AsyncBuffer,
  footer: FileMetaData,
  rowGroup: RowGroup,
  name: string,
  convert: Conversion,
): Promise<readonly unknown[]> {
  const rows = Number(rowGroup.num_rows);
  const metadata = { ...footer, row_groups: [rowGroup], num_rows: rowGroup.num_rows };
  const scan = await parquetScan({
    file,
    metadata,
    columns: [name],
    compressors: CODECS,
    parsers: PARSERS,
    utf8: false,
    useOffsetIndex: false,
  });
  const data = await scan.readColumn({ column: name, rowStart: 0, rowEnd: rows });
  sound(data.length === rows, "a column does not have the rows of its group");
  return Array.from<unknown, unknown>(data, (value) => {
    const converted = convert(value);
    sound(converted !== undefined, "a value is not in the dictionary of its column"); // A null is null.
    return converted;
  });
}

/** Whatever the library makes of damaged bytes is damage: it has them all in memory, and nothing else can fail. */
async function decoding<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof Damage ? error : new Damage(error instanceof Error ? error.message : String(error));
  }
}

function copyOf(bytes: Buffer): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
