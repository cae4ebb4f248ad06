import { setTimeout as sleep } from "node:timers/promises";
import { type LiveMessage, liveMessages, type Profile } from "./live.ts";
import { openTarget } from "./target.ts";

export interface SimulateOptions {
  readonly profile: Profile;
  /** How long to send; 0 = without end. */
  readonly seconds: number;
  /** Messages per second. */
  readonly rate: number;
  readonly seed: number;
  readonly scale: number;
  /** A target's address, see `openTarget`. */
  readonly to: string;
  /** Ends the stream cleanly: what was due is sent. */
  readonly signal: AbortSignal;
  /** Paces the stream; the wall clock unless given. */
  readonly clock?: Pacer;
}

/** Time as the simulator sees it. */
export interface Pacer {
  /** Whole milliseconds since 1970. */
  nowMs(): number;
  /** Resolves after `ms`, or at once when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * Sends a live stream that begins now, each message when it is due; a target that is too slow gets them late, never fewer. Resolves when the
 * time is over, the signal aborts or nobody reads any more, with the number of messages sent. Throws `TargetInvalid`, `TargetUnavailable`, or a
 * RangeError for options out of range.
 */
export async function simulate({
  seconds,
  to,
  signal,
  clock = WALL_CLOCK,
  ...options
}: SimulateOptions): Promise<{ readonly sent: number }> {
  if (!(seconds >= 0)) throw new RangeError("seconds: 0 or more");
  const startAtMs = clock.nowMs();
  const endAtMs = seconds === 0 ? Number.POSITIVE_INFINITY : startAtMs + seconds * 1_000;
  const messages = liveMessages({ ...options, startAtMs });
  const target = await openTarget(to, options.profile);
  try {
    let sent = 0;
    for await (const batch of paced(messages, endAtMs, clock, signal)) {
      if ((await target.send(batch)) === "closed") break;
      sent += batch.length;
    }
    return { sent };
  } finally {
    await target.close();
  }
}

const BATCH_MAX = 500;

const WALL_CLOCK: Pacer = {
  nowMs: () => Date.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
};

/** All messages that are due, as soon as they are. */
async function* paced(
  messages: Iterable<LiveMessage>,
  endAtMs: number,
  clock: Pacer,
  signal: AbortSignal,
): AsyncGenerator<readonly LiveMessage[]> {
  let due: LiveMessage[] = [];
  for (const message of messages) {
    const waitMs = message.atMs - clock.nowMs();
    const isLast = message.atMs >= endAtMs || signal.aborted;
    if (due.length > 0 && (waitMs > 0 || isLast || due.length >= BATCH_MAX)) {
      yield due;
      due = [];
    }
    if (isLast) return;
    if (waitMs > 0) await clock.wait(waitMs, signal);
    if (signal.aborted) return;
    due.push(message);
  }
}
