// timeout: 3600 s
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { FileItem } from "../../admin/files.ts";
import type { Summary } from "../../admin/summary.ts";
import { wallClock } from "../../engine/clock.ts";
import { type GridFolder, gridactor, run } from "../kit/grid_folder.ts";
import { notRun, suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

/** `LARGE_FILE_GB=5` is the whole exercise, and takes a few minutes and as much disk. */
const BYTES = Number(process.env["LARGE_FILE_GB"] ?? 0.2) * 1e9;
const RECORD_BYTES = 20_000;
const METERS = 500;
/** What an engine takes beside what it holds of the file: code, store, states, buffers. */
const MOST_MIB = 700;
const START_MS = Date.UTC(2025, 5, 15);
const LOOK_EVERY_MS = 5;

const test = suite("a file larger than the memory of the engine");
const title = `${BYTES / 1e9} GB are read in bounded memory, and a kill in the middle repeats and loses no record`;

test(title, () =>
  existsSync("/proc/self/io")
    ? inTempFolder(async (path) => {
        await mkdir(join(path, "in"));
        const records = await writeReadings(join(path, "in", "readings.json"));
        const folder = await configured(path);

        const first = await watched(folder, BYTES * 1.5); // It reads a file once to know it, and then again.
        assert.is(first.code, null, "killed");
        const [half] = await files(folder);
        assert.is(half?.state, "processing");
        assert.ok((half?.rows ?? 0) > 0 && (half?.rows ?? 0) < records, `${half?.rows}`);

        const second = await watched(folder, Number.POSITIVE_INFINITY);
        assert.is(second.code, 0, second.stderr);
        const { feeds } = JSON.parse(second.stdout) as Summary;
        assert.equal(feeds["smart_meter"], { ...NOTHING, read: records - (half?.rows ?? 0), accepted: records - (half?.rows ?? 0) });
        const [whole] = await files(folder);
        assert.equal([whole?.state, whole?.rows, whole?.faults], ["committed", records, 0]);
        const { stdout } = await run(["--json", "top", "meter", "--by", "records", "--limit", String(METERS)], folder);
        const counts = (JSON.parse(stdout) as readonly { readonly value: number }[]).map(({ value }) => value);
        assert.is(
          counts.reduce((sum, count) => sum + count, 0),
          records,
        );

        const mostMib = Math.max(first.mostMib, second.mostMib);
        process.stdout.write(`${BYTES / 1e9} GB, ${records} records: at most ${mostMib} MiB, ${second.seconds} s from the middle on `);
        assert.ok(mostMib < MOST_MIB, `${mostMib} MiB`);
      })
    : Promise.resolve(notRun(title, "Linux, which tells what a process reads")),
);

const NOTHING = { read: 0, accepted: 0, duplicates: 0, late: 0, quarantined: 0 };

/** Readings, each with a column of much text that nobody wants. Resolves with how many. */
async function writeReadings(path: string): Promise<number> {
  const count = Math.ceil(BYTES / RECORD_BYTES);
  const file = await open(path, "w");
  for (let n = 0; n < count; n += 100) {
    const lines = Array.from({ length: Math.min(100, count - n) }, (_, k) => lineOf(n + k));
    await file.write(lines.join(""));
  }
  await file.close();
  return count;
}

function lineOf(n: number): string {
  const reading = {
    event_id: `E-${n}`,
    meter_id: `SM-N-${String(n % METERS).padStart(5, "0")}`,
    timestamp: new Date(START_MS + n * 1_000).toISOString(),
    reading_kwh: 1 + (n % 7) / 10,
  };
  const text = JSON.stringify(reading);
  return `${text.slice(0, -1)},"unwanted":"${"x".repeat(RECORD_BYTES - text.length - 15)}"}\n`;
}

async function configured(path: string): Promise<GridFolder> {
  const config = join(path, "gridactor.yaml");
  await writeFile(
    config,
    `version: 1
admin: { http: false }
sources: { meters: { feed: smart_meter, type: landing, location: in, include: ["*.json"], format: jsonl } }
feeds: { smart_meter: { schemaEvolution: { mode: none } } }
`,
  );
  return { path, config, state: join(path, "state"), alerts: "", curated: "" };
}

async function files(folder: GridFolder): Promise<readonly FileItem[]> {
  return JSON.parse((await run(["--json", "files"], folder)).stdout) as readonly FileItem[];
}

/** Drains, looks at the process meanwhile, and kills it once it has read so many bytes and a part of the file is surely stored. */
async function watched(folder: GridFolder, killAtBytes: number) {
  const beganAtMs = performance.now();
  const drain = gridactor(["run", "--drain", "--json"], folder);
  const over = new AbortController();
  void drain.ended.then(() => over.abort());
  let mostMib = 0;
  let loggedBytes = 0;
  while (!over.signal.aborted) {
    mostMib = Math.max(mostMib, Math.round(numberIn(drain.pid, "status", /VmHWM:\s*(\d+)/) / 1_024));
    const bytes = logBytes(folder);
    const isStored = loggedBytes > 0 && bytes > loggedBytes; // The log grows before its commit, and again only after it.
    if (isStored && numberIn(drain.pid, "io", /rchar: (\d+)/) > killAtBytes) drain.kill("SIGKILL");
    loggedBytes ||= bytes;
    await wallClock.sleep(LOOK_EVERY_MS, over.signal); // Between two looks; nothing waits for this.
  }
  const ending = await drain.ended;
  return { ...ending, mostMib, seconds: Math.round((performance.now() - beganAtMs) / 1_000) };
}

/** Bytes of the log of rows; 0: there is none yet. */
function logBytes({ state }: GridFolder): number {
  if (!existsSync(state)) return 0;
  const segments = readdirSync(state).filter((name) => name.startsWith("curated-"));
  return segments.reduce((sum, name) => sum + statSync(join(state, name)).size, 0);
}

/** A number that the system says of a process; 0: the process has ended. */
function numberIn(pid: number, name: string, pattern: RegExp): number {
  try {
    return Number(pattern.exec(readFileSync(`/proc/${pid}/${name}`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
