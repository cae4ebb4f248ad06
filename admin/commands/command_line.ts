import type { Command } from "commander";
import type { Screen } from "../format.ts";
import type { View } from "../reader.ts";

/** What a command is given by the program it belongs to. */
export interface CommandLine {
  readonly program: Command;
  /** Opens the state directory to look at it, also while a daemon runs on it, and closes it again. */
  reading(ask: (view: View) => Promise<void>): Promise<void>;
  /** Prints an answer in the form that was asked for; `text` makes the one for people. */
  answer(value: unknown, text: (screen: Screen | null) => string): void;
  /** Rows that an answer may have. */
  limit(): number;
  /** Says on stderr that an answer was cut. */
  cutHint(shown: number, found: number): void;
}
