import { once } from "node:events";
import { type ExportOutlets, exportTable } from "../export.ts";
import { grouped } from "../format.ts";
import type { CommandLine } from "./command_line.ts";

/** `export`: a whole table as a file. */
export function exportCommand({ program, reading, answer, bar }: CommandLine, parquet: ExportOutlets["parquet"]): void {
  program
    .command("export <table>")
    .description("write a table to a file: a kind, a curated table, dim_transformer, dim_customer, history, alerts, quarantine, audit")
    .requiredOption("--to <file>", ".parquet, .csv or .jsonl; - is JSON lines to standard output")
    .option("--as-of <time>", "of each key the version in force then")
    .option("--known-at <time>", "as it was known then")
    .action((table: string, options: { to: string; asOf?: string; knownAt?: string }) =>
      reading(async (view) => {
        const progress = await bar("export");
        const onRows = (rows: number): void => progress.step(rows, null);
        const exported = await exportTable(view, { table, ...options }, { parquet, write: toStdout, onRows }).finally(() => progress.end());
        if (options.to !== "-") answer(exported, () => `${grouped(exported.rows)} rows  ${exported.to}\n`);
      }),
    );
}

async function toStdout(piece: Uint8Array): Promise<void> {
  if (!process.stdout.write(piece)) await once(process.stdout, "drain");
}
