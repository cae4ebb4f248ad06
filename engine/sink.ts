import type { Emission } from "./emission.ts";
import type { Mark } from "./ids.ts";
import type { RetryOptions } from "./retry.ts";

/** A consumer of the log. It does not decide, count or retry: `drain.ts` does. */
export interface Sink {
  readonly name: string;
  /**
   * Set: the sink needs extents that are the same before and after a crash. An extent is handed over when it holds so many emissions, or so
   * long after its first one was seen; its end is fixed in the store before the write. Absent: whatever is there is written at once.
   */
  readonly extents?: Extents;
  /** Pauses after failures, other than those of `retry.ts`. */
  readonly retry?: Pick<RetryOptions, "firstMs" | "longestMs">;
  /**
   * Takes emissions in sequence. Resolving means durable, and the mark is what it needs to resume. It may be called again with exactly the same
   * emissions (after a crash, or after it threw) and must then leave the same result as once. Throws `Unavailable`.
   */
  write(emissions: readonly Emission[]): Promise<Mark>;
  /**
   * Set: the sink never holds the log up. When the log is full, what the sink lacks of its oldest part is handed over here in place of `write`, to
   * be put aside for good. It may be given what a `write` that failed has taken in part.
   */
  surrender?(emissions: readonly Emission[]): Promise<Mark>;
  /**
   * Set: the sink can send again, out of order, what it once gave up. `bytes` are those of its row in quarantine. Rejects if it is not taken; it may then
   * have been, all the same.
   */
  resend?(letter: { readonly sequence: number; readonly bytes: Uint8Array }): Promise<void>;
  close(): Promise<void>;
}

/** Bounds of an extent: a range of the log that is handed over as one. */
export interface Extents {
  readonly records: number;
  readonly everyMs: number;
}

/** The streams of the log, each with segment files of its own. */
export type Stream = "alerts" | "curated";
