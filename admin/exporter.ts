import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { CommandError } from "./errors.ts";
import type { SaidOfExport, WantedExport } from "./export_process.ts";
import type { StateConfig } from "./state_view.ts";

/** Gives whole tables of a state, in pieces. */
export interface Exporter {
  /** Rejects with `CommandError` before the first piece. The pieces end with an error if the table could not be read to its end. */
  pieces(wanted: Omit<WantedExport, "config">, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

const AT_ONCE_MAX = 4;

/** Reads a state directory in processes of their own, also while an engine writes it. So many tables at once, then RETRY. */
export function exporter(config: StateConfig, atOnceMax: number = AT_ONCE_MAX): Exporter {
  const { name, stateDir, limits, feeds, rules } = config;
  const place: StateConfig = { name, stateDir, limits, feeds, ...(rules === undefined ? {} : { rules }) }; // And nothing else: the rest holds secrets.
  let running = 0;
  return {
    async pieces(wanted, signal) {
      if (running >= atOnceMax) throw new CommandError("RETRY", `${atOnceMax} tables are being exported already`);
      running += 1;
      const child = started();
      const ended = once(child, "exit").then(([code]) => code as number | null);
      void ended.finally(() => {
        running -= 1;
      });
      const end = (): void => void child.kill("SIGKILL");
      signal.addEventListener("abort", end, { once: true });
      child.send({ config: place, ...wanted } satisfies WantedExport);
      const said = await Promise.race([firstWord(child), ended.then((): SaidOfExport | null => null)]);
      if (said === "begun") return piecesOf(child, ended, end);
      end();
      if (said === null)
        throw new CommandError("RETRY", signal.aborted ? "the question was cancelled" : "the export ended before it began");
      throw new CommandError(said.code, said.message, said);
    },
  };
}

async function* piecesOf(child: ChildProcess, ended: Promise<number | null>, end: () => void): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of child.stdout ?? []) yield piece as Uint8Array;
    if ((await ended) !== 0) throw new CommandError("INTERNAL", "the table could not be read to its end");
  } finally {
    end(); // Whoever has stopped reading needs no more of it.
  }
}

function firstWord(child: ChildProcess): Promise<SaidOfExport> {
  return new Promise((resolve) => {
    child.once("message", (said: SaidOfExport) => resolve(said));
  });
}

function started(): ChildProcess {
  const module = fileURLToPath(new URL(import.meta.url)).replace(/exporter(\.[jt]s)$/, "export_process$1");
  return fork(module, { serialization: "advanced", stdio: ["ignore", "pipe", "inherit", "ipc"] });
}
