import { isMainThread, workerData } from "node:worker_threads";
import { seconds } from "../engine/duration.ts";
import { startThread } from "../engine/thread.ts";

/** What a watchdog looks at. */
export interface Watched {
  /** How long the batch at work has been under way; 0: none is. */
  readonly busyMs: () => number;
  /** How long the loop may stand still, or one batch take. */
  readonly afterMs?: number;
}

export interface Watchdog {
  stop(): Promise<void>;
}

/** Shared by both threads: how often the loop has turned, and how long the batch at work has been under way. */
type Beats = Int32Array<SharedArrayBuffer>;
const TURNS = 0;
const BUSY_MS = 1;

interface Task {
  readonly isWatchdog: true;
  readonly beats: Beats;
  readonly afterMs: number;
}

const BEAT_MS = seconds(1);
const AFTER_MS = seconds(30);

/**
 * Kills this process when its loop stands still, or a batch hangs in the disk: what is stored is sound, and a restart is the recovery. A thread of its
 * own counts its own seconds, so that a machine that sleeps, or a process that is stopped and goes on, is no reason.
 */
export function watchdog({ busyMs, afterMs = AFTER_MS }: Watched): Watchdog {
  const beats: Beats = new Int32Array(new SharedArrayBuffer(8));
  const beat = (): void => {
    Atomics.add(beats, TURNS, 1);
    Atomics.store(beats, BUSY_MS, Math.min(busyMs(), 2 ** 31 - 1));
  };
  const timer = setInterval(beat, Math.min(BEAT_MS, afterMs / 4)).unref();
  const task: Task = { isWatchdog: true, beats, afterMs };
  const thread = startThread(import.meta.url, task);
  thread.unref();
  return {
    async stop() {
      clearInterval(timer);
      await thread.terminate();
    },
  };
}

/** Runs in the thread, to the end of the process. */
function watch({ beats, afterMs }: Task): void {
  const everyMs = Math.min(BEAT_MS, afterMs / 4);
  let turns = -1;
  let stillMs = 0;
  setInterval(() => {
    const now = Atomics.load(beats, TURNS);
    stillMs = now === turns ? stillMs + everyMs : 0;
    turns = now;
    if (stillMs >= afterMs || Atomics.load(beats, BUSY_MS) >= afterMs) process.kill(process.pid, "SIGKILL");
  }, everyMs);
}

if (!isMainThread && isTask(workerData)) watch(workerData);

function isTask(data: unknown): data is Task {
  return typeof data === "object" && data !== null && "isWatchdog" in data;
}
