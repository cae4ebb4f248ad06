import type { FileMetaData, RowGroup } from "hyparquet";
import { fault } from "../../engine/fault.ts";
import type { SourceRecord } from "../../engine/source.ts";
import { Excerpt, excerptOfRest, type FormatLimits } from "../excerpt.ts";
import type { Ending, FileBytes, Format, Reading, Slice } from "../format.ts";
import { Group } from "../grouped.ts";
import { Damage, sound } from "./parquet/damage.ts";
import { Decoder } from "./parquet/decoder.ts";
import { footerOf, MAGIC, type Range, rangesOf, TRAILER_BYTES } from "./parquet/footer.ts";
import { PARQUET_LIMITS } from "./parquet/limits.ts";
import { topLevel } from "./parquet/schema.ts";
import { jsonText } from "./parquet/values.ts";

/**
 * Parquet. A record's fields are the top-level columns: INT64 as bigint, DATE and TIMESTAMP (INT96, too) as Date, DECIMAL as text with all its
 * digits; its bytes are the row as JSON. A file is one whole: without its footer it waits; with any damage, the rows from there on are one fault.
 */
export function parquet(limits: FormatLimits, decoder = new Decoder()): Format {
  return {
    grows: false,
    async *records(file, reading) {
      const pass = new ParquetReading(file, reading, limits, decoder);
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

/** The columns of a row group by name, and the rows that have a text which is none. */
interface Columns {
  readonly values: ReadonlyMap<string, readonly unknown[]>;
  readonly badRows: ReadonlySet<number>;
}

/** One pass over a file, row group by row group. */
class ParquetReading {
  /** The next row. */
  row: number;
  readonly #file: FileBytes;
  readonly #reading: Reading;
  readonly #limits: FormatLimits;
  readonly #decoder: Decoder;

  constructor(file: FileBytes, reading: Reading, limits: FormatLimits, decoder: Decoder) {
    this.row = reading.from.row;
    this.#file = file;
    this.#reading = reading;
    this.#limits = limits;
    this.#decoder = decoder;
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
    const names = topLevel(footer).map(({ name }) => name);
    this.#checkNames(names);
    const group = new Group(this.#reading.bounds);
    const handOver = (): Slice => ({ records: group.take(), end: { offset: 0, row: this.row, shape: null } });
    let behind = 0; // Rows of the groups so far.
    for (const rowGroup of footer.row_groups) {
      const first = behind;
      behind += Number(rowGroup.num_rows);
      if (behind <= this.row) continue;
      const columns = await this.#columns({ ...footer, num_rows: rowGroup.num_rows, row_groups: [rowGroup] }, rowGroup, names);
      while (this.row < behind) {
        const record = this.#record(columns, this.row - first);
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
    return footerOf(await this.#bytes(sizeBytes - TRAILER_BYTES - length, sizeBytes), sizeBytes);
  }

  #checkNames(names: readonly string[]): void {
    sound(new Set(names).size === names.length, "two columns have the same name");
    sound(names.length <= this.#limits.csvColumnsMax, `there are ${names.length} columns`);
    for (const name of ["__proto__", "constructor", "prototype"]) sound(!names.includes(name), "a column has a name that is not allowed");
  }

  async #columns(footer: FileMetaData, rowGroup: RowGroup, names: readonly string[]): Promise<Columns> {
    const decoded = new Map<string, readonly unknown[]>();
    const bad = new Set<number>();
    for (const name of names) {
      const { begin, end } = spanOf(rowGroup, name);
      const bytes = await this.#bytes(begin, end);
      const { values, badRows } = await this.#unlessStopped(this.#decoder.decode({ footer, name, begin, bytes }));
      decoded.set(name, values);
      for (const row of badRows) bad.add(row);
    }
    return { values: decoded, badRows: bad };
  }

  /** The thread may take longer than the process has. */
  async #unlessStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#reading;
    signal.throwIfAborted();
    let stop = (): void => {};
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
    });
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await Promise.race([work, stopped]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  #record(columns: Columns, index: number): SourceRecord {
    const { arrivedAtMs } = this.#reading;
    const fields: Record<string, unknown> = {};
    for (const [name, values] of columns.values) fields[name] = values[index];
    const record = { at: this.row, arrivedAtMs, bytes: Buffer.from(jsonText(fields)) };
    if (record.bytes.length > this.#limits.recordBytesMax) {
      const excerpt = new Excerpt(this.#limits);
      excerpt.add(record.bytes);
      return excerpt.record(this.row, arrivedAtMs, "too_large", "the row is larger than a record may be");
    }
    if (columns.badRows.has(index)) return { ...record, fault: fault("bad_encoding", "a text is not UTF-8") };
    return { ...record, fields };
  }

  async #bytes(from: number, to: number): Promise<Buffer<ArrayBuffer>> {
    const bytes = Buffer.allocUnsafeSlow(to - from); // Of its own: it may go over to another thread.
    await this.#file.fill(bytes, from);
    return bytes;
  }
}

/** Where the parts of a top-level column are in the file. */
function spanOf(rowGroup: RowGroup, name: string): Range {
  const ranges = rangesOf(rowGroup).filter((_, n) => rowGroup.columns[n]?.meta_data?.path_in_schema[0] === name);
  sound(ranges.length > 0, "a column of the schema is not in a row group");
  const begin = Math.min(...ranges.map((range) => range.begin));
  const end = Math.max(...ranges.map((range) => range.end));
  sound(end - begin <= PARQUET_LIMITS.rowGroupMax, `a column of the schema has ${end - begin} bytes`);
  return { begin, end };
}
