import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";

/** An action of a Delta log, as far as tests look at it. */
export interface DeltaAction {
  readonly protocol?: object;
  readonly metaData?: {
    readonly id: string;
    readonly schemaString: string;
    readonly partitionColumns: readonly string[];
    readonly configuration: object;
  };
  readonly add?: {
    readonly path: string;
    readonly partitionValues: { readonly date: string };
    readonly size: number;
    readonly modificationTime: number;
    readonly dataChange: boolean;
    readonly stats: string;
  };
  readonly txn?: { readonly appId: string; readonly version: number };
}

/** The entries of a table's Delta log, in order of their names; none if there is no table. */
export async function deltaEntries(table: string): Promise<readonly (readonly DeltaAction[])[]> {
  const folder = join(table, "_delta_log");
  const names = await readdir(folder).catch(() => []);
  const texts = await Promise.all(
    names
      .filter((name) => /^\d{20}\.json$/.test(name))
      .sort()
      .map((name) => readFile(join(folder, name), "utf8")),
  );
  return texts.map((text) =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as DeltaAction),
  );
}

/** The rows of a table as a reader of its log sees them, in order of `_seq`, each with the `date` of its partition. */
export async function deltaRows(table: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const added = (await deltaEntries(table)).flat().flatMap(({ add }) => (add === undefined ? [] : [add]));
  const parts = await Promise.all(
    added.map(async ({ path, partitionValues }) => {
      const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(table, path)) });
      return rows.map((row) => ({ ...row, date: partitionValues.date }));
    }),
  );
  return parts.flat().sort((a, b) => sequenceOf(a) - sequenceOf(b));
}

/** `_seq` of a row. */
export function sequenceOf(row: Readonly<Record<string, unknown>>): number {
  return Number(row["_seq"]);
}
