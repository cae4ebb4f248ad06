import { seconds } from "../engine/duration.ts";

/** How late timers of this process are: what all of its work together holds it up. */
export interface LoopDelay {
  /** The latest measure. */
  readonly lastMs: number;
  stop(): void;
}

const EVERY_MS = seconds(0.5);

/** Measures twice a second; `observe` is told each time. */
export function measureLoopDelay(observe: (delayMs: number) => void): LoopDelay {
  let lastMs = 0;
  let dueMs = performance.now() + EVERY_MS;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    lastMs = Math.max(0, nowMs - dueMs);
    dueMs = nowMs + EVERY_MS;
    observe(lastMs);
  }, EVERY_MS).unref();
  return {
    get lastMs() {
      return lastMs;
    },
    stop: () => clearInterval(timer),
  };
}
