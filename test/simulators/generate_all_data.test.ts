import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as assert from "uvu/assert";
import { type GeneratedFile, generateAllData } from "../../simulators/generate_all_data.ts";
import { GUIDE_BILL, GUIDE_READING, GUIDE_TELEMETRY } from "../kit/guide_samples.ts";
import { suite } from "../kit/suite.ts";

const test = suite("generate_all_data");

const committed = fileURLToPath(new URL("../../data_sources/", import.meta.url));
let folder = "";
let files: readonly GeneratedFile[] = [];
let tripled: readonly GeneratedFile[] = [];
test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), "generate_all_data-"));
  ({ files } = await generateAllData({ outDir: join(folder, "one"), seed: 42, scale: 1 }));
  ({ files: tripled } = await generateAllData({ outDir: join(folder, "three"), seed: 42, scale: 3 }));
});
test.after(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (path: string): Promise<Buffer> => readFile(join(folder, "one", path));
const ROWS = {
  "smart_meter_kafka/smart_meter_stream.json": 500,
  "substation_iot/substation_telemetry_stream.json": 300,
  "billing_cdc/billing_cdc_feed.json": 400,
  "maintenance_csv/maintenance_logs_2025_04.csv": 150,
  "maintenance_csv/maintenance_logs_2025_05.csv": 150,
  "maintenance_csv/maintenance_logs_2025_06.csv": 150,
  "transformer_parquet/transformer_master.parquet": 500,
  "transformer_parquet/transformer_master_delta_20250601.parquet": 30,
  "transformer_parquet/customer_master.parquet": 1_000,
  "renewable_autoloader/renewable_production_20250615_0600.json": 90,
  "renewable_autoloader/renewable_production_20250615_0700.json": 90,
  "renewable_autoloader/renewable_production_20250615_0800.json": 90,
  "renewable_autoloader/renewable_production_20250615_0900.json": 90,
  "renewable_autoloader/renewable_production_20250615_1000.json": 90,
  "truth/smart_meter.jsonl": 80,
  "truth/substation_telemetry.jsonl": 21,
  "truth/billing.jsonl": 24,
  "truth/maintenance.jsonl": 0,
  "truth/transformer_master.jsonl": 30,
  "truth/customer_master.jsonl": 0,
  "truth/renewable.jsonl": 0,
};
const DOCUMENTS = {
  "smart_meter_kafka/sample_message.json": 1,
  "substation_iot/sample_telemetry.json": 1,
  "billing_cdc/cdc_update_pair_example.json": 2,
};
const MANIFEST = "truth/manifest.json";

test("a second run gives the bytes of the first, which are the committed ones", async () => {
  for (const { path } of files) {
    const bytes = await bytesOf(path);
    assert.ok(bytes.equals(await readFile(join(committed, path))), path);
  }
});

test("the manifest has the rows and the SHA-256 of every other file", async () => {
  const manifest = JSON.parse((await bytesOf(MANIFEST)).toString());
  assert.equal([manifest.seed, manifest.scale, manifest.files.length], [42, 1, files.length - 1]);
  for (const { path, rows, sha256 } of manifest.files) {
    assert.is(
      createHash("sha256")
        .update(await bytesOf(path))
        .digest("hex"),
      sha256,
    );
    assert.is(files.find((file) => file.path === path)?.rows, rows);
  }
});

test("the layout and the counts are the guide's, three times as many at scale 3, and no temporary file is left", async () => {
  const counted = (of: readonly GeneratedFile[]) =>
    Object.fromEntries(of.filter(({ path }) => path !== MANIFEST).map(({ path, rows }) => [path, rows]));
  assert.equal(counted(files), { ...ROWS, ...DOCUMENTS });
  assert.equal(counted(tripled), { ...Object.fromEntries(Object.entries(ROWS).map(([path, rows]) => [path, rows * 3])), ...DOCUMENTS });
  const listed = (await readdir(join(folder, "three"), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.is(listed.length, tripled.length);
});

test("a line holds one record or label, and a label names a record of its set", async () => {
  const lines = async (path: string) =>
    (await bytesOf(path))
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const ids = new Set((await lines("smart_meter_kafka/smart_meter_stream.json")).map((row) => row.event_id));
  const labels = await lines("truth/smart_meter.jsonl");
  assert.equal([ids.size, labels.length], [500, 80]);
  assert.ok(labels.every(({ id }) => ids.has(id)));
});

test("another seed gives other records under the same counts", async () => {
  const other = await generateAllData({ outDir: join(folder, "other"), seed: 43, scale: 1 });
  assert.equal(other.files, files);
  const one = await bytesOf("smart_meter_kafka/smart_meter_stream.json");
  assert.not.ok(one.equals(await readFile(join(folder, "other/smart_meter_kafka/smart_meter_stream.json"))));
});

test("the sample files hold the guide's samples, pretty printed", async () => {
  assert.is((await bytesOf("smart_meter_kafka/sample_message.json")).toString(), pretty(GUIDE_READING));
  assert.is((await bytesOf("substation_iot/sample_telemetry.json")).toString(), pretty(GUIDE_TELEMETRY));
  const pair = JSON.parse((await bytesOf("billing_cdc/cdc_update_pair_example.json")).toString());
  const { __$operation, __$update_mask, payment_status, payment_method, ...rest } = GUIDE_BILL;
  assert.equal(pair, [
    { __$operation: 3, __$update_mask: "0x001800", payment_status: "PENDING", payment_method: null, ...rest },
    { __$operation: 4, __$update_mask: "0x001800", payment_status, payment_method, ...rest },
  ]);
  assert.equal(Object.keys(pair[1]), Object.keys(GUIDE_BILL));
});

function pretty(sample: object): string {
  return `${JSON.stringify(sample, null, 2)}\n`;
}
