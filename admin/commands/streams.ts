import { wallClock } from "../../engine/clock.ts";
import { CommandError } from "../errors.ts";
import { pathOf } from "../http/route.ts";
import { socketPath } from "../http/socket_file.ts";
import { printable } from "../printable.ts";
import { NoDaemon } from "../socket_asker.ts";
import { socketLines } from "../socket_lines.ts";
import type { Answer, Query, Verb } from "../verb.ts";
import { type CommandLine, untilStopped } from "./command_line.ts";

const FOLLOW_EVERY_MS = 1_000;

/** Prints the pieces of an answer as the running daemon tells them. Throws UNREACHABLE where none runs. */
export async function printStream(line: CommandLine, verb: Verb, query: Query): Promise<void> {
  const form = line.form();
  if (form !== "table" && form !== "json" && form !== "jsonl") {
    throw new CommandError("USAGE", `${verb.name} has no form ${form}`, { hint: "--format jsonl" });
  }
  const socket = socketPath((await line.config()).stateDir);
  const stopped = untilStopped();
  try {
    for await (const text of socketLines(socket, pathOf(verb, query), stopped)) {
      line.print(`${form === "table" ? printable(verb.stream?.line(JSON.parse(text)) ?? text) : text}\n`);
    }
  } catch (error) {
    if (stopped.aborted) return; // Ctrl-C: a connection that was cut is no daemon that is missing.
    if (!(error instanceof NoDaemon)) throw error;
    throw new CommandError("UNREACHABLE", error.message, { hint: "gridactor run", cause: error });
  }
}

/** Prints an answer again and again, until Ctrl-C: for programs a line of JSON each. */
export async function printFollowed(line: CommandLine, ask: () => Promise<Answer>, verb: Verb): Promise<void> {
  const signal = untilStopped();
  while (!signal.aborted) {
    const { value } = await ask();
    line.print(line.form() === "table" ? verb.text(value, {}, line.screen()) : `${JSON.stringify(value)}\n`);
    await wallClock.sleep(FOLLOW_EVERY_MS, signal);
  }
}
