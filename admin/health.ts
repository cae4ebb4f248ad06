import { statfs } from "node:fs/promises";
import { seconds } from "../engine/duration.ts";
import type { Phase } from "../engine/engine.ts";

/** What health is told from. */
export interface HealthFacts {
  readonly phase: () => Phase;
  /** How long the batch at work has been under way; 0: none is. */
  readonly busyMs: () => number;
  readonly loopDelayMs: () => number;
  /** `source partition` that is read no more until the next start. */
  readonly stopped: () => readonly string[];
  readonly stateDir: string;
  readonly freeDiskBytesMin: number;
}

/** One thing that must be well. */
export interface HealthPart {
  readonly part: string;
  readonly ok: boolean;
}

export interface Health {
  readonly live: () => boolean;
  readonly ready: () => Promise<readonly HealthPart[]>;
  readonly phase: () => Phase;
}

const LOOP_DELAY_MAX_MS = seconds(2);
const BUSY_MAX_MS = seconds(10);

/** Alive: the loop turns. Ready: it also stores what comes, from all of its sources, and has room for it. Names no key, path or secret. */
export function health({ phase, busyMs, loopDelayMs, stopped, stateDir, freeDiskBytesMin }: HealthFacts): Health {
  return {
    live: () => loopDelayMs() < LOOP_DELAY_MAX_MS,
    phase,
    ready: async () => [
      { part: "running", ok: phase() === "running" },
      { part: "commits", ok: busyMs() < BUSY_MAX_MS },
      { part: "sources", ok: stopped().length === 0 },
      { part: "disk", ok: (await freeBytes(stateDir)) >= freeDiskBytesMin },
    ],
  };
}

/** Free space for this user where a folder lies. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
