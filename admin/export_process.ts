import { once } from "node:events";
import { setPriority } from "node:os";
import { asCommandError, type ErrorCode } from "./errors.ts";
import { type EXPORT_FORMS, exportedPieces } from "./export.ts";
import type { ExportTimes } from "./export_tables.ts";
import { type StateConfig, withState } from "./state_view.ts";

// Runs as a process of its own, started by `exporter.ts` for one table, which it writes to its standard output: the engine is not held up.

/** What is wanted. */
export interface WantedExport {
  readonly config: StateConfig;
  readonly table: string;
  readonly form: (typeof EXPORT_FORMS)[number];
  readonly times: ExportTimes;
}

/** What is said of it: once before the first piece, or instead of it. */
export type SaidOfExport =
  | "begun"
  | { readonly code: ErrorCode; readonly message: string; readonly hint: string | null; readonly candidates: readonly string[] };

const PRIORITY = 5; // The engine goes first.

async function written({ config, table, form, times }: WantedExport): Promise<void> {
  await withState(config, async ({ view }) => {
    const pieces = exportedPieces(view, table, form, times);
    process.send?.("begun" satisfies SaidOfExport);
    for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, "drain");
  });
}

if (process.send !== undefined) {
  setPriority(PRIORITY);
  process.once("message", (wanted: WantedExport) => {
    written(wanted).then(
      () => process.disconnect(),
      (error: unknown) => {
        const { code, message, hint, candidates } = asCommandError(error);
        process.exitCode = 1;
        process.send?.({ code, message, hint, candidates } satisfies SaidOfExport, () => process.disconnect());
      },
    );
  });
  process.stdout.on("error", () => process.exit(1)); // Nobody reads any more.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {}); // Ctrl-C reaches the whole group; the engine decides.
}
