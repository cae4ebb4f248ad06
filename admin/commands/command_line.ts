import type { Command } from "commander";
import type { Config } from "../config_types.ts";
import type { Format, Screen } from "../format.ts";
import type { ProgressBar } from "../progress_bar.ts";
import type { View } from "../reader.ts";
import type { Known } from "../verb.ts";

/** What a command is given by the program it belongs to. */
export interface CommandLine {
  readonly program: Command;
  config(): Promise<Config>;
  /** Opens the state directory to look at it, also while a daemon runs on it, and closes it again. */
  reading(ask: (view: View, known: Known) => Promise<void>): Promise<void>;
  /** Prints an answer in the form that was asked for; `text` makes the one for people. */
  answer(value: unknown, text: (screen: Screen | null) => string): void;
  print(text: string): void;
  /** A line for people beside the answer; nothing with `--quiet`. */
  say(text: string): void;
  form(): Format;
  screen(): Screen | null;
  /** Standard output takes colours. */
  isColored(): boolean;
  /** Rows that an answer may have. */
  limit(): number;
  /** Says on stderr that an answer was cut. */
  cutHint(shown: number, found: number): void;
  /** Asks a person, where there is one. */
  confirm(question: string): Promise<boolean>;
  /** Progress of long work, drawn on a terminal only. */
  bar(what: string): Promise<ProgressBar>;
}

/** Fires at the first Ctrl-C, or when the process is asked to end. */
export function untilStopped(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  return stop.signal;
}
