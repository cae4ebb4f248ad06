// timeout: 120 s
import { appendFileSync, cpSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CommandError } from "../../admin/errors.ts";
import { openLog } from "../../admin/log.ts";
import type { View } from "../../admin/reader.ts";
import { listSchemas, type SchemaDetail, type SchemaItem, schemasText, schemaText, showSchema } from "../../admin/schema.ts";
import { type Decision, decisionText } from "../../admin/schema_decision.ts";
import { feedJsonSchema, tableColumns } from "../../admin/schema_document.ts";
import type { Summary } from "../../admin/summary.ts";
import { domainOf, schemasOf } from "../../compose.ts";
import { decideStopped, drainRun } from "../../daemon.ts";
import { auditRows } from "../../engine/command.ts";
import { stateDigest } from "../../engine/digest.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { ask } from "../kit/admin_server.ts";
import { deltaEntries, deltaRows } from "../kit/delta_reader.ts";
import { DATA, type Ending, type GridFolder, gridactor, gridConfig, inGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("schema of a state");

const PLANTS = "renewable_autoloader";
const NEW = ["curtailment_mw", "battery_storage_mwh"];
const OTHERS = ["transformer_parquet", "smart_meter_kafka", "substation_iot", "billing_cdc", "maintenance_csv"];
type Row = Readonly<Record<string, unknown>>;

/** Does `body` over the plants' files only, in a mode. They may be changed. */
async function withMode(mode: string, body: (folder: GridFolder, plants: string) => Promise<void>): Promise<void> {
  const data = await newTempFolder();
  try {
    cpSync(join(DATA, PLANTS), join(data, PLANTS), { recursive: true });
    for (const other of OTHERS) mkdirSync(join(data, other));
    const changes = { "feeds:  ": `feeds:\n  renewable: { schemaEvolution: { mode: ${mode} } }\n#` };
    await inGridFolder((folder) => body(folder, join(data, PLANTS)), data, changes);
  } finally {
    await removeFolder(data);
  }
}

/** In this process, which spares the start of another; what fails is the error that the command line would print. */
async function drain(folder: GridFolder): Promise<Summary> {
  const log = openLog({ level: "error", screen: null, output: { write: () => {}, flushSync: () => {} } });
  try {
    return await drainRun({ config: gridConfig(folder), log, screen: null, say: () => {} }, new AbortController().signal);
  } finally {
    log.close();
  }
}

function decide(folder: GridFolder, column: string, type: string | null, feed = "renewable"): Promise<Decision> {
  const query = type === null ? { feed, column } : { feed, column, type };
  return decideStopped(gridConfig(folder), type === null ? "schema ignore" : "schema approve", query);
}

async function look<T>(folder: GridFolder, ask: (view: View, settings: ReturnType<typeof schemasOf>) => T | Promise<T>): Promise<T> {
  const config = gridConfig(folder);
  const store = await openLmdbStore({ dir: folder.state, limits: config.limits, readOnly: true });
  const domain = domainOf(config);
  try {
    return await ask({ store, domain, decode: emissionDecoder(config.name, domain.tables) }, schemasOf(config));
  } finally {
    await store.close();
  }
}

const shown = (folder: GridFolder): Promise<SchemaDetail> => look(folder, (view, settings) => showSchema(view, "renewable", settings));
const digestOf = (folder: GridFolder): Promise<string> => look(folder, ({ store }) => stateDigest(store));
const plantRows = ({ curated }: GridFolder): Promise<readonly Row[]> => deltaRows(join(curated, "renewable_production"));

async function failed(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CommandError)) throw error;
  return `${error.exit}: ${error.message}`;
}

test("the third file's columns stand in the log of the table before its rows, and readers see them", () =>
  withMode("addNewColumns", async (folder) => {
    assert.is((await drain(folder)).feeds["renewable"]?.accepted, 450);
    const rows = await plantRows(folder);
    const isNew = (row: Row): boolean => Number(row["_schema_version"]) === 2;
    assert.equal([rows.length, rows.filter(isNew).length], [450, 270]);
    assert.ok(rows.every((row) => isNew(row) || (row["curtailment_mw"] ?? null) === null));
    assert.ok(rows.filter((row) => isNew(row) && typeof row["curtailment_mw"] === "number").length > 100);
    const metaData = (await deltaEntries(join(folder.curated, "renewable_production"))).flat().flatMap((action) => action.metaData ?? []);
    const { fields } = JSON.parse(metaData.at(-1)?.schemaString ?? "{}") as { fields: readonly { name: string; type: string }[] };
    for (const name of NEW) assert.is(fields.find((field) => field.name === name)?.type, "double", name);
    const versions = await deltaRows(join(folder.curated, "schema_versions"));
    assert.equal(
      versions.map((row) => [row["column"], Number(row["version"]), row["origin"]]),
      NEW.map((name) => [name, 2, "hint"]),
    );
    const detail = await shown(folder);
    assert.equal([detail.version, detail.versions.length, detail.waiting], [2, 1, []]);
    assert.match(detail.versions[0]?.source ?? "", /0800\.json$/);
    assert.match(detail.versions[0]?.position ?? "", /\/0$/);
    const { required, properties } = feedJsonSchema(detail) as { required: readonly string[]; properties: Row };
    assert.equal(required, ["reading_id", "plant_id", "timestamp", "production_mw"]);
    assert.equal(properties["curtailment_mw"], { type: ["number", "string", "null"] });
    const tables = await look(folder, ({ domain }) => tableColumns(domain.tables, new Map([["renewable", detail.columns.slice(-2)]])));
    assert.equal(
      tables.filter(({ table }) => table === "renewable_production").slice(-2),
      NEW.map((column) => ({ table: "renewable_production", column, type: "double", feed: "renewable" })),
    );
  }));

