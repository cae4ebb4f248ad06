import type { Clock } from "../../engine/clock.ts";

/** Time that passes only when everything waits for it: ten minutes of a retry cost nothing. */
export interface VirtualClock extends Clock {
  /** Goes to the next sleeper's time and wakes it; of several at one time the first that lay down. False: nobody sleeps. */
  skip(): boolean;
}

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

export function virtualClock(startMs: number): VirtualClock {
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();
  return {
    now: () => nowMs,
    sleep: (forMs, signal) =>
      new Promise((resolve) => {
        if (forMs <= 0 || signal.aborted) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { dueMs: nowMs + forMs, wake };
        sleepers.add(sleeper);
        signal.addEventListener("abort", wake);
      }),
    skip() {
      let first: Sleeper | null = null;
      for (const sleeper of sleepers) if (first === null || sleeper.dueMs < first.dueMs) first = sleeper;
      if (first === null || first.dueMs === Number.POSITIVE_INFINITY) return false;
      nowMs = Math.max(nowMs, first.dueMs);
      first.wake();
      return true;
    },
  };
}
