import { request } from "node:http";
import type { Asker } from "./asker.ts";
import { CommandError, type ErrorCode } from "./errors.ts";
import { pathOf, requestOf } from "./http/route.ts";
import type { Answer } from "./verb.ts";
import { verbNamed, writeVerbNamed } from "./verbs.ts";
import type { Writer } from "./writer.ts";

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
      const { found, ...reply } = await said(socket, { method: "GET", path: pathOf(verbNamed(name), query) }, signal);
      const value = saidIn(reply);
      return found === null ? { value } : ({ value, found } satisfies Answer);
    },
  };
}

/** Has the daemon that listens on a socket carry out changes. Rejects with UNREACHABLE if none does: a stopped engine is not changed. */
export function socketWriter(socket: string): Writer {
  return {
    async write(name, query, { key }, signal) {
      const { path, body } = requestOf(writeVerbNamed(name), query);
      const sent = { method: "POST", path, body: JSON.stringify(body), key } as const;
      const reply = await said(socket, sent, signal).catch((error: unknown) => {
        if (!(error instanceof NoDaemon)) throw error;
        throw new CommandError("UNREACHABLE", error.message, { hint: "gridactor run: only a running engine is changed", cause: error });
      });
      return { value: saidIn(reply) };
    },
  };
}

/** What an answer says. Throws what it says went wrong. */
function saidIn({ status, text }: Pick<Reply, "status" | "text">): unknown {
  const value: unknown = JSON.parse(text);
  if (status === 200) return value;
  const { code, message, hint, candidates } = (value as Failure).error;
  throw new CommandError(code, message, { hint, candidates });
}

interface Reply {
  readonly status: number;
  readonly found: number | null;
  readonly text: string;
}

interface Said {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
  readonly key?: string | null;
}

function said(socketPath: string, { method, path, body, key = null }: Said, signal: AbortSignal): Promise<Reply> {
  const headers = {
    Host: "socket",
    ...(body === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
    ...(key === null ? {} : { "Idempotency-Key": key }),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      if (signal.aborted) reject(new CommandError("RETRY", "the question was cancelled"));
      else if (error.code === "ENOENT" || error.code === "ECONNREFUSED") reject(new NoDaemon(socketPath, error));
      else reject(new CommandError("RETRY", `the daemon did not answer: ${error.message}`, { cause: error }));
    };
    const sent = request({ socketPath, method, path, headers, signal, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      const found = response.headers["x-found"];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.once("error", fail);
      response.once("end", () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: response.statusCode ?? 500, found: found === undefined ? null : Number(found), text });
      });
    });
    sent.once("error", fail).end(body);
  });
}
