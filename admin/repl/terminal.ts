import { createInterface, type Interface } from "node:readline";
import { errorText } from "../errors.ts";
import { printable } from "../printable.ts";
import { isYes } from "../yes.ts";
import { type CompletionSources, complete } from "./completer.ts";
import { LINES_MAX, readHistory, writeHistory } from "./line_history.ts";
import type { Outlets, Session } from "./session.ts";

/** A conversation on a terminal. */
export interface TerminalOptions {
  readonly session: Session;
  readonly sources: CompletionSources;
  readonly outlets: Outlets;
  readonly historyFile: string;
  readonly banner: string;
}

const PROMPT = "grid> ";

/** Reads lines until the last one, or the end of input. Ctrl-C ends what a line does, not the conversation. */
export async function converse({ session, sources, outlets, historyFile, banner }: TerminalOptions): Promise<void> {
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    prompt: PROMPT,
    history: readHistory(historyFile),
    historySize: LINES_MAX,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: Error | null, result: [string[], string]) => void) => {
      complete(line, sources).then(
        ({ words, of }) => done(null, [words.length === 1 ? [`${words[0]} `] : [...words], of]),
        (error: Error) => done(error, [[], line]),
      );
    },
  });
  let work: AbortController | null = null;
  lines.on("SIGINT", () => {
    if (work !== null) work.abort();
    else if (lines.line === "") outlets.note("\n\\q ends\n");
    else outlets.note("\n");
    lines.write(null, { ctrl: true, name: "u" }); // The line begun is given up.
    if (work === null) lines.prompt();
  });
  lines.on("history", (history: string[]) => writeHistory(historyFile, history));
  const asking: Outlets = {
    ...outlets,
    confirm: (question) => new Promise((resolve) => lines.question(`${printable(question)} [y/N] `, (said) => resolve(isYes(said)))),
  };
  outlets.note(banner);
  lines.prompt();
  for await (const line of inTurn(lines)) {
    work = new AbortController();
    try {
      if (!(await session.run(line, asking, work.signal))) break;
    } catch (error) {
      if (!work.signal.aborted) outlets.note(errorText(error, { json: false }));
    }
    work = null;
    lines.prompt();
  }
  lines.close();
}

/** One line at a time: those that come meanwhile wait. */
async function* inTurn(lines: Interface): AsyncGenerator<string, void> {
  yield* lines;
}
