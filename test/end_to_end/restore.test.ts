// timeout: 240 s
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readingLine } from "../../bench/readings.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { deltaRows, sequenceOf } from "../kit/delta_reader.ts";
import { alertLines, DATA, type GridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

// The way of an operator: a backup, more records, the state is put back, and the engine goes on over outputs that are ahead of it.
const test = suite("restore on the command line");

const METERS = 40;
const READINGS_A_FILE = 200;
const LOGS = "maintenance_logs_2025_04.csv";

/** A folder with landing places for readings and logs, and a sink of each type that promises each emission once. */
async function newFolder(path: string): Promise<GridFolder> {
  for (const name of ["landing", "logs"]) await mkdir(join(path, name));
  const config = join(path, "gridactor.yaml");
  const lines = [
    "version: 1",
    "state: ./state",
    "admin: { http: false }",
    "sources:",
    `  meters: { feed: smart_meter, type: landing, location: ${join(path, "landing")}, include: ["*.json"], format: jsonl, settle: 0s }`,
    `  logs: { feed: maintenance, type: landing, stage: 1, location: ${join(path, "logs")}, include: ["*.csv"], format: csv, settle: 0s }`,
    "sinks:",
    "  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }",
    "  rows: { type: jsonl, stream: curated, path: out/rows.jsonl }",
    "  tables: { type: parquet, stream: curated, path: out/curated, rows: 50, every: 30s }",
    "batch: { records: 60 }",
  ];
  await writeFile(config, `${lines.join("\n")}\n`);
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}

/** Brings the n-th file of readings, from 0. */
async function bring({ path }: GridFolder, n: number): Promise<void> {
  const lines = Array.from({ length: READINGS_A_FILE }, (_, k) => `${readingLine(n * READINGS_A_FILE + k, METERS)}\n`);
  await writeFile(join(path, "landing/.new"), lines.join(""));
  await rename(join(path, "landing/.new"), join(path, `landing/${n}.json`));
}

async function done(args: readonly string[], folder: GridFolder): Promise<string> {
  const { code, stdout, stderr } = await run(args, folder);
  assert.is(code, 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** What all sinks hold, in the order in which they hold it. */
interface Held {
  readonly alerts: readonly AlertEvent[];
  readonly rows: readonly (readonly [sequence: number, eventId: string])[];
  readonly tables: readonly (readonly [sequence: number, eventId: string])[];
}

async function held(folder: GridFolder): Promise<Held> {
  const lines = (await readFile(join(folder.path, "out/rows.jsonl"), "utf8")).split("\n").filter((line) => line !== "");
  const rows = lines.map((line): Readonly<Record<string, unknown>> => JSON.parse(line));
  const numbered = (row: Readonly<Record<string, unknown>>) => [sequenceOf(row), String(row["event_id"])] as const;
  return {
    alerts: await alertLines(folder),
    rows: rows.filter((row) => row["table"] === "meter_readings").map(numbered),
    tables: (await deltaRows(join(folder.curated, "meter_readings"))).map(numbered),
  };
}

test("after a restore files and tables hold each alert and each row once, whatever they held beyond the backup, and though it comes again under other numbers", () =>
  inTempFolder(async (path) => {
    const folder = await newFolder(path);
    await bring(folder, 0);
    await done(["run", "--drain"], folder);
    await done(["backup", join(path, "copy")], folder);
    await bring(folder, 1);
    await done(["run", "--drain"], folder);
    const before = await held(folder);
    assert.equal(eventIds(before.rows), expectedIds(2));
    assert.equal(before.tables, before.rows);

    assert.is((await run(["restore", join(path, "copy")], folder)).code, 78, "a state is there");
    await done(["restore", join(path, "copy"), "--force"], folder);
    await copyFile(join(DATA, "maintenance_csv", LOGS), join(path, "logs", LOGS)); // It is read first, so that all that comes again gets other numbers.
    await bring(folder, 2);
    await done(["run", "--drain"], folder);
    const after = await held(folder);
    assert.equal(eventIds(after.rows), expectedIds(3));
    assert.equal(after.tables, after.rows);
    assert.equal(after.rows.slice(0, READINGS_A_FILE), before.rows.slice(0, READINGS_A_FILE), "what was before the backup stays as it was");
    for (const [n, [sequence]] of before.rows.slice(READINGS_A_FILE).entries()) {
      assert.is.not(after.rows[READINGS_A_FILE + n]?.[0], sequence);
    }
    assert.is((await deltaRows(join(folder.curated, "maintenance_logs"))).length, 150);

    assert.is(new Set(after.alerts.map(({ id }) => id)).size, after.alerts.length, "no alert is told twice");
    const told = ofMeters(before.alerts);
    assert.ok(told.length > 30, `${told.length} alerts`);
    assert.equal(ofMeters(after.alerts).slice(0, told.length), told, "what comes again says the same, under the same id");
    await done(["verify"], folder);
  }));

function eventIds(rows: Held["rows"]): readonly string[] {
  return rows.map(([, id]) => id);
}

/** The ids of the readings of so many files, in order. */
function expectedIds(files: number): readonly string[] {
  return Array.from({ length: files * READINGS_A_FILE }, (_, n) => String(JSON.parse(readingLine(n, METERS)).event_id));
}

/** What alerts of meters say, but for their numbers. */
function ofMeters(alerts: readonly AlertEvent[]): readonly object[] {
  return alerts.filter(({ subject }) => subject.startsWith("meter/")).map((alert) => ({ ...alert, sequence: null }));
}
