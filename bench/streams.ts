import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GRID } from "../actors/registry.ts";
import type { CellValue, Emission } from "../engine/emission.ts";
import { ActorId } from "../engine/ids.ts";
import { NO_CURSOR } from "../engine/sink_cursor.ts";
import { parquet } from "../sinks/parquet.ts";

/** From the arrival of a reading in the engine to a subscriber, in milliseconds. */
export interface Latency {
  readonly readingsPerSecond: number;
  readonly events: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How fast rows become tables. */
export interface RowRate {
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly cpuMicrosPerRow: number;
}

const MAIN = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "../main.ts" : "../main.js", import.meta.url));
/** Readings a second. */
const SOURCE_RATE_MAX = 10_000;
const WARM_UP_MS = 5_000;

/**
 * Runs the engine on live readings of a rate, in step with the wall clock: a reading's event time is its arrival. Server-sent events of spikes are taken on its
 * socket by this process, and their times compared.
 */
export async function measureLatency(readingsPerSecond: number, seconds: number): Promise<Latency> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  // Each makes as many as one may.
  const count = Math.ceil(readingsPerSecond / SOURCE_RATE_MAX);
  const sources = Array.from({ length: count }, (_, n) => {
    const rate = readingsPerSecond / count;
    return `meters_${n}: { feed: smart_meter, type: simulator, profile: meters, rate: ${rate}, seed: ${42 + n}, clock: wall }`;
  });
  const yaml = ["version: 1", "admin: { http: false }", `sources: { ${sources.join(", ")} }`, "sinks: {}"];
  writeFileSync(join(dir, "gridactor.yaml"), yaml.join("\n"));
  const engine = spawn(process.execPath, [...process.execArgv, MAIN, "run", "--config", join(dir, "gridactor.yaml")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(engine, "close");
  try {
    await ready(engine.stderr);
    const response = await subscribed(join(dir, "state/admin.sock"));
    const beganAtMs = Date.now();
    const latencies: number[] = [];
    let rest = "";
    for await (const piece of response.setEncoding("utf8") as AsyncIterable<string>) {
      const nowMs = Date.now();
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = line.startsWith('data: {"specversion"') ? (JSON.parse(line.slice(6)) as { time: string; type: string }) : null;
        if (event?.type === "energy.alert.raised.v1" && nowMs - beganAtMs > WARM_UP_MS) latencies.push(nowMs - Date.parse(event.time));
      }
      if (nowMs - beganAtMs > WARM_UP_MS + seconds * 1_000) break;
    }
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
    return { readingsPerSecond, events: latencies.length, p50Ms: at(0.5), p99Ms: at(0.99) };
  } finally {
    engine.kill("SIGINT");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Resolves when the engine says so. Its stderr is read to the end: it must not write to a closed pipe. */
function ready(stderr: NodeJS.ReadableStream): Promise<void> {
  let text = "";
  return new Promise((resolve, reject) => {
    stderr.on("data", (piece: Buffer) => {
      text = (text + piece.toString()).slice(-10_000);
      if (text.includes("engine.ready")) resolve();
    });
    stderr.once("end", () => reject(new Error(`the engine has ended: ${text}`)));
  });
}

function subscribed(socketPath: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/v1/alerts/stream?rule=meter.spike" }, resolve).once("error", reject).end();
  });
}

const EXTENT_ROWS = 50_000;

/** Writes rows of readings as the sink of tables does, whole extents, durable. */
export async function measureRows(rows: number): Promise<RowRate> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  try {
    const sink = await parquet({ name: "curated", path: join(dir, "curated"), storeId: "bench", cursor: NO_CURSOR, tables: GRID.tables });
    const cpuBefore = process.cpuUsage();
    const beganAtMs = performance.now();
    for (let from = 1; from <= rows; from += EXTENT_ROWS) {
      await sink.write(Array.from({ length: Math.min(EXTENT_ROWS, rows + 1 - from) }, (_, n) => row(from + n)));
    }
    const seconds = (performance.now() - beganAtMs) / 1_000;
    const { user, system } = process.cpuUsage(cpuBefore);
    await sink.close();
    return { rows, rowsPerSecond: rows / seconds, cpuMicrosPerRow: (user + system) / rows };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const COLUMNS = GRID.tables.find(({ name }) => name === "meter_readings")?.columns ?? [];
const DAY_AT_MS = Date.UTC(2025, 5, 15);

/** A row of a reading, every cell filled. */
function row(sequence: number): Emission {
  const meter = `SM-N-${String(sequence % 1_000).padStart(5, "0")}`;
  const cells: Record<string, CellValue> = {};
  for (const [name, { type }] of COLUMNS)
    cells[name] =
      type === "string"
        ? `${name} ${sequence % 50}`
        : type === "boolean"
          ? false
          : type === "date"
            ? "2025-06-15"
            : type === "timestamp"
              ? DAY_AT_MS + sequence
              : type === "double"
                ? (sequence % 997) / 10
                : sequence % 997;
  return {
    stream: "curated",
    sequence,
    row: {
      table: "meter_readings",
      rowId: `row-${sequence}`,
      amends: null,
      actor: ActorId("meter", meter),
      source: "meters:smart_meter_stream.json",
      position: `file:9f2c/${sequence}`,
      arrivedAtMs: DAY_AT_MS + sequence,
      date: "2025-06-15",
      rescued: null,
      schemaVersion: 1,
      late: false,
      rules: null,
      cells,
    },
  };
}
