import { request } from "node:http";
import type { Asker } from "./asker.ts";
import { CommandError, type ErrorCode } from "./errors.ts";
import { pathOf } from "./http/route.ts";
import type { Answer } from "./verb.ts";
import { verbNamed } from "./verbs.ts";

/** No daemon listens on the socket. */
export class NoDaemon extends Error {
  constructor(socket: string, cause: unknown) {
    super(`no daemon answers on ${socket}`, { cause });
    this.name = "NoDaemon";
  }
}

interface Failure {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    readonly hint: string | null;
    readonly candidates: readonly string[];
  };
}

/** Asks the daemon that listens on a socket. Rejects with `NoDaemon` if none does. */
export function socketAsker(socket: string): Asker {
  return {
    async ask(name, query, signal) {
      const { status, found, text } = await get(socket, pathOf(verbNamed(name), query), signal);
      const value: unknown = JSON.parse(text);
      if (status === 200) return found === null ? { value } : ({ value, found } satisfies Answer);
      const { code, message, hint, candidates } = (value as Failure).error;
      throw new CommandError(code, message, { hint, candidates });
    },
  };
}

interface Reply {
  readonly status: number;
  readonly found: number | null;
  readonly text: string;
}

function get(socketPath: string, path: string, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      if (signal.aborted) reject(new CommandError("RETRY", "the question was cancelled"));
      else if (error.code === "ENOENT" || error.code === "ECONNREFUSED") reject(new NoDaemon(socketPath, error));
      else reject(new CommandError("RETRY", `the daemon did not answer: ${error.message}`, { cause: error }));
    };
    const sent = request({ socketPath, path, headers: { Host: "socket" }, signal, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      const found = response.headers["x-found"];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.once("error", fail);
      response.once("end", () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode ?? 500, found: found === undefined ? null : Number(found), text });
      });
    });
    sent.once("error", fail).end();
  });
}
