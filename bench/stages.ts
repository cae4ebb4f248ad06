import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { GRID } from "../actors/registry.ts";
import { RULES } from "../actors/rules.ts";
import { decode } from "../engine/decode.ts";
import { DEFAULT_LIMITS } from "../engine/limits.ts";
import { openLmdbStore } from "../engine/lmdb_store.ts";
import { RuleTable } from "../engine/rule_table.ts";
import { firstSchema } from "../engine/schema.ts";
import type { WorldOptions } from "../engine/world.ts";
import { World } from "../engine/world.ts";
import { benchEngine } from "./bench_engine.ts";
import { writeReadings } from "./readings.ts";
import { READINGS_FILE, readingsFile } from "./readings_file.ts";

// Parts of `npm run bench -- --report`, each in a process of its own, which prints one line of JSON: `stages.js stages|restart|puts …`.

/** Microseconds a reading takes in each stage, one after another. `storing` includes `disk`. */
export interface Stages {
  readonly cutting: number;
  readonly decoding: number;
  readonly turn: number;
  readonly storing: number;
  readonly disk: number;
  readonly readings: number;
  /** Records that were refused because there were as many actors as there may be. */
  readonly refused: number;
  readonly actors: number;
}

/** Opening a state that is on disk. */
export interface Restart {
  readonly actors: number;
  readonly readyMs: number;
  /** CPU of all threads in that time: what it is where nobody else works. */
  readonly readyCpuMs: number;
  /** Anonymous memory, before and after. */
  readonly bytesPerActor: number;
}

const PUT_BYTES = 200;
const PUTS_A_TRANSACTION = 20_000;

/** Reads a file of so many readings, decodes it, and drains it into `dir`, which keeps the state. `actorsMax`: the limit of actors. */
export async function measureStages(dir: string, meters: number, readings: number, actorsMax: number): Promise<Stages> {
  writeReadings(join(dir, READINGS_FILE), meters, readings);
  const feed = GRID.feeds.find(({ name }) => name === "smart_meter");
  if (feed === undefined) throw new Error("the grid has meters");
  const schema = firstSchema(feed);
  let cuttingMs = 0;
  let decodingMs = 0;
  let beganMs = performance.now();
  for await (const { records } of readingsFile(dir).read(new Map(), new AbortController().signal)) {
    const cutMs = performance.now();
    cuttingMs += cutMs - beganMs;
    for (const record of records) if ("code" in decode(feed, record, schema, DEFAULT_LIMITS)) throw new Error("a reading is refused");
    beganMs = performance.now();
    decodingMs += beganMs - cutMs;
  }
  const store = await openLmdbStore({ dir: join(dir, "state"), limits: DEFAULT_LIMITS });
  let turnMs = 0;
  let storingMs = 0;
  let diskMs = 0;
  const engine = benchEngine({
    store,
    source: readingsFile(dir),
    limits: { ...DEFAULT_LIMITS, actors: actorsMax },
    onBatch(batch) {
      turnMs += batch.turnMs;
      storingMs += batch.commitMs;
      diskMs += batch.diskMs;
    },
  });
  await engine.run(new AbortController().signal, 60_000);
  const refused = engine.world.counters.group("quarantine smart_meter")["actor_limit"] ?? 0;
  const actors = engine.world.actorCount;
  await engine.close();
  const micros = (ms: number): number => (ms * 1_000) / readings;
  return {
    cutting: micros(cuttingMs),
    decoding: micros(decodingMs),
    turn: micros(turnMs) - micros(decodingMs),
    storing: micros(storingMs),
    disk: micros(diskMs),
    readings,
    refused,
    actors,
  };
}

/** Opens what `measureStages` has left behind. */
export async function measureRestart(dir: string, actorsMax: number): Promise<Restart> {
  const beforeBytes = process.memoryUsage().rss;
  const cpuBefore = process.cpuUsage();
  const beganMs = performance.now();
  const store = await openLmdbStore({ dir: join(dir, "state"), limits: DEFAULT_LIMITS });
  const world = new World(options(actorsMax), store);
  const readyMs = performance.now() - beganMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  const actors = world.actorCount;
  const bytesPerActor = (process.memoryUsage().rss - beforeBytes) / actors;
  await store.close();
  return { actors, readyMs, readyCpuMs: (user + system) / 1_000, bytesPerActor };
}

/** How many small values LMDB alone stores in a second, flushed transaction by transaction, under keys in order. */
export async function measurePuts(count: number): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "gridactor-bench-"));
  try {
    const table = open<Buffer, Buffer>({ path: join(dir, "data.mdb"), keyEncoding: "binary", encoding: "binary", compression: false });
    const value = Buffer.alloc(PUT_BYTES, 7);
    const beganMs = performance.now();
    for (let first = 0; first < count; first += PUTS_A_TRANSACTION) {
      table.transactionSync(() => {
        for (let n = first; n < Math.min(count, first + PUTS_A_TRANSACTION); n += 1) {
          const key = Buffer.alloc(8);
          key.writeUInt32BE(n, 4);
          void table.put(key, value);
        }
      });
      await table.flushed;
    }
    const seconds = (performance.now() - beganMs) / 1_000;
    await table.close();
    return count / seconds;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function options(actorsMax: number): WorldOptions {
  return { name: "bench", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: { ...DEFAULT_LIMITS, actors: actorsMax } };
}

const [what, first = "", ...rest] = process.argv.slice(2);
const [meters = 0, readings = 0, actorsMax = DEFAULT_LIMITS.actors] = rest.map(Number);
if (what === "stages") process.stdout.write(JSON.stringify(await measureStages(first, meters, readings, actorsMax)));
if (what === "restart") process.stdout.write(JSON.stringify(await measureRestart(first, meters)));
if (what === "puts") process.stdout.write(JSON.stringify(await measurePuts(Number(first))));
