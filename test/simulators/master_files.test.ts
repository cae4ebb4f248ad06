import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import * as assert from "uvu/assert";
import { generateAllData } from "../../simulators/generate_all_data.ts";
import { gridOf } from "../../simulators/grid.ts";
import { transformerDelta } from "../../simulators/transformer_master.ts";
import { suite } from "../kit/suite.ts";

const test = suite("master_files");

type Row = Readonly<Record<string, unknown>>;

let folder = "";
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "master_files-"));
  await generateAllData({ outDir: folder, seed: 42, scale: 1 });
});
test.after(() => rm(folder, { recursive: true, force: true }));

const opened = (name: string) => asyncBufferFromFile(join(folder, "transformer_parquet", name));
const rowsOf = async (name: string): Promise<readonly Row[]> => parquetReadObjects({ file: await opened(name) });
const TRANSFORMERS = "transformer_master.parquet";
const DELTA = "transformer_master_delta_20250601.parquet";
const CUSTOMERS = "customer_master.parquet";
const IGNORED = ["record_effective_date", "record_end_date", "is_current", "scd_version"];

test("the files have real dates, doubles, a boolean and a whole number, uncompressed, by a fixed writer", async () => {
  for (const name of [TRANSFORMERS, DELTA, CUSTOMERS]) {
    const metadata = await parquetMetadataAsync(await opened(name));
    const types = new Map(metadata.schema.slice(1).map((column) => [column.name, column.converted_type ?? column.type]));
    assert.is(metadata.created_by, "parquet.js");
    assert.ok(metadata.row_groups.every((group) => group.columns.every((column) => column.meta_data?.codec === "UNCOMPRESSED")));
    assert.equal(
      [
        types.get("record_effective_date"),
        types.get("record_end_date"),
        types.get("is_current"),
        types.get("scd_version"),
        types.get("region"),
      ],
      ["DATE", "DATE", "BOOLEAN", "INT32", "UTF8"],
    );
  }
});

test("the snapshot has 500 first versions, the delta 30 second ones from 2025-06-01, all of them open", async () => {
  for (const [name, count, version, from] of [
    [TRANSFORMERS, 500, 1, "2024-01-01"],
    [DELTA, 30, 2, "2025-06-01"],
    [CUSTOMERS, 1_000, 1, "2024-01-01"],
  ] as const) {
    const rows = await rowsOf(name);
    const keys = new Set(rows.map((row) => row["customer_id"] ?? row["transformer_id"]));
    assert.equal([rows.length, keys.size], [count, count]);
    for (const row of rows) {
      assert.equal([row["scd_version"], row["is_current"]], [version, true]);
      assert.equal([row["record_effective_date"], row["record_end_date"]], [new Date(from), new Date("9999-12-31")]);
    }
  }
});

test("each delta row differs from its snapshot row in the columns its label names, at least three times from or to null", async () => {
  const before = new Map((await rowsOf(TRANSFORMERS)).map((row) => [row["transformer_id"], row]));
  const labels = new Map([...transformerDelta(gridOf(42, 1))].map(({ row, labels: [label] }) => [row.transformer_id, label]));
  let nulls = 0;
  const statuses = new Set<unknown>();
  for (const row of await rowsOf(DELTA)) {
    const old = before.get(row["transformer_id"]) ?? {};
    const changed = Object.keys(row).filter((column) => !IGNORED.includes(column) && String(row[column]) !== String(old[column]));
    const label = labels.get(String(row["transformer_id"]));
    assert.equal([label?.id, label?.label, label?.columns], [row["transformer_id"], "changed", changed]);
    assert.ok(changed.length > 0);
    nulls += changed.filter((column) => row[column] === null || old[column] === null).length;
    statuses.add(`${old["status"]} ${row["status"]}`);
  }
  assert.ok(nulls >= 3, `${nulls}`);
  assert.ok(statuses.has("ACTIVE UNDER_MAINTENANCE") && statuses.has("UNDER_MAINTENANCE DECOMMISSIONED"));
});

test("a customer has one meter, and a transformer of the meter's region that the master knows", async () => {
  const transformers = new Map((await rowsOf(TRANSFORMERS)).map((row) => [row["transformer_id"], row]));
  const customers = await rowsOf(CUSTOMERS);
  assert.is(new Set(customers.map((row) => row["meter_id"])).size, 1_000);
  for (const row of customers) {
    const transformer = transformers.get(row["transformer_id"]);
    assert.equal([row["region"], row["state"]], [transformer?.["region"], transformer?.["state"]]);
    assert.is(String(row["meter_id"]).charAt(3), String(row["region"]).charAt(0));
    assert.match(String(row["meter_id"]), /^SM-[NSEWC]-00([01]\d\d|200)$/);
  }
});

test("the transformers of a substation share its voltage and its state", async () => {
  const shared = new Map<unknown, string>();
  for (const row of await rowsOf(TRANSFORMERS)) {
    const traits = `${row["voltage_kv"]} kV ${row["state"]}`;
    assert.is(shared.get(row["substation_id"]) ?? traits, traits);
    shared.set(row["substation_id"], traits);
  }
  assert.is(shared.size, 250);
});
