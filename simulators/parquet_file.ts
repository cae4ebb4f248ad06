import { mkdir, rename } from "node:fs/promises";
import { dirname } from "node:path";
import parquet from "parquetjs-lite";
import { dayNumber } from "./calendar.ts";
import { temporaryName } from "./text_file.ts";

/** How a column is stored. `DATE` columns take civil dates `YYYY-MM-DD`. Every column but the required ones may be null. */
export type Column = "UTF8" | "DOUBLE" | "INT32" | "BOOLEAN" | "DATE";

export interface ParquetFileOptions<Row> {
  readonly path: string;
  readonly columns: Readonly<Record<keyof Row & string, Column>>;
  readonly required: readonly (keyof Row & string)[];
}

/**
 * Writes rows to an uncompressed Parquet file, 4,096 to a row group, and gives it its name once it is complete. The same rows give the same
 * bytes: the library's `created_by` is fixed. Resolves to the number of rows.
 */
export async function writeParquetFile<Row extends object>(
  options: ParquetFileOptions<Row>,
  rows: Iterable<Row> | AsyncIterable<Row>,
): Promise<number> {
  const { path, columns, required } = options;
  await mkdir(dirname(path), { recursive: true });
  const types = Object.entries<Column>(columns);
  // Without statistics and page index: the library leaves out parts of them that the format requires, and a reader may trust what is there.
  const fields = types.map(
    ([name, type]) => [name, { type, optional: !required.some((column) => column === name), statistics: false }] as const,
  );
  const schema = new parquet.ParquetSchema(Object.fromEntries(fields));
  let count = 0;
  try {
    const writer = await parquet.ParquetWriter.openFile(schema, temporaryName(path), { pageIndex: false, useDataPageV2: false });
    for await (const row of rows) {
      await writer.appendRow(stored(row, columns));
      count += 1;
    }
    await writer.close();
  } catch (error) {
    throw error instanceof Error ? error : new Error(`${path}: ${String(error)}`); // The library throws bare strings.
  }
  await rename(temporaryName(path), path);
  return count;
}

function stored(row: object, columns: Readonly<Record<string, Column>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, columns[name] === "DATE" && typeof value === "string" ? dayNumber(value) : value]),
  );
}
