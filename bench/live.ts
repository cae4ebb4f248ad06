import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Position, SourceId } from "../engine/ids.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import type { Batch, Source } from "../engine/source.ts";
import { benchEngine } from "./bench_engine.ts";
import { readingLine } from "./readings.ts";

/** What `gridactor bench` measures. `readingsPerSecond`: from bytes of JSON to what is stored and flushed, their making included. */
export interface LiveResult {
  readonly actors: number;
  readonly readings: number;
  readonly seconds: number;
  readonly readingsPerSecond: number;
  readonly commitMs: { readonly p50: number; readonly p99: number };
  readonly rssMiB: number;
}

const BATCH_RECORDS = 5_000;
/** 1 June 2027: behind every reading that is made, so that none lies in the future. */
const ARRIVED_AT_MS = Date.UTC(2027, 5, 1);

/** Feeds readings of so many meters to an engine on a store of its own for so long, as fast as it takes them. */
export async function measureLive({ actors, seconds }: { readonly actors: number; readonly seconds: number }): Promise<LiveResult> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  try {
    const store = await openLmdbStore({ dir: join(dir, "state"), limits: DEFAULT_LIMITS });
    const commits: number[] = [];
    let readings = 0;
    let endedAtMs = 0;
    const engine = benchEngine({
      store,
      source: generated(actors, seconds),
      onBatch: ({ records, commitMs }) => {
        readings += records;
        commits.push(commitMs);
        endedAtMs = performance.now();
      },
    });
    const beganAtMs = performance.now();
    await engine.run(new AbortController().signal, 0);
    const tookSeconds = Math.max(0.001, (endedAtMs - beganAtMs) / 1_000);
    await engine.close();
    commits.sort((a, b) => a - b);
    return {
      actors,
      readings,
      seconds: rounded(tookSeconds),
      readingsPerSecond: Math.round(readings / tookSeconds),
      commitMs: { p50: rounded(quantile(commits, 0.5)), p99: rounded(quantile(commits, 0.99)) },
      rssMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const METERS = SourceId("meters");

/** Readings of so many meters in turn, as fast as they are taken, until the time is over. */
export function generated(actors: number, seconds: number): Source {
  return {
    id: METERS,
    async *read(_positions, signal) {
      const untilMs = performance.now() + 1_000 * seconds;
      for (let n = 0; performance.now() < untilMs && !signal.aborted; n += BATCH_RECORDS) yield batchFrom(n, actors);
    },
  };
}

function batchFrom(first: number, actors: number): Batch {
  return {
    origin: "bench/",
    path: null,
    generation: 0,
    records: Array.from({ length: BATCH_RECORDS }, (_, k) => ({
      at: first + k,
      arrivedAtMs: ARRIVED_AT_MS,
      bytes: Buffer.from(readingLine(first + k, actors)),
    })),
    resumeAt: new Map([["", Position(String(first + BATCH_RECORDS))]]),
    idle: false,
  };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function rounded(value: number): number {
  return Math.round(100 * value) / 100;
}
