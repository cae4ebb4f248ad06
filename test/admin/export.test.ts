import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import * as assert from "uvu/assert";
import { type ExportQuery, exportTable } from "../../admin/export.ts";
import type { View } from "../../admin/reader.ts";
import { encodeGroups } from "../../sinks/parquet_part.ts";
import { failureOf } from "../kit/failure.ts";
import { customer, given, reading, transformer, viewOf } from "../kit/grid.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("export");

const KNOWN = { first: Date.UTC(2025, 5, 1), second: Date.UTC(2025, 5, 3) };

/** Two versions of one transformer, the second known two days later; one of another, deleted by its own end date; a customer who owes. */
async function grid(): Promise<View> {
  const seen = await given().when(
    { ...transformer("2024-01-01", { health_index_score: 78.4 }), arrivedAtMs: KNOWN.first },
    { ...transformer("2024-01-01", { transformer_id: "TRF-N-0035", record_end_date: "2024-06-01" }), arrivedAtMs: KNOWN.first },
    { ...customer("2025-01-01", { customer_name: "=cmd()", outstanding_balance: "1234.50" }), arrivedAtMs: KNOWN.first },
    { ...transformer("2025-06-01", { health_index_score: null, status: "UNDER_MAINTENANCE" }), arrivedAtMs: KNOWN.second },
  );
  return viewOf(seen);
}

