import { CommandError } from "./errors.ts";
import { type Query, textOf } from "./verb.ts";

/** Rows that an answer has at most, unless it is asked for more or less. */
export const ROWS_DEFAULT = 100;

/** The limit of a question. Throws USAGE if it is no whole number. */
export function limitOf(query: Query, otherwise: number = ROWS_DEFAULT): number {
  const text = textOf(query, "limit");
  if (text === undefined) return otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CommandError("USAGE", `--limit: "${text}" is no whole number`);
}
