import { bell } from "../engine/bell.ts";
import type { Clock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import type { AlertTail } from "./alert_tail.ts";
import type { AlertFilter, LoggedAlert } from "./alerts.ts";

/** What a reader of the log of alerts is told. `examined`: the number up to which everything that fits has been told. */
export type Told =
  | { readonly type: "alerts"; readonly alerts: readonly LoggedAlert[] }
  | { readonly type: "gap"; readonly requested: number; readonly firstAvailable: number }
  | { readonly type: "heartbeat"; readonly examined: number };

export interface CursorOptions {
  readonly tail: AlertTail;
  readonly filter: AlertFilter;
  /** Inclusive. */
  readonly from: number;
  readonly clock: Clock;
  readonly heartbeatMs?: number;
}

const HEARTBEAT_MS = seconds(15);

/**
 * Reads on for ever, or until the signal fires. A place that is no longer kept is told as a gap, and reading goes on where something is kept; one
 * beyond the end belongs to another log, and is a gap, too. Whoever reads slowly is read for slowly: nothing is queued.
 */
export async function* alertCursor(options: CursorOptions, signal: AbortSignal): AsyncGenerator<Told, void> {
  const { tail, filter, from, clock, heartbeatMs = HEARTBEAT_MS } = options;
  let next = from;
  if (from < tail.firstSequence || from > tail.nextSequence) {
    next = tail.firstSequence;
    yield { type: "gap", requested: from, firstAvailable: next };
  }
  // A thousand of these wake at every event: what they wait on is made once, not for each wait.
  const woken = bell();
  const ended = new AbortController();
  const unhear = tail.onGrown(woken.ring);
  signal.addEventListener("abort", woken.ring);
  let dueMs = clock.now() + heartbeatMs;
  let isArmed = false;
  const arm = (): void => {
    isArmed = true;
    void clock.sleep(dueMs - clock.now(), ended.signal).then(() => {
      if (ended.signal.aborted) return;
      if (clock.now() < dueMs) return arm();
      isArmed = false;
      woken.ring();
    });
  };
  try {
    while (!signal.aborted) {
      const grown = woken.heard(); // Before the page: what is written in between is not slept over.
      const { alerts, examined } = await tail.page(next);
      const first = tail.firstSequence;
      if (next < first) {
        yield { type: "gap", requested: next, firstAvailable: first }; // Cut while it was read: what is here may lack some.
        next = first;
        continue;
      }
      const isEnd = alerts.length === 0;
      next = examined + 1;
      const fitting = alerts.filter(({ event }) => filter(event));
      if (fitting.length > 0) {
        yield { type: "alerts", alerts: fitting };
        dueMs = clock.now() + heartbeatMs;
      }
      if (clock.now() >= dueMs) {
        yield { type: "heartbeat", examined };
        dueMs = clock.now() + heartbeatMs;
      }
      if (!isArmed) arm();
      if (isEnd) await grown;
    }
  } finally {
    ended.abort();
    unhear();
    signal.removeEventListener("abort", woken.ring);
  }
}

/** Resolves with `work`, after `forMs`, or when the signal fires. */
export async function either(work: Promise<unknown>, clock: Clock, forMs: number, signal: AbortSignal): Promise<void> {
  const done = new AbortController();
  try {
    await Promise.race([work, clock.sleep(forMs, AbortSignal.any([signal, done.signal]))]);
  } finally {
    done.abort();
  }
}
