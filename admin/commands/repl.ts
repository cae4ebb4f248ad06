import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { wallClock } from "../../engine/clock.ts";
import type { Asker } from "../asker.ts";
import type { Config } from "../config_types.ts";
import { CommandError } from "../errors.ts";
import type { Format, Screen } from "../format.ts";
import { socketPath } from "../http/socket_file.ts";
import type { CompletionSources } from "../repl/completer.ts";
import { historyPath } from "../repl/line_history.ts";
import { runScript } from "../repl/script.ts";
import { type Outlets, Session } from "../repl/session.ts";
import { converse } from "../repl/terminal.ts";
import { socketWriter } from "../socket_asker.ts";
import { isRunning, stateAsker } from "../state_asker.ts";
import { storedWords } from "../stored_words.ts";
import type { Known } from "../verb.ts";

/** What the program gives to the command. */
export interface ReplCommandOptions {
  readonly program: Command;
  readonly version: string;
  readonly config: () => Config;
  /** The grid, for completion. */
  readonly grid: Pick<Known["view"]["domain"], "behaviours" | "feeds">;
  readonly rules: readonly string[];
  readonly flags: () => { readonly format: Format; readonly limit: number; readonly isQuiet: boolean };
  readonly screen: () => Screen | null;
}

interface ReplFlags {
  readonly c?: readonly string[];
  readonly f?: string;
  readonly bail?: boolean;
  readonly write?: boolean;
}

/** `repl`: questions line by line, on a terminal, from the command line, a file or standard input. */
export function replCommand(options: ReplCommandOptions): void {
  const { program, version, config, screen } = options;
  program
    .command("repl")
    .description("ask line by line, with completion; lines can also come from -c, a file or standard input")
    .option("-c <line>", "answer this line (may be repeated)", (line: string, before: readonly string[] = []) => [...before, line])
    .option("-f <file>", "answer the lines of a file; # begins a comment")
    .option("--write", "lines may change the state of the running engine")
    .option("--bail", "stop at the first line that fails")
    .action(async ({ c, f, bail = false, write = false }: ReplFlags) => {
      const { format, limit, isQuiet } = options.flags();
      const state = config();
      const asker = stateAsker(state);
      const writer = write ? socketWriter(socketPath(state.stateDir)) : null;
      const session = new Session({ asker, writer, clock: wallClock, screen, format, limit, cwd: process.cwd() });
      const outlets: Outlets = {
        out: (text) => void process.stdout.write(text),
        note: (text) => void process.stderr.write(text),
      };
      if (c === undefined && f === undefined && process.stdin.isTTY) {
        const where = `${state.stateDir} (${isRunning(state) ? "running" : "stopped"})`;
        const banner = isQuiet ? "" : `gridactor ${version} · ${where} · ${write ? "writing" : "read-only"} · help, Tab, \\q\n`;
        return converse({ session, sources: sourcesOf(options, asker), outlets, historyFile: historyPath(process.env), banner });
      }
      const lines = c ?? createInterface({ input: f === undefined ? process.stdin : await opened(f), crlfDelay: Number.POSITIVE_INFINITY });
      process.exitCode = await runScript(session, lines, outlets, { isBailing: bail, isJson: format === "json" });
    });
}

function sourcesOf({ grid, rules }: ReplCommandOptions, asker: Asker): CompletionSources {
  return {
    kinds: grid.behaviours.map(({ kind }) => kind),
    feeds: grid.feeds.map(({ name }) => name),
    rules,
    stored: storedWords(() => asker),
  };
}

async function opened(file: string): Promise<NodeJS.ReadableStream> {
  const stream = createReadStream(file);
  await new Promise((resolve, reject) => {
    stream.once("open", resolve);
    stream.once("error", (error: NodeJS.ErrnoException) => reject(new CommandError("USAGE", `cannot read ${file}: ${error.code}`)));
  });
  return stream;
}
