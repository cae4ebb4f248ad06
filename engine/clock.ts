import { setTimeout as wait } from "node:timers/promises";

/** Wall time, for retries and deadlines only: nothing that an actor computes depends on it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `forMs`, or at once when `signal` fires; it never rejects. Infinity waits for the signal. */
  sleep(forMs: number, signal: AbortSignal): Promise<void>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1; // Node fires a longer timer at once.

/** The clock on the wall. */
export const wallClock: Clock = {
  now: () => Date.now(),
  async sleep(forMs, signal) {
    for (let leftMs = forMs; leftMs > 0 && !signal.aborted; leftMs -= LONGEST_TIMER_MS) {
      await wait(Math.min(leftMs, LONGEST_TIMER_MS), undefined, { signal }).catch(() => {});
    }
  },
};

/** A clock that stands still until it is told to move. */
export interface SettableClock extends Clock {
  /** Moves on, and wakes those whose time has come, earliest first. */
  advance(byMs: number): void;
  /** Resolves once at least one sleeper waits. */
  asleep(): Promise<void>;
}

/** The twin of `wallClock` for tests and dry runs. */
export function settableClock(startMs = 0): SettableClock {
  let nowMs = startMs;
  let sleepers: { readonly dueMs: number; readonly wake: () => void }[] = [];
  let watchers: (() => void)[] = [];
  return {
    now: () => nowMs,
    sleep: (forMs, signal) =>
      new Promise((resolve) => {
        if (forMs <= 0 || signal.aborted) return resolve();
        const wake = (): void => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        const sleeper = { dueMs: nowMs + forMs, wake };
        sleepers.push(sleeper);
        signal.addEventListener("abort", wake);
        for (const watcher of watchers) watcher();
        watchers = [];
      }),
    advance(byMs) {
      nowMs += byMs;
      const due = sleepers.filter((sleeper) => sleeper.dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs);
      for (const sleeper of due) sleeper.wake();
    },
    asleep: () => (sleepers.length > 0 ? Promise.resolve() : new Promise((resolve) => watchers.push(resolve))),
  };
}
