import { createHash, timingSafeEqual } from "node:crypto";
import { seconds } from "../../engine/duration.ts";
import { Refusal } from "./refusal.ts";

export type Role = "read" | "operate" | "admin";

/** A token and what it allows. `name`: for the audit. */
export interface Token {
  readonly name: string;
  readonly value: string;
  readonly role: Role;
}

export interface AccessOptions {
  readonly tokens: readonly Token[];
  /** Reads need no token. */
  readonly isOpen: boolean;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
}

/** Who asks: the name of a token, or nobody in particular where reads are open. */
export interface Caller {
  readonly name: string | null;
  readonly role: Role;
}

/** Says who may ask. */
export interface Access {
  /** Who a request with this `Authorization` comes from. Throws 401, or 429 after too many wrong tokens. */
  caller(authorization: string | undefined): Caller;
}

const ROLES: readonly Role[] = ["read", "operate", "admin"];

/** The caller's name. Throws 401 for nobody, and 403 for somebody whose token does not allow it. */
export function requireRole({ name, role }: Caller, needed: Role): string {
  if (name === null) throw new Refusal(401, "REFUSED", "a token is needed for what changes something", { headers: CHALLENGE });
  if (!allows({ role }, needed))
    throw new Refusal(403, "REFUSED", `the token ${name} has the role ${role}`, { hint: `a token with the role ${needed}` });
  return name;
}

/** Whether a role is enough for what needs another. */
export function allows({ role }: Pick<Caller, "role">, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

const CHALLENGE = { "WWW-Authenticate": 'Bearer realm="gridactor"' };
const FAILURES_MAX = 20;
const FAILURES_WITHIN_MS = seconds(10);

/** A wrong token is refused also where none is needed: whoever sends it means something by it. The right one is taken whatever others try. */
export function access({ tokens, isOpen, nowMs }: AccessOptions): Access {
  const known = tokens.map((token) => ({ ...token, digest: digestOf(token.value) }));
  let failures = 0;
  let sinceMs = Number.NEGATIVE_INFINITY;

  const refuse = (message: string): Refusal => {
    if (nowMs() - sinceMs > FAILURES_WITHIN_MS) {
      sinceMs = nowMs();
      failures = 0;
    }
    failures += 1;
    if (failures > FAILURES_MAX) return new Refusal(429, "REFUSED", "too many wrong tokens", { headers: { "Retry-After": "10" } });
    const hint = "Authorization: Bearer TOKEN; the token is in admin.token of the state directory, or configured";
    return new Refusal(401, "REFUSED", message, { hint, headers: CHALLENGE });
  };

  return {
    caller(authorization) {
      if (authorization === undefined) {
        if (isOpen) return { name: null, role: "read" };
        throw refuse("a token is needed");
      }
      const [, given = ""] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
      const digest = digestOf(given);
      let caller: Caller | null = null;
      for (const { name, role, digest: right } of known) if (timingSafeEqual(right, digest)) caller = { name, role }; // All are compared, whichever fits.
      if (caller === null) throw refuse("the token is wrong");
      return caller;
    },
  };
}

/** Of one length whatever the token's, which a comparison in constant time needs. */
function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
