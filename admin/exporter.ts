import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CommandError } from "./errors.ts";
import type { SaidOfExport, WantedExport } from "./export_process.ts";
import type { StateConfig } from "./state_view.ts";

/** Gives whole tables of a state, in pieces. */
export interface Exporter {
  /** Rejects with `CommandError` before the first piece. The pieces end with an error if the table could not be read to its end. */
  pieces(wanted: Omit<WantedExport, "config">, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** What tests and others may set: how many at once, and what starts a process that takes a `WantedExport` and says a `SaidOfExport`. */
export interface ExporterOptions {
  readonly atOnceMax?: number;
  readonly start?: () => ChildProcess;
}

const AT_ONCE_MAX = 4;

/** Reads a state directory in processes of their own, also while an engine writes it. So many tables at once, then RETRY; also where no process can be had. */
export function exporter(config: StateConfig, { atOnceMax = AT_ONCE_MAX, start = started }: ExporterOptions = {}): Exporter {
  const { name, stateDir, limits, feeds, rules } = config;
  const place: StateConfig = { name, stateDir, limits, feeds, ...(rules === undefined ? {} : { rules }) }; // And nothing else: the rest holds secrets.
  let running = 0;
  return {
    async pieces(wanted, signal) {
      if (running >= atOnceMax) throw new CommandError("RETRY", `${atOnceMax} tables are being exported already`);
      const child = begun(start);
      running += 1;
      const ended = endOf(child);
      void ended.then(() => {
        running -= 1;
      });
      const end = (): void => void child.kill("SIGKILL");
      signal.addEventListener("abort", end, { once: true });
      const word = firstWord(child);
      ask(child, { config: place, ...wanted }, end);
      const said = await Promise.race([word, ended]);
      if (said === "begun") return piecesOf(child, ended, end);
      end();
      if (isEnd(said)) throw notBegun(said, signal);
      throw new CommandError(said.code, said.message, said);
    },
  };
}

/** How a process has ended: with a code, by a signal (null), or by not having begun. */
interface End {
  readonly code: number | null;
  readonly failure: Error | null;
}

function begun(start: () => ChildProcess): ChildProcess {
  try {
    return start();
  } catch (error) {
    throw new CommandError("RETRY", "no process can be started for the export", { cause: error });
  }
}

/** Never rejects. A process that has not begun has no exit: its error is its end; any other error comes before an exit. */
function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve({ code, failure: null }));
    child.on("error", (failure) => {
      if (child.pid === undefined) resolve({ code: null, failure });
    });
  });
}

/** Whoever cannot be told what is wanted is of no use. */
function ask(child: ChildProcess, wanted: WantedExport, end: () => void): void {
  if (child.pid === undefined) return; // Its error is on its way.
  child.send(wanted, (error) => {
    if (error !== null) end();
  });
}

function isEnd(said: SaidOfExport | End): said is End {
  return typeof said === "object" && "failure" in said;
}

function notBegun({ failure }: End, signal: AbortSignal): CommandError {
  if (failure !== null) return new CommandError("RETRY", "no process can be started for the export", { cause: failure });
  return new CommandError("RETRY", signal.aborted ? "the question was cancelled" : "the export ended before it began");
}

async function* piecesOf(child: ChildProcess, ended: Promise<End>, end: () => void): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of child.stdout ?? []) yield piece as Uint8Array;
    if ((await ended).code !== 0) throw new CommandError("INTERNAL", "the table could not be read to its end");
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
