// timeout: 120 s
import { appendFileSync, cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { QuarantineDetail, QuarantineItem } from "../../admin/quarantine.ts";
import type { Summary } from "../../admin/summary.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { DATA, type Ending, type GridFolder, newGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("bad input");

const METERS = "smart_meter_kafka/smart_meter_stream.json";
const LOGS = "maintenance_csv/maintenance_logs_2025_05.csv";
const CUT_PARQUET = "transformer_parquet/transformer_master_delta_20250602.parquet";

const reading = (changes: object): string =>
  JSON.stringify({ event_id: "e1", meter_id: "SM-N-00001", timestamp: "2025-06-15T10:00:00Z", reading_kwh: 1, ...changes });

const NO_JSON = `{"event_id": oops}`;
const NO_KEY = reading({ event_id: "e2", meter_id: undefined });
const OUT_OF_RANGE = reading({ event_id: "e3", reading_kwh: 1e9 });
const CUT_LINE = reading({ event_id: "e4" }).slice(0, 40);

let data: string;
let folder: GridFolder;
let drained: Ending;
let rows: readonly QuarantineItem[];
/** Rows by their reason: each occurs once. */
let byReason: ReadonlyMap<string, QuarantineDetail>;
let longLine: string;
let cutParquet: Buffer;

test.before(async () => {
  data = await newTempFolder();
  folder = await newGridFolder(data);
  cpSync(DATA, data, { recursive: true });
  spoil();
  drained = await run(["run", "--drain", "--json"], folder);
  assert.is(drained.code, 0, drained.stderr);
  rows = JSON.parse((await run(["quarantine", "ls", "--json"], folder)).stdout) as readonly QuarantineItem[];
  const details: [string, QuarantineDetail][] = [];
  for (const { id, reason } of rows) {
    const { stdout, stderr } = await run(["quarantine", "show", id, "--json"], folder);
    assert.is(stderr, "");
    details.push([reason, JSON.parse(stdout) as QuarantineDetail]);
  }
  byReason = new Map(details);
});
test.after(async () => {
  await removeFolder(data);
  await removeFolder(folder.path);
});

/** Puts one hostile thing of each kind among the good ones. */
function spoil(): void {
  const lines = linesOf(METERS);
  const begin = [lines[0], NO_JSON, lines[1], NO_KEY, lines[2], OUT_OF_RANGE];
  writeFileSync(join(data, METERS), `${[...begin, ...lines.slice(3)].join("\n")}\n${CUT_LINE}`);
  const logs = linesOf(LOGS);
  longLine = `${logs[1]?.replace(/ML-[^,]+/, "ML-2025_05-9999")},one,too many`;
  writeFileSync(join(data, LOGS), `${[...logs.slice(0, 5), longLine, ...logs.slice(5)].join("\n")}\n`);
  const parquet = readFileSync(join(data, "transformer_parquet/transformer_master_delta_20250601.parquet"));
  cutParquet = parquet.subarray(0, Math.floor(parquet.length / 2));
  appendFileSync(join(data, CUT_PARQUET), cutParquet);
}

function linesOf(path: string): readonly string[] {
  return readFileSync(join(data, path), "utf8").trimEnd().split("\n");
}

test("the list of files says how many rows of each went to quarantine, whoever found them bad", async () => {
  const files = JSON.parse((await run(["files", "--source", "meters", "--json"], folder)).stdout) as readonly {
    rows: number;
    faults: number;
  }[];
  assert.equal(
    files.map(({ rows: all, faults }) => [all, faults]),
    [[504, 4]],
  );
});

test("the exit code is 0, and the summary counts what was quarantined beside all that was not", () => {
  const { feeds } = JSON.parse(drained.stdout) as Summary;
  const counts = Object.entries(feeds).map(([feed, { read, accepted, quarantined }]) => [feed, read, accepted, quarantined]);
  assert.equal(counts, [
    ["smart_meter", 504, 500, 4],
    ["substation_telemetry", 300, 300, 0],
    ["billing", 400, 400, 0],
    ["maintenance", 451, 450, 1],
    ["transformer_master", 531, 530, 1],
    ["customer_master", 1_000, 1_000, 0],
    ["renewable", 450, 450, 0],
  ]);
});

test("each thing is quarantined for its reason, with its source", () => {
  const found = rows.map(({ reason, field, source, status }) => [reason, field, source, status]);
  assert.equal(found.sort(), [
    ["bad_csv", null, "maintenance:maintenance_logs_2025_05.csv", "open"],
    ["bad_json", null, "meters:smart_meter_stream.json", "open"],
    ["bad_parquet", null, "transformer_changes:transformer_master_delta_20250602.parquet", "open"],
    ["missing_field", "meter_id", "meters:smart_meter_stream.json", "open"],
    ["out_of_range", "reading_kwh", "meters:smart_meter_stream.json", "open"],
    ["truncated", null, "meters:smart_meter_stream.json", "open"],
  ]);
});

test("each is shown with the bytes that came", () => {
  const kept = { bad_json: NO_JSON, missing_field: NO_KEY, out_of_range: OUT_OF_RANGE, truncated: CUT_LINE, bad_csv: longLine };
  for (const [reason, text] of Object.entries(kept)) {
    const row = byReason.get(reason);
    assert.is(row?.text, text, reason);
    assert.is(Buffer.from(row?.bytes ?? "", "base64").toString(), text, reason);
    assert.is(row?.size, Buffer.byteLength(text), reason);
  }
  assert.is(Buffer.from(byReason.get("bad_parquet")?.bytes ?? "", "base64").compare(cutParquet), 0);
});

test("each has the position at which it stands in its file", () => {
  const places = ["bad_json", "missing_field", "out_of_range", "truncated", "bad_csv"].map((reason) => byReason.get(reason)?.position);
  assert.ok(
    places.every((position) => /^file:[0-9a-f]{64}\/\d+$/.test(position ?? "")),
    `${places}`,
  );
  const numbers = places.map((position) => Number(position?.split("/")[1]));
  assert.equal(numbers, [1, 3, 5, 503, 4]);
});

test("each is a row of the curated table of quarantined records", async () => {
  const curated = await deltaRows(join(folder.curated, "quarantine"));
  assert.equal(curated.map((row) => row["quarantine_id"]).sort(), rows.map(({ id }) => id).sort());
});
