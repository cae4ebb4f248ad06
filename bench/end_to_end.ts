import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import { storedCursor } from "../engine/sink_cursor.ts";
import { jsonLines } from "../sinks/json_lines.ts";
import { benchEngine } from "./bench_engine.ts";
import { writeReadings } from "./readings.ts";
import { READINGS_FILE, readingsFile } from "./readings_file.ts";
import { measureLatency, measureRows } from "./streams.ts";

// `npm run bench [READINGS]`: drains generated readings from a file to durable state, logged curated rows and alerts on disk, for 1,000 meters and
// for 1,000,000 that report in scattered order. `npm run bench -- streams`: latency to a subscriber, and rows to tables; `-- repl`: what it is like to be asked meanwhile (`asked.ts`). Each case is a process of its own, and measures this machine's JSON.parse over the same bytes too.

export interface Result {
  readonly meters: number;
  readonly readings: number;
  readonly parsePerSecond: number;
  readonly readingsPerSecond: number;
  /** CPU time of all threads, steadier than rates where others work on the machine: of JSON.parse only, and of everything. */
  readonly parseCpuMicros: number;
  readonly cpuMicrosPerReading: number;
  readonly peakMiB: number;
  readonly alerts: number;
}

async function measure(meters: number, readings: number): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  try {
    const path = join(dir, READINGS_FILE);
    writeReadings(path, meters, readings);
    const cpuAtFirst = process.cpuUsage();
    const parseSeconds = parseOnly(path, readings);
    const parseCpuMicros = cpuMicrosSince(cpuAtFirst) / readings;
    const cpuBefore = process.cpuUsage();
    const beganAtMs = performance.now();
    const alerts = await drainAll(dir);
    const seconds = (performance.now() - beganAtMs) / 1_000;
    return {
      meters,
      readings,
      parsePerSecond: readings / parseSeconds,
      readingsPerSecond: readings / seconds,
      parseCpuMicros,
      cpuMicrosPerReading: cpuMicrosSince(cpuBefore) / readings,
      peakMiB: process.resourceUsage().maxRSS / 1_024,
      alerts,
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function cpuMicrosSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Reads the file and parses each line, nothing else: the least any program must do with these bytes. Returns seconds. */
function parseOnly(path: string, readings: number): number {
  const beganAtMs = performance.now();
  const file = openSync(path, "r");
  const chunk = Buffer.allocUnsafe(4 * 2 ** 20);
  let kept = 0;
  let parsed = 0;
  for (
    let read = readSync(file, chunk, kept, chunk.length - kept, null);
    read > 0;
    read = readSync(file, chunk, kept, chunk.length - kept, null)
  ) {
    const end = kept + read;
    let start = 0;
    for (let at = chunk.indexOf(10, start); at >= 0 && at < end; at = chunk.indexOf(10, start)) {
      if ((JSON.parse(chunk.toString("utf8", start, at)) as { reading_kwh: number }).reading_kwh > 0) parsed += 1;
      start = at + 1;
    }
    chunk.copyWithin(0, start, end);
    kept = end - start;
  }
  closeSync(file);
  if (parsed !== readings) throw new Error(`parsed ${parsed} of ${readings}`);
  return (performance.now() - beganAtMs) / 1_000;
}

async function drainAll(dir: string): Promise<number> {
  const store = await openLmdbStore({ dir: join(dir, "state"), limits: DEFAULT_LIMITS });
  const name = "alerts_file";
  const sink = await jsonLines({ name, path: join(dir, "out", "alerts.jsonl"), storeId: store.storeId, cursor: storedCursor(store, name) });
  const engine = benchEngine({ store, source: readingsFile(dir), sinks: [{ sink, stream: "alerts" }] });
  await engine.run(new AbortController().signal, 600_000);
  const alerts = Object.values(engine.world.counters.group("alert")).reduce((sum, count) => sum + count, 0);
  await engine.close();
  if (statSync(join(dir, "out", "alerts.jsonl")).size === 0) throw new Error("no alerts were written");
  return alerts;
}

/** A case in a process of its own, so that its peak memory is its own. */
function inChild(meters: number, readings: number): Result {
  const flags = process.execArgv;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [...flags, fileURLToPath(import.meta.url), String(readings), String(meters)],
    {
      maxBuffer: 2 ** 20,
    },
  );
  if (status !== 0) throw new Error(`the case of ${meters} meters failed: ${stderr}`);
  return JSON.parse(stdout.toString()) as Result;
}

function thousands(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

function row(result: Result): string {
  const { meters, readings, parsePerSecond, readingsPerSecond, parseCpuMicros, cpuMicrosPerReading, peakMiB, alerts } = result;
  const cells = [meters, readings, parsePerSecond, readingsPerSecond].map(thousands);
  return `| ${cells.join(" | ")} | ${(readingsPerSecond / parsePerSecond).toFixed(2)} | ${parseCpuMicros.toFixed(1)} | ${cpuMicrosPerReading.toFixed(1)} | ${thousands(peakMiB)} | ${thousands(alerts)} |`;
}

/** What subscribers and tables get, a line of JSON each. */
async function streams(): Promise<void> {
  process.stdout.write(`${JSON.stringify(await measureLatency(20_000, 20))}\n`);
  process.stdout.write(`${JSON.stringify(await measureRows(500_000))}\n`);
}

const [readingsArgument, metersArgument] = process.argv.slice(2).map(Number);
if (process.argv[2] === "streams") {
  await streams();
} else if (process.argv[2] === "repl") {
  await import("./asked.ts");
} else if (metersArgument !== undefined) {
  process.stdout.write(JSON.stringify(await measure(metersArgument, readingsArgument ?? 0)));
} else {
  const readings = readingsArgument ?? 2_000_000;
  process.stdout.write(`node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}\n`);
  process.stdout.write(
    "| meters | readings | JSON.parse only /s | readings/s | ratio | parse CPU us | CPU us/reading | peak MiB | alerts |\n",
  );
  process.stdout.write("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (const meters of [1_000, 1_000_000]) process.stdout.write(`${row(inChild(meters, readings))}\n`);
}
