/** Why a record went to quarantine: a closed list, used by every document, table and answer. */
export const FAULT_CODES = [
  "too_large",
  "bad_encoding",
  "bad_json",
  "bad_csv",
  "bad_parquet",
  "truncated",
  "limit_depth",
  "limit_keys",
  "limit_array",
  "limit_string",
  "forbidden_key",
  "not_an_object",
  "missing_field",
  "bad_type",
  "out_of_range",
  "bad_id",
  "bad_time",
  "bad_operation",
  "bad_lsn",
  "bad_interval",
  "hop_limit",
  "future_event",
  "orphan_before",
  "bad_envelope",
  "overwritten_file",
  "shrunk_file",
  "snapshot_shrunk",
  "handler_error",
  "actor_limit",
  "crash_loop",
  "dead_letter",
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

/** Bad data. Committed to quarantine with its bytes and position, so that reading moves on. `error` is a sentence for people. */
export interface Fault {
  readonly code: FaultCode;
  readonly field: string | null;
  readonly error: string;
}

/** Makes a fault; `field` names the column it lies in, if it lies in one. */
export function fault(code: FaultCode, error: string, field: string | null = null): Fault {
  return { code, field, error };
}

/** An outage: something outside did not answer. Only `retry.ts` tries again, after `waitMs` at the earliest. `what` names the thing for people. */
export class Unavailable extends Error {
  readonly what: string;
  readonly waitMs: number;
  constructor(what: string, cause: unknown, waitMs = 0) {
    super(`${what} is unavailable: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = "Unavailable";
    this.what = what;
    this.waitMs = waitMs;
  }
}

/** Turns a rejection of `work` into `Unavailable`. */
export async function orUnavailable<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof Unavailable || error instanceof BrokenInvariant ? error : new Unavailable(what, error);
  }
}

/** A bug. It ends the process: restarting is the recovery. */
export class BrokenInvariant extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BrokenInvariant";
  }
}

/** States what must be true. Throws `BrokenInvariant` when it is not. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message);
}