async function rowsOf(view: View, query: Omit<ExportQuery, "to">): Promise<readonly Record<string, unknown>[]> {
  const pieces: Uint8Array[] = [];
  const write = async (piece: Uint8Array): Promise<void> => void pieces.push(piece);
  const { rows } = await exportTable(view, { ...query, to: "-" }, { parquet: encodeGroups, write });
  const found = Buffer.concat(pieces).toString().split("\n").slice(0, -1);
  assert.is(rows, found.length);
  return found.map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function exported(view: View, query: ExportQuery): Promise<void> {
  await exportTable(view, query, { parquet: encodeGroups, write: () => Promise.reject(new Error("nothing goes to standard output")) });
}

test("a dimension has every version believed now, numbered, with its intervals", async () => {
  const rows = await rowsOf(await grid(), { table: "dim_transformer" });
  assert.equal(
    rows.map((row) => [row["transformer_id"], row["scd_version"], row["record_effective_date"], row["record_end_date"], row["is_current"]]),
    [
      ["TRF-N-0034", 1, "2024-01-01", "2025-06-01", false],
      ["TRF-N-0034", 2, "2025-06-01", "9999-12-31", true],
      ["TRF-N-0035", 1, "2024-01-01", "2024-06-01", false],
    ],
  );
  assert.equal([rows[0]?.["known_from"], rows[0]?.["known_to"], rows[1]?.["health_index_score"]], ["2025-06-03T00:00:00Z", null, null]);
  assert.not.ok(Object.hasOwn(rows[0] ?? {}, "change"));
});

test("as of a date each key has the version in force on it, or none", async () => {
  const view = await grid();
  const asOf = async (date: string) =>
    (await rowsOf(view, { table: "dim_transformer", asOf: date })).map((row) => [row["transformer_id"], row["status"]]);
  assert.equal(await asOf("2024-03-01"), [
    ["TRF-N-0034", "ACTIVE"],
    ["TRF-N-0035", "ACTIVE"],
  ]);
  assert.equal(await asOf("2025-05-31"), [["TRF-N-0034", "ACTIVE"]]);
  assert.equal(await asOf("2025-06-01"), [["TRF-N-0034", "UNDER_MAINTENANCE"]]);
  assert.equal(await asOf("2023-12-31"), []);
});

test("known at a time, the versions are those believed then", async () => {
  const view = await grid();
  const rows = await rowsOf(view, { table: "dim_transformer", knownAt: "2025-06-02T00:00:00Z" });
  assert.equal(
    rows.map((row) => [row["transformer_id"], row["is_current"], row["known_to"]]),
    [
      ["TRF-N-0034", true, "2025-06-03T00:00:00Z"],
      ["TRF-N-0035", false, null],
    ],
  );
  assert.is((await rowsOf(view, { table: "dim_transformer", knownAt: "1d" })).length, 2, "a span counts from the latest fact");
  assert.is((await rowsOf(view, { table: "dim_transformer", knownAt: "now" })).length, 3);
});

test("history has the versions of all kinds, with their attributes as JSON, and takes the same times", async () => {
  const view = await grid();
  const ids = async (times: object) =>
    (await rowsOf(view, { table: "history", ...times })).map((row) => [row["kind"], row["id"], row["version"]]);
  assert.equal(await ids({}), [
    ["customer", "CUST-000123", 1],
    ["transformer", "TRF-N-0034", 1],
    ["transformer", "TRF-N-0034", 2],
    ["transformer", "TRF-N-0035", 1],
  ]);
  assert.equal((await ids({ asOf: "2025-06-01" })).at(-1), ["transformer", "TRF-N-0034", 2]);
  const [row] = (await rowsOf(view, { table: "history" })).slice(-1);
  assert.ok(Object.hasOwn(JSON.parse(String(row?.["attributes"])), "substation_id"));
});

test("a kind, its curated rows, alerts and quarantined records are tables, too", async () => {
  const bad = { feed: "smart_meter", record: { event_id: "bad", meter_id: "SM-N-00042", timestamp: "soon", reading_kwh: 1 } };
  const view = viewOf(await given().when(...[0, 30, 60].map((minute) => reading(minute, 60 + minute)), bad));
  const [meter] = await rowsOf(view, { table: "meter" });
  assert.equal([meter?.["id"], meter?.["open_alerts"], JSON.parse(String(meter?.["latest"])).reading_kwh], ["SM-N-00042", 1, 120]);
  const readings = await rowsOf(view, { table: "meter_readings" });
  assert.equal(
    readings.map((row) => [row["meter_id"], row["reading_kwh"], row["_amends"], row["late"]]),
    [60, 90, 120].map((kwh) => ["SM-N-00042", kwh, null, false]),
  );
  const alerts = await rowsOf(view, { table: "alerts" });
  assert.ok(alerts.some((row) => row["rule"] === "meter.spike" && row["change"] === "raised"));
  const [quarantined] = await rowsOf(view, { table: "quarantine" });
  assert.equal([quarantined?.["reason"], quarantined?.["status"]], ["bad_time", "open"]);
  assert.match(String(quarantined?.["text"]), /"timestamp":"soon"/);
  const { exit, message } = await failureOf(exported(view, { table: "meter", to: "-", asOf: "1d" }));
  assert.equal([exit, message], [2, "meter has no versions to choose from by --as-of"]);
});

test("Parquet has typed columns that another reader reads, CSV is defused, and both appear whole", async () => {
  const view = await grid();
  await inTempFolder(async (folder) => {
    for (const name of ["dim.parquet", "dim.csv", "dim.jsonl"]) await exported(view, { table: "dim_customer", to: join(folder, name) });
    assert.equal((await readdir(folder)).sort(), ["dim.csv", "dim.jsonl", "dim.parquet"]);
    const file = await readFile(join(folder, "dim.parquet"));
    const [row] = await parquetReadObjects({ file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length), compressors });
    assert.equal(
      [row?.["customer_id"], row?.["outstanding_balance"], row?.["record_effective_date"], row?.["known_from"], row?.["is_current"]],
      ["CUST-000123", 1_234.5, new Date("2025-01-01"), new Date(KNOWN.first), true],
    );
    const [header = "", line = ""] = (await readFile(join(folder, "dim.csv"), "utf8")).split("\n");
    assert.match(header, /^customer_id,customer_name,meter_id,/);
    assert.match(line, /^CUST-000123,'=cmd\(\),SM-N-00042,.*,1234\.5,/);
  });
});

test("a file of many groups is one Parquet file", async () => {
  const groups = async function* () {
    for (let group = 0; group < 3; group += 1) yield Array.from({ length: 1_000 }, (_, n) => ({ n: group * 1_000 + n }));
  };
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeGroups([{ name: "n", type: { type: "long" } }], groups())) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  const rows = await parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), compressors });
  assert.equal([rows.length, rows[0], rows[2_999]], [3_000, { n: 0n }, { n: 2_999n }]);
});

test("it tells how many rows it has written, for progress", async () => {
  const told: number[] = [];
  const outlets = { parquet: encodeGroups, write: async () => {}, onRows: (rows: number) => void told.push(rows) };
  const { rows } = await exportTable(await grid(), { table: "history", to: "-" }, outlets);
  assert.is(
    told.reduce((sum, more) => sum + more, 0),
    rows,
  );
});

test("what cannot be exported is told, and leaves no file behind", async () => {
  const view = await grid();
  await inTempFolder(async (folder) => {
    const ending = async (query: ExportQuery) => {
      const { exit, candidates } = await failureOf(exported(view, query));
      return [exit, candidates];
    };
    assert.equal(await ending({ table: "dim_transfomer", to: join(folder, "a.csv") }), [4, ["dim_transformer"]]);
    assert.equal(await ending({ table: "dim_transformer", to: join(folder, "a.xlsx") }), [2, []]);
    assert.equal(await ending({ table: "dim_transformer", to: join(folder, "none/a.csv") }), [1, []]);
    assert.equal(await ending({ table: "dim_transformer", to: join(folder, "a.csv"), asOf: "yesteryear" }), [2, []]);
    assert.equal(await readdir(folder), []);
  });
});