test("rescued columns wait; approved, each row is there again with its value, once for every reader (P-25)", () =>
  withMode("rescue", async (folder) => {
    await drain(folder);
    const { waiting } = await shown(folder);
    assert.equal(
      waiting.map(({ column, type }) => [column, type]),
      NEW.map((column) => [column, "double"]),
    );
    const digest = await digestOf(folder);
    for (const [n, column] of NEW.entries()) {
      const decision = await decide(folder, column, "double");
      assert.equal([decision.version, decision.isNew, decision.left, decision.records], [n + 2, true, 0, waiting[n]?.records]);
      assert.match(decisionText(decision), /^renewable v\d: \w+ is double · \d+ records said again with it\n$/);
      const again = await decide(folder, column, "double");
      assert.equal([again.version, again.isNew, again.records], [n + 2, false, 0]);
    }
    assert.is(await digestOf(folder), digest);
    assert.is((await drain(folder)).feeds["renewable"]?.read, 0);
    const rows = await plantRows(folder);
    const current = [...new Map(rows.map((row) => [row["_row_id"], row])).values()];
    assert.equal([current.length, rows.length > 450], [450, true]);
    assert.ok(current.every((row) => row["_rescued_data"] === null));
    assert.is(current.filter((row) => typeof row["battery_storage_mwh"] === "number").length, waiting[1]?.records);
    const bySequence = new Map(rows.map((row) => [row["_seq"], row]));
    for (const row of rows.filter((one) => one["_amends"] !== null)) {
      assert.is(bySequence.get(row["_amends"])?.["_row_id"], row["_row_id"]);
    }
  }));

test("a source that brings new columns waits, until they are approved or ignored (failOnNewColumns)", () =>
  withMode("failOnNewColumns", async (folder) => {
    assert.match(await failed(drain(folder)), /^75: .*renewable waits.*curtailment_mw, battery_storage_mwh$/);
    assert.is((await plantRows(folder)).length, 180);
    const entry = await look(folder, ({ store }) =>
      [...store.range("position", "renewable\0")].map(([, bytes]) => JSON.parse(Buffer.from(bytes).toString()) as Row).at(-1),
    );
    assert.equal([entry?.["state"], entry?.["row"]], ["discovered", 0]);
    assert.match(String(entry?.["error"]), /^new columns: curtailment_mw, battery_storage_mwh;/);
    assert.is((await decide(folder, "curtailment_mw", "double")).records, 0);
    assert.match(await failed(drain(folder)), /new columns, battery_storage_mwh$/);
    await decide(folder, "battery_storage_mwh", null);
    assert.is((await drain(folder)).feeds["renewable"]?.accepted, 270);
    const rows = await plantRows(folder);
    assert.equal([rows.length, "battery_storage_mwh" in (rows[0] ?? {}), "curtailment_mw" in (rows.at(-1) ?? {})], [450, false, true]);
    const detail = await shown(folder);
    assert.equal(
      detail.ignored.map(({ column, values }) => [column, values > 100]),
      [["battery_storage_mwh", true]],
    );
    assert.match(schemaText(detail, null), /not kept\n.*\n.*battery_storage_mwh/);
  }));

test("once the file is gone its source goes on (failOnNewColumns)", () =>
  withMode("failOnNewColumns", async (folder, plants) => {
    assert.match(await failed(drain(folder)), /^75/);
    for (const hour of ["08", "09", "10"]) rmSync(join(plants, `renewable_production_20250615_${hour}00.json`));
    assert.is((await drain(folder)).feeds["renewable"]?.read, 0);
  }));

