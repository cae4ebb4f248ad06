import { randomBytes } from "node:crypto";
import { hours } from "../../engine/duration.ts";
import type { Caller } from "./access.ts";

/** Somebody who has logged in with a browser. `signal` fires when the session ends, and with it what was opened in it. */
export interface Session {
  readonly caller: Caller;
  readonly signal: AbortSignal;
}

/** Who has logged in, since the start of this process and for at most twelve hours. */
export interface Sessions {
  /** Begins one. Returns the `Set-Cookie`. */
  begin(caller: Caller, port: number, isSecure: boolean): string;
  /** The session of a request with this `Cookie`; null: none. */
  find(cookie: string | undefined, port: number): Session | null;
  /** Ends the one of this `Cookie`. Returns the `Set-Cookie` that takes it away. */
  end(cookie: string | undefined, port: number): string;
}

const ID_BYTES = 32;
const LAST_MS = hours(12);
const SESSIONS_MAX = 256;

/** Cookies do not know ports: the name does, so that engines on one machine leave each other's alone. `nowMs`: monotonic. */
export function sessions(nowMs: () => number): Sessions {
  const open = new Map<string, { readonly caller: Caller; readonly controller: AbortController; readonly untilMs: number }>();

  const close = (id: string): void => {
    open.get(id)?.controller.abort();
    open.delete(id);
  };

  return {
    begin(caller, port, isSecure) {
      for (const [id, { untilMs }] of open) if (untilMs <= nowMs() || open.size >= SESSIONS_MAX) close(id);
      const id = randomBytes(ID_BYTES).toString("base64url");
      const controller = new AbortController();
      open.set(id, { caller, controller, untilMs: nowMs() + LAST_MS });
      setTimeout(() => close(id), LAST_MS).unref();
      return setCookie(port, id, LAST_MS / 1_000, isSecure);
    },
    find(cookie, port) {
      const session = open.get(idIn(cookie, port));
      if (session === undefined || session.untilMs <= nowMs()) return null;
      return { caller: session.caller, signal: session.controller.signal };
    },
    end(cookie, port) {
      close(idIn(cookie, port));
      return setCookie(port, "", 0, false);
    },
  };
}

function setCookie(port: number, value: string, maxAgeSeconds: number, isSecure: boolean): string {
  return `${nameAt(port)}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}

/** Looked up in a map by 256 random bits: how long that takes tells nothing about the others. */
function idIn(cookie: string | undefined, port: number): string {
  const pairs = (cookie ?? "").split(";").map((pair) => pair.trim().split("=", 2));
  return pairs.find(([name]) => name === nameAt(port))?.[1] ?? "";
}

function nameAt(port: number): string {
  return `gridactor_${port}`;
}
