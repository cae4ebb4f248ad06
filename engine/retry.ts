import type { Clock } from "./clock.ts";
import { seconds } from "./duration.ts";
import { Unavailable } from "./fault.ts";

/** What a retry needs from outside. */
export interface RetryOptions {
  readonly clock: Pick<Clock, "sleep">;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Ends the retrying, also in the middle of a pause. */
  readonly signal: AbortSignal;
  /** Bound of the first pause; it doubles with each failure. Default 250 ms. */
  readonly firstMs?: number;
  /** Bound of every pause. Default 30 s. */
  readonly longestMs?: number;
  /** Told before each pause. */
  readonly onRetry?: (error: Unavailable, pauseMs: number) => void;
}

/**
 * Does `work` until it succeeds, with pauses of full jitter (uniform between nothing and the bound, so that many who failed together do not come
 * back together), or as long as the error asks for. Only `Unavailable` is tried again: anything else is thrown at once. Once `signal` has fired the last `Unavailable` is thrown.
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, firstMs = 250, longestMs = seconds(30), onRetry } = options;
  for (let boundMs = firstMs; ; boundMs *= 2) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unavailable) || signal.aborted) throw error;
      const pauseMs = Math.max(random() * Math.min(boundMs, longestMs), error.waitMs);
      onRetry?.(error, pauseMs);
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
