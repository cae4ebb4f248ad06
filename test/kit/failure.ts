import * as assert from "uvu/assert";
import { CommandError } from "../../admin/errors.ts";

/** The `CommandError` that `body` throws. Anything else, or nothing, fails the test. */
export function failure(body: () => unknown): CommandError {
  try {
    body();
  } catch (error) {
    return commandError(error);
  }
  assert.unreachable("a command error was expected");
  throw new Error("unreachable");
}

/** The same for a promise. */
export async function failureOf(answer: Promise<unknown>): Promise<CommandError> {
  const [result] = await Promise.allSettled([answer]);
  assert.is(result?.status, "rejected");
  return commandError(result?.status === "rejected" ? result.reason : null);
}

function commandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  throw error;
}
