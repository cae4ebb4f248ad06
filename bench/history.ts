import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { readFacts } from "../admin/reader.ts";
import { emissionDecoder } from "../engine/emission_codec.ts";
import { History, versionAt } from "../engine/history.ts";
import { ActorId, Position, SourceId } from "../engine/ids.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import { RuleTable } from "../engine/rule_table.ts";
import type { SourceRecord } from "../engine/source.ts";
import type { Store } from "../engine/store.ts";
import { Turn } from "../engine/turn.ts";
import { World } from "../engine/world.ts";

// `node dist/bench/history.js [KEYS]` after a build: KEYS transformers (default 100,000) get five versions each, round after round, through turns
// to durable state; then random ones are read as of random dates, from the store. Prints rates, read times and the peak of memory.

const ROUNDS = 5;
const BATCH_RECORDS = 5_000;
const READS = 20_000;
const SOURCE = SourceId("transformers");

async function load(store: Store, keys: number): Promise<void> {
  const world = new World({ name: "bench", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
  const turn = new Turn(world);
  const intake = { source: SOURCE, feed: "transformer_master", mode: "delta", origin: "live" } as const;
  for (let first = 0; first < keys * ROUNDS; first += BATCH_RECORDS) {
    const count = Math.min(BATCH_RECORDS, keys * ROUNDS - first);
    const records = Array.from({ length: count }, (_, n) => record(first + n, keys));
    const resumeAt = new Map([["", Position(String(first + count))]]);
    await store.commit(turn.run(intake, { origin: "file:bench/", path: "bench.json", generation: 0, records, resumeAt, idle: false }));
    world.trim();
  }
}

function record(n: number, keys: number): SourceRecord {
  const round = Math.floor(n / keys);
  const row = {
    transformer_id: keyOf(n % keys),
    substation_id: `SUB-N-${String((n % keys) >> 1).padStart(3, "0")}`,
    region: "NORTH",
    capacity_mw: 40,
    health_index_score: 90 - round,
    status: "ACTIVE",
    record_effective_date: dateOf(round),
  };
  return { at: n, arrivedAtMs: Date.UTC(2025, 0, 1 + round), bytes: Buffer.from(JSON.stringify(row)) };
}

function keyOf(n: number): string {
  return `TRF-N-${String(n).padStart(7, "0")}`;
}

function dateOf(round: number): string {
  return `202${round}-01-01`;
}

/** Milliseconds of each read, in rising order. */
function timesOf(reads: number, read: (n: number) => void): readonly number[] {
  const times = Array.from({ length: reads }, (_, n) => {
    const beganAtMs = performance.now();
    read(n);
    return performance.now() - beganAtMs;
  });
  return times.sort((a, b) => a - b);
}

function readAsOf(store: Store, keys: number, n: number): void {
  const id = ActorId("transformer", keyOf((Math.imul(n, 0x9e3779b1) >>> 0) % keys));
  const round = n % ROUNDS;
  const view = { store, domain: GRID, decode: emissionDecoder("bench", GRID.tables) };
  const { versions } = new History(id, readFacts(view, id), { untracked: [], ignored: [], ignoreNulls: [] });
  const found = versionAt(versions, `202${round}-07-01`);
  if (found?.values["health_index_score"] !== 90 - round) throw new Error(`${id} has another past`);
}

const keys = Number(process.argv[2] ?? 100_000);
const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
try {
  const store = await openLmdbStore({ dir: join(dir, "state"), limits: DEFAULT_LIMITS });
  const beganAtMs = performance.now();
  const cpuBefore = process.cpuUsage();
  await load(store, keys);
  const seconds = (performance.now() - beganAtMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const cpuMicros = (user + system) / (keys * ROUNDS);
  const times = timesOf(READS, (n) => readAsOf(store, keys, n));
  const at = (share: number): string => `${((times[Math.floor(times.length * share)] ?? 0) * 1_000).toFixed(0)} us`;
  const peakMiB = process.resourceUsage().maxRSS / 1_024;
  process.stdout.write(`node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}\n`);
  const rates = `${Math.round((keys * ROUNDS) / seconds)} facts/s, ${Math.round(cpuMicros)} us of CPU each, peak ${Math.round(peakMiB)} MiB`;
  process.stdout.write(`${keys} keys x ${ROUNDS} versions: ${rates}\n`);
  process.stdout.write(`as of a date, from the store: p50 ${at(0.5)}, p99 ${at(0.99)}\n`);
  await store.close();
} finally {
  rmSync(dir, { recursive: true });
}
