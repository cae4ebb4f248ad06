import { randomBytes } from "node:crypto";
import { seconds } from "../../engine/duration.ts";
import type { Caller } from "./access.ts";

/** What a stream is opened with where neither header nor cookie can be sent: good once, and for half a minute, so that it may stand in an address. */
export interface Tickets {
  /** Makes one. */
  issue(holder: Holder): { readonly ticket: string; readonly expiresInSeconds: number };
  /** Who has got a ticket, which is used up by it; null: there is no such ticket, or its time is over. */
  redeem(ticket: string): Holder | null;
}

/** Who has got a ticket; `signal` fires when the session ends in which that was, null if it was in none. */
export interface Holder {
  readonly caller: Caller;
  readonly signal: AbortSignal | null;
}

const LAST_MS = seconds(30);
const TICKETS_MAX = 1_024;
const TICKET_BYTES = 32;

/** `nowMs`: monotonic. Beyond so many the oldest ones are no longer good. */
export function tickets(nowMs: () => number): Tickets {
  const open = new Map<string, { readonly holder: Holder; readonly untilMs: number }>();
  return {
    issue(holder) {
      for (const [ticket, { untilMs }] of open) if (untilMs <= nowMs() || open.size >= TICKETS_MAX) open.delete(ticket);
      const ticket = randomBytes(TICKET_BYTES).toString("base64url");
      open.set(ticket, { holder, untilMs: nowMs() + LAST_MS });
      return { ticket, expiresInSeconds: LAST_MS / 1_000 };
    },
    redeem(ticket) {
      const found = open.get(ticket);
      open.delete(ticket);
      return found === undefined || found.untilMs <= nowMs() ? null : found.holder;
    },
  };
}