test("what cannot be decided is refused with its reason, and changes nothing", () =>
  withMode("rescue", async (folder) => {
    assert.match(await failed(decide(folder, "gust", "double")), /^69/);
    await drain(folder);
    const before = await look(folder, ({ store }) => [...store.range("feed", "")].map(([key]) => key));
    assert.match(await failed(decide(folder, "gust", "floaty")), /^2: "floaty" is no type/);
    const refused: readonly (readonly [string, string, RegExp])[] = [
      ["renewable", "capacity_mw", /^1: .*keeps its type/],
      ["renewable", "Capacity_MW", /by case only/],
      ["renewable", "_seq", /cell/],
      ["renewable", "Conflict", /cell/],
      ["renewable", "__proto__", /printable/],
      ["renewable", "a\u001b[2Jb", /printable/],
      ["transformer_master", "gust", /no curated table/],
    ];
    for (const [feed, column, why] of refused) assert.match(await failed(decide(folder, column, "string", feed)), why);
    assert.match(await failed(decide(folder, "capacity_mw", null)), /^1: .*never shrinks/);
    assert.equal(await look(folder, ({ store }) => [...store.range("feed", "")].map(([key]) => key)), before);
  }));

test("a state that an engine is using is not changed behind its back", () =>
  withMode("rescue", async (folder) => {
    await drain(folder);
    const engine = await openLmdbStore({ dir: folder.state, limits: gridConfig(folder).limits });
    assert.match(await failed(decide(folder, "curtailment_mw", "double")), /^75/);
    await engine.close();
  }));

test("a file that grows brings its columns with the rows that have them", () =>
  withMode("addNewColumns", async (folder, plants) => {
    await drain(folder);
    const path = join(plants, "renewable_production_20250615_0700.json");
    const record = JSON.parse(readFileSync(path, "utf8").split("\n")[0] ?? "") as object;
    appendFileSync(path, `${JSON.stringify({ ...record, reading_id: "grown", gust_mps: 4.5 })}\n`);
    await drain(folder);
    const { version, versions } = await shown(folder);
    assert.equal([version, versions[1]?.columns, versions[1]?.position.endsWith("/90")], [3, ["gust_mps"], true]);
  }));

test("the command line lists what waits, asks for --write, and answers in JSON", () =>
  withMode("rescue", async (folder) => {
    await drain(folder);
    const items = json<readonly SchemaItem[]>(await run(["schema", "--json"], folder));
    assert.equal(items.find(({ feed }) => feed === "renewable")?.waiting, NEW);
    assert.match(schemasText(items, null), /renewable\t1\trescue\t16\tcurtailment_mw, battery_storage_mwh\t-\trenewable_production/);
    const words = ["schema", "approve", "renewable", "curtailment_mw", "double", "--json"];
    const { code, stderr } = await run(words, folder);
    assert.equal([code, (JSON.parse(stderr) as { error: { code: string } }).error.code], [2, "USAGE"]);
    assert.equal(json<Decision>(await run([...words, "--write"], folder)).version, 2);
    assert.is((await run(["schema", "show", "renewables"], folder)).code, 4);
    await look(folder, (view, settings) => assert.is(listSchemas(view, settings).length, view.domain.feeds.length));
  }));

test("a running engine decides on columns between two batches, over HTTP, the command line and the REPL, and its audit says so", () =>
  withMode("rescue", async (folder) => {
    const daemon = gridactor(["run"], folder);
    try {
      await daemon.until(({ stderr }) => ["asked at", "stage 2 is read"].every((said) => stderr.includes(said)));
      const post = async (path: string, body: object) => {
        const headers = { "Content-Type": "application/json" };
        const { status, text } = await ask({ url: null, socket: join(folder.state, "admin.sock") }, path, {
          method: "POST",
          headers,
          body: JSON.stringify(body),
        });
        return { status, value: JSON.parse(text) as Decision };
      };
      const first = await post("/v1/schema/renewable/approve", { column: "curtailment_mw", type: "double", reason: "new meters" });
      assert.equal([first.status, first.value.version, first.value.isNew, first.value.records > 0], [200, 2, true, true]);
      assert.is((await post("/v1/schema/renewable/approve", { column: "gust", type: "floaty" })).status, 400);
      assert.is((await post("/v1/schema/renewables/ignore", { column: "gust" })).status, 404);
      assert.is((await post("/v1/schema/renewable/ignore", { column: "capacity_mw" })).status, 403);
      const second = json<Decision>(await run(["schema", "ignore", "renewable", "battery_storage_mwh", "--write", "--json"], folder));
      assert.equal([second.type, second.isNew], [null, true]);
      const third = await run(["--json", "repl", "--write", "-c", "schema approve renewable curtailment_mw double"], folder);
      assert.is(json<Decision>(third).isNew, false);
    } finally {
      daemon.kill("SIGINT");
    }
    assert.is((await daemon.ended).code, 0);
    const audit = await look(folder, ({ store }) => [...auditRows(store)].map(({ verb, reason, result }) => [verb, reason, result]));
    assert.equal(audit, [
      ["schema approve", "new meters", "done"],
      ["schema ignore", null, "done"],
      ["schema approve", null, "unchanged"],
    ]);
    assert.equal((await shown(folder)).waiting, []);
    assert.ok((await plantRows(folder)).some((row) => row["_amends"] !== null && typeof row["curtailment_mw"] === "number"));
  }));

function json<T>({ code, stdout, stderr }: Ending): T {
  assert.is(code, 0, stderr);
  return JSON.parse(stdout) as T;
}
