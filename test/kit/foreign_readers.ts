import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const READERS = resolve(import.meta.dirname, "../../node_modules/.cache/gridactor-readers/2");

/** What the readers of other projects need and this machine lacks, or null. */
export function readersMissing(): string | null {
  return existsSync(join(READERS, "complete")) ? null : "delta-rs and DuckDB (run test/kit/delta/fetch.sh, which needs Python 3 and pip)";
}

/** What delta-rs and DuckDB find in a table. */
export interface ForeignReading {
  readonly version: number;
  /** `_seq` of every row, in order: by the Delta log, now. */
  readonly delta: readonly number[];
  readonly types: Readonly<Record<string, string>>;
  readonly partitions: readonly string[];
  /** The same as of earlier versions. */
  readonly earlier: Readonly<Record<string, readonly number[]>>;
  /** By the files of the folder. Values that JSON does not know are text. */
  readonly duckdb: { readonly columns: Readonly<Record<string, string>>; readonly rows: readonly (readonly unknown[])[] };
}

/** Reads a table with both. Only where `readersMissing()` is null. */
export function readByOthers(table: string, versions: readonly number[] = []): ForeignReading {
  const script = join(import.meta.dirname, "delta/read.py");
  const text = execFileSync(join(READERS, "bin/python"), [script, table, ...versions.map(String)], { maxBuffer: 1 << 28 });
  return JSON.parse(text.toString()) as ForeignReading;
}
