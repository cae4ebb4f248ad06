// timeout: 240 s
import { rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Summary } from "../../admin/summary.ts";
import { writeReadings } from "../../bench/readings.ts";
import { wallClock } from "../../engine/clock.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { alertLines, type GridFolder, gridactor, type Running, run } from "../kit/grid_folder.ts";
import { measured, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("signals");

const METERS = 2_000;
const READINGS = 12_000;
/** What a store says that finds another one's work. */
const FENCED = /fenced off|nobody else has|the store has failed/; // The last: what was asked of it after that.
/** On a machine that others use as well; on a quiet one it is 5 s. From 15 s on the process gives up, with 75. */
const STOP_WITHIN_MS = 14_000;
const WAIT_MS = 5_000;

const folders: string[] = [];
const started: Running[] = [];
test.after(async () => {
  for (const child of started) child.kill("SIGKILL"); // Where a test failed.
  for (const folder of folders) await removeFolder(folder);
});

test("SIGTERM in the middle of a full load ends soon and with 0, and what is read afterwards repeats and loses nothing", async () => {
  const folder = await newFolder();
  const expected = await drained(await newFolder());
  for (let stops = 0; stops < 2; stops += 1) {
    const child = start(folder);
    const before = await linesOf(folder);
    await grown(folder, before + 50, child); // It is under full load: alerts flow.
    const beganMs = performance.now();
    child.kill("SIGTERM");
    const { code, stderr } = await child.ended;
    const tookMs = performance.now() - beganMs;
    measured(`SIGTERM under load: ${Math.round(tookMs)} ms`);
    assert.is(code, 0, stderr);
    assert.ok(tookMs < STOP_WITHIN_MS, `${tookMs} ms`);
  }
  const actual = await drained(folder);
  assert.equal(actual, expected);
});

test("a daemon that stands still holds its directory; taken over by force it is fenced off when it goes on, and the state has everything once", async () => {
  const folder = await newFolder();
  const expected = await drained(await newFolder());
  const first = start(folder);
  await grown(folder, 50, first);
  process.kill(first.pid, "SIGSTOP");
  const refused = await run(["run", "--drain", "--json"], folder);
  assert.is(refused.code, 75, refused.stderr);
  rmSync(join(folder.state, "lock"));
  const second = run(["run", "--drain", "--json"], folder);
  // If it was stopped in the middle of a transaction the second waits for it to go on: LMDB has a lock of its own.
  await Promise.race([second, wallClock.sleep(WAIT_MS, new AbortController().signal)]);
  process.kill(first.pid, "SIGCONT");
  const { code, stderr } = await first.ended;
  assert.is(code, 70, stderr);
  assert.ok(FENCED.test(stderr), stderr);
  const taken = await second;
  assert.is(taken.code, 0, taken.stderr);
  assert.is((JSON.parse(taken.stdout) as Summary).digest, expected.digest); // Of the outputs nothing is said: two have written to them at once.
});

test("control: a daemon that stood still, and whose directory nobody took, goes on to the end", async () => {
  const folder = await newFolder();
  const first = start(folder);
  await grown(folder, 50, first);
  const before = await linesOf(folder);
  process.kill(first.pid, "SIGSTOP");
  process.kill(first.pid, "SIGCONT");
  await grown(folder, before + 50, first);
  first.kill("SIGTERM");
  assert.is((await first.ended).code, 0);
});

interface Outcome {
  readonly digest: string;
  readonly alerts: readonly string[];
  readonly rows: readonly unknown[];
}

async function drained(folder: GridFolder): Promise<Outcome> {
  const { code, stdout, stderr } = await run(["run", "--drain", "--json"], folder);
  assert.is(code, 0, stderr);
  const rows = (await deltaRows(join(folder.curated, "meter_readings"))).map((row) => row["_row_id"]).sort();
  return { digest: (JSON.parse(stdout) as Summary).digest, alerts: (await alertLines(folder)).map(({ id }) => id), rows };
}

function start(folder: GridFolder): Running {
  const child = gridactor(["run", "--json"], folder);
  started.push(child);
  return child;
}

/** Resolves once the file of alerts has so many lines; rejects if the process ends before. */
async function grown(folder: GridFolder, lines: number, { ended }: Running): Promise<void> {
  let early: string | null = null;
  void ended.then(({ code, stderr }) => {
    early = `${code}: ${stderr}`;
  });
  while ((await linesOf(folder)) < lines) if (early !== null) throw new Error(`the daemon ended early: ${early}`);
}

async function linesOf({ alerts }: GridFolder): Promise<number> {
  return (await readFile(alerts, "utf8").catch(() => "")).split("\n").length - 1;
}

async function newFolder(): Promise<GridFolder> {
  const path = await newTempFolder();
  folders.push(path);
  writeReadings(join(path, "readings.json"), METERS, READINGS);
  const config = join(path, "gridactor.yaml");
  const yaml = [
    "version: 1",
    "admin: { http: false }",
    `sources: { meters: { feed: smart_meter, type: landing, location: ${path}, include: [readings.json], format: jsonl, settle: 0s } }`,
    "sinks:",
    "  curated: { type: parquet, stream: curated, path: out/curated, rows: 20000, every: 1s }",
    "  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }",
    "batch: { records: 100 }",
  ];
  writeFileSync(config, yaml.join("\n"));
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}
