import { request } from "node:http";
import { createInterface } from "node:readline";
import { CommandError, type ErrorCode } from "./errors.ts";
import { NoDaemon } from "./socket_asker.ts";

interface Failure {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string | null;
    readonly candidates: readonly string[];
  };
}

/**
 * The lines of JSON that a daemon writes as an answer, as they come, until it ends or the signal fires. Throws `NoDaemon` if none listens, and
 * what the daemon says went wrong.
 */
export async function* socketLines(socket: string, path: string, signal: AbortSignal): AsyncGenerator<string, void> {
  const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
    const headers = { Accept: "application/x-ndjson" };
    const asked = request({ socketPath: socket, path, headers, signal }, resolve);
    asked.once("error", (error) => reject(new NoDaemon(socket, error)));
    asked.end();
  });
  const lines = createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY });
  response.on("error", () => lines.close()); // The daemon is gone.
  if (response.statusCode !== 200) {
    const text: string[] = [];
    for await (const line of lines) text.push(line);
    const { code, message, hint, candidates } = (JSON.parse(text.join("\n")) as Failure).error;
    throw new CommandError(code, message, { hint, candidates });
  }
  try {
    yield* lines;
  } catch (error) {
    if (!signal.aborted) throw error; // Nobody listens any more: that is an end.
  }
}
