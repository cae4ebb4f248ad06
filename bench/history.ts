import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { valuesThen } from "../admin/history.ts";
import { readActor, type View } from "../admin/reader.ts";
import { emissionDecoder } from "../engine/emission_codec.ts";
import { ActorId, Position, SourceId } from "../engine/ids.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import { RuleTable } from "../engine/rule_table.ts";
import type { SourceRecord } from "../engine/source.ts";
import type { Store } from "../engine/store.ts";
import { Turn } from "../engine/turn.ts";
import { World } from "../engine/world.ts";

// `node dist/bench/history.js [KEYS]` after a build: KEYS transformers (default 100,000) get five versions each, round after round, through turns
// to durable state. Then the store is opened anew, to be read only, and random ones are asked for: as of random dates, and as they are now. Prints
// rates, read times (by the clock, and CPU alone: the clock of a busy machine counts the work of others) and memory after each round: anonymous
// memory is what the process holds, the rest are pages of the mapped file, which the system takes back when it needs them.

const ROUNDS = 5;
const BATCH_RECORDS = 2_000;
const READS = 20_000;
const WARM_READS = 2_000;
const SOURCE = SourceId("transformers");
const HISTORY = GRID.behaviours.find(({ kind }) => kind === "transformer")?.history;

async function load(store: Store, keys: number): Promise<void> {
  const world = new World({ name: "bench", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
  const turn = new Turn(world);
  const intake = { source: SOURCE, feed: "transformer_master", mode: "delta", origin: "live" } as const;
  for (let first = 0; first < keys * ROUNDS; first += BATCH_RECORDS) {
    const count = Math.min(BATCH_RECORDS, keys * ROUNDS - first);
    const records = Array.from({ length: count }, (_, n) => record(first + n, keys));
    const resumeAt = new Map([["", Position(String(first + count))]]);
    const commit = turn.run(intake, { origin: "file:bench/", path: "bench.json", generation: 0, records, resumeAt, idle: false });
    await store.commit(commit);
    turn.reuse(commit);
    world.trim();
    if (Math.floor((first + count) / keys) > Math.floor(first / keys)) say(`  ${(first + count) / keys} versions each: ${memory()}`);
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

/** Anonymous memory and mapped pages, as Linux tells them; elsewhere the resident set. */
function memory(): string {
  const status = process.platform === "linux" ? readFileSync("/proc/self/status", "utf8") : "";
  const mib = (name: string): number => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024);
  if (status === "") return `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB resident`;
  return `${mib("RssAnon")} MiB held, ${mib("RssFile")} MiB of the file mapped`;
}

interface Times {
  readonly clockMicros: readonly number[];
  readonly cpuMicros: readonly number[];
}

/** Microseconds of each read, in rising order. */
function timesOf(read: (n: number) => void): Times {
  for (let n = 0; n < WARM_READS; n += 1) read(READS + n);
  const clockMicros: number[] = [];
  const cpuMicros: number[] = [];
  for (let n = 0; n < READS; n += 1) {
    const cpuBefore = process.cpuUsage();
    const beganAtMs = performance.now();
    read(n);
    clockMicros.push((performance.now() - beganAtMs) * 1_000);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuMicros.push(user + system);
  }
  const rising = (a: number, b: number): number => a - b;
  return { clockMicros: clockMicros.sort(rising), cpuMicros: cpuMicros.sort(rising) };
}

function timesText({ clockMicros, cpuMicros }: Times): string {
  const at = (times: readonly number[], share: number): string => (times[Math.floor(times.length * share)] ?? 0).toFixed(0);
  const both = (share: number): string => `${at(clockMicros, share)} us (CPU ${at(cpuMicros, share)})`;
  return `p50 ${both(0.5)}, p99 ${both(0.99)}`;
}

function randomKey(keys: number, n: number): ActorId {
  return ActorId("transformer", keyOf((Math.imul(n, 0x9e3779b1) >>> 0) % keys));
}

function readAsOf(view: View, keys: number, n: number): void {
  const id = randomKey(keys, n);
  const round = n % ROUNDS;
  if (HISTORY === undefined) throw new Error("transformers have a history");
  const values = valuesThen(view, id, HISTORY, Date.UTC(2020 + round, 6, 1), null);
  if (values?.["health_index_score"] !== 90 - round) throw new Error(`${id} has another past`);
}

function readNow(view: View, keys: number, n: number): void {
  const { id, description } = readActor(view, randomKey(keys, n));
  if (description.attributes["health_index_score"] !== 90 - ROUNDS + 1) throw new Error(`${id} has another present`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const keys = Number(process.argv[2] ?? 100_000);
const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
try {
  const options = { dir: join(dir, "state"), limits: DEFAULT_LIMITS };
  say(`node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, load ${loadavg()[0]?.toFixed(0)}`);
  const store = await openLmdbStore(options);
  const beganAtMs = performance.now();
  const cpuBefore = process.cpuUsage();
  await load(store, keys);
  const seconds = (performance.now() - beganAtMs) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await store.close();
  const facts = keys * ROUNDS;
  say(`${keys} keys x ${ROUNDS} versions: ${Math.round(facts / seconds)} facts/s, ${Math.round((user + system) / facts)} us of CPU each`);
  const reader = await openLmdbStore({ ...options, readOnly: true });
  const view = { store: reader, domain: GRID, decode: emissionDecoder("bench", GRID.tables) };
  const asOf = timesOf((n) => readAsOf(view, keys, n));
  say(`as of a date, from the store: ${timesText(asOf)}`);
  const now = timesOf((n) => readNow(view, keys, n));
  say(`as it is now, from the store: ${timesText(now)}`);
  await reader.close();
} finally {
  rmSync(dir, { recursive: true });
}
