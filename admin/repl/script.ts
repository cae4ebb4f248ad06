import { asCommandError, errorText } from "../errors.ts";
import type { Outlets, Session } from "./session.ts";

export interface ScriptOptions {
  /** The first line that fails is the last. */
  readonly isBailing: boolean;
  /** Errors as JSON. */
  readonly isJson: boolean;
}

/** Answers lines one after another. Returns the exit code of the last one that failed, 0 if none did. */
export async function runScript(
  session: Session,
  lines: AsyncIterable<string> | Iterable<string>,
  outlets: Outlets,
  { isBailing, isJson }: ScriptOptions,
): Promise<number> {
  const signal = new AbortController().signal;
  let exit = 0;
  for await (const line of lines) {
    try {
      if (!(await session.run(line, outlets, signal))) break;
    } catch (error) {
      outlets.note(errorText(error, { json: isJson }));
      exit = asCommandError(error).exit;
      if (isBailing) break;
    }
  }
  return exit;
}
