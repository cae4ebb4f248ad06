import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { EvolutionMode, SchemaSettings } from "../../engine/schema.ts";
import { EvolvingFeed, type GivenFile } from "../kit/evolving_feed.ts";
import { DATA } from "../kit/grid_folder.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("schema evolution");
const SEED = Number(process.env["SEED"] ?? 7_323);

/** The guide's hourly files: the third and those after it have two columns more. */
const FOLDER = join(DATA, "renewable_autoloader");
const GUIDE: readonly GivenFile[] = readdirSync(FOLDER)
  .filter((name) => name.startsWith("renewable_production_"))
  .sort()
  .map((path) => ({ path, records: readFileSync(join(FOLDER, path), "utf8").trimEnd().split("\n") }));
const NEW = ["curtailment_mw", "battery_storage_mwh"];
const HINTED = { hints: { curtailment_mw: "double", battery_storage_mwh: "double" } } as const;
const NEW_VALUES = GUIDE.flatMap(({ records }) => records)
  .map((line) => JSON.parse(String(line)) as Readonly<Record<string, unknown>>)
  .flatMap((record) => NEW.map((name) => record[name]))
  .filter((value) => value !== null && value !== undefined).length;

/** A reading of a plant, with what else it says. */
function reading(n: number, more: object = {}): object {
  const timestamp = new Date(Date.UTC(2025, 5, 15, 6, n)).toISOString();
  return { reading_id: `r${n}`, plant_id: "REN-SOLAR-001", timestamp, production_mw: 10 + n, ...more };
}

function file(path: string, ...more: readonly object[]): GivenFile {
  const first = Number(/\d+/.exec(path)?.[0] ?? 0) * 100;
  return { path, records: more.map((one, n) => reading(first + n, one)) };
}

const INFERRING: SchemaSettings = { mode: "addNewColumns", inferColumnTypes: true, hints: {} };

// The guide's files. ---------------------------------------------------------------------------------------------------------------------

test("the guide's files in every order lead to the same columns, values and rows, each with the version of its reading (P-23)", async () => {
  assert.is(GUIDE.length, 5);
  const some = GUIDE.map(({ path, records }) => ({ path, records: records.slice(0, 8) }));
  const inOrder = await evolved(some);
  const expected = await inOrder.current();
  assert.equal(inOrder.grown, { curtailment_mw: "double", battery_storage_mwh: "double" });
  assert.is(Object.keys(expected).length, 40);
  for (const files of permutations(some)) {
    const feed = await evolved(files);
    assert.equal(Object.keys(feed.grown).sort(), [...NEW].sort());
    assert.is(feed.schema.version, 2);
    const rows = await feed.current();
    const firstNew = files.findIndex(({ path }) => hasNewColumns(path));
    for (const [n, { records }] of files.entries()) {
      for (const record of records) {
        const { reading_id: id } = JSON.parse(String(record)) as { readonly reading_id: string };
        assert.equal(present(rows[id]?.cells), present(expected[id]?.cells), id);
        assert.is(rows[id]?.schemaVersion, n < firstNew ? 1 : 2);
      }
    }
  }
});

test("what is kept, rescued and counted of the new columns is, in every mode, what came (P-24)", async () => {
  assert.ok(NEW_VALUES > 200);
  for (const mode of ["addNewColumns", "addNewColumnsWithTypeWidening", "rescue", "failOnNewColumns", "none"] as const) {
    const feed = await evolved(GUIDE, mode);
    const rows = Object.values(await feed.current());
    const kept = rows.flatMap(({ cells }) => NEW.filter((name) => (cells[name] ?? null) !== null)).length;
    const rescued = rows.flatMap((row) => NEW.filter((name) => Object.hasOwn((row.rescued ?? {}) as object, name))).length;
    const counted = NEW.reduce((sum, name) => sum + (feed.ignored[name] ?? 0), 0);
    const grows = mode.startsWith("addNewColumns");
    const expected = { rows: 450, kept: grows ? NEW_VALUES : 0, counted: mode === "none" ? NEW_VALUES : 0 };
    assert.equal({ rows: rows.length, kept, counted }, expected, mode);
    assert.is(kept + rescued + counted, NEW_VALUES, mode);
    assert.is(feed.schema.version, grows ? 2 : 1, mode);
  }
});

test("columns approved after rescue have the values that they would have had from the start (P-25)", async () => {
  const born = await evolved(GUIDE, "addNewColumns");
  const rescued = await evolved(GUIDE, "rescue");
  const { digest } = rescued;
  for (const column of NEW) await rescued.change({ column, type: "double" });
  assert.equal(rescued.grown, born.grown);
  const [expected, seen] = [await born.current(), await rescued.current()];
  assert.is(Object.keys(seen).length, 450);
  for (const [id, row] of Object.entries(expected)) {
    assert.equal(present(seen[id]?.cells), present(row.cells));
    assert.equal(seen[id]?.rescued, row.rescued);
  }
  assert.is(rescued.digest, digest, "a decision touches no state of an actor");
});

// Versions. ------------------------------------------------------------------------------------------------------------------------------

test("a new version says what it brought and where it began, in the store and in the table, before any row that uses it", async () => {
  const feed = new EvolvingFeed("renewable", INFERRING);
  await feed.files(file("f1", {}, { gust: 3 }), file("f2", { gust: 1.5, note: "a" }));
  assert.equal(
    feed.versions.map(({ version, source, position, columns }) => ({ version, source, position, columns })),
    [
      { version: 2, source: "renewable:f1", position: "file:f1/0", columns: { gust: { type: "bigint", origin: "inferred" } } },
      { version: 3, source: "renewable:f2", position: "file:f2/0", columns: { note: { type: "string", origin: "inferred" } } },
    ],
  );
  const versions = await feed.rows("schema_versions");
  assert.equal(
    versions.map(({ cells }) => [cells["version"], cells["column"], cells["type"], cells["position"]]),
    [
      [2, "gust", "bigint", "file:f1/0"],
      [3, "note", "string", "file:f2/0"],
    ],
  );
  for (const { sequence, schemaVersion } of await feed.rows()) {
    const born = versions.find(({ cells }) => cells["version"] === schemaVersion);
    assert.ok(born !== undefined && born.sequence < sequence);
  }
});

test("a file has one version from its first row on, that of all its rows together", async () => {
  const feed = new EvolvingFeed("renewable", INFERRING, { batchOf: 1 });
  await feed.files(file("f1", {}, { gust: 3 }, { gust: 2.5 }, { gust: null, tags: ["a"], mixed: 1 }, { mixed: "x", empty: null }));
  assert.equal(feed.grown, { gust: "double", tags: "json", mixed: "string" });
  const rows = await feed.rows();
  assert.equal(new Set(rows.map(({ schemaVersion }) => schemaVersion)), new Set([2]));
  assert.equal(
    rows.map(({ cells }) => cells["mixed"] ?? null),
    [null, null, null, "1", "x"],
  );
  assert.equal([...new Set(rows.map(({ rescued }) => rescued))], [null]);
});

test("a stream's version begins with the first record that shows it", async () => {
  const feed = new EvolvingFeed("renewable", INFERRING);
  await feed.stream(reading(1), reading(2, { gust: 3 }), reading(3, { gust: 2.5 }));
  assert.equal(
    feed.versions.map(({ position }) => position),
    ["file:stream/1"],
  );
  const rows = await feed.current();
  assert.equal([rows["r1"]?.schemaVersion, rows["r2"]?.schemaVersion], [1, 2]);
  assert.is(rows["r3"]?.cells["gust"], null);
  assert.equal(rows["r3"]?.rescued, { gust: { value: 2.5, reason: "type_mismatch" } });
});

test("a record that is refused brings no column", async () => {
  const feed = new EvolvingFeed("renewable", INFERRING);
  await feed.files({ path: "f1", records: [reading(1), { ...reading(2), production_mw: "much", gust: 3 }] });
  assert.equal([feed.schema.version, feed.quarantine], [1, ["bad_type"]]);
});

test("versions, decisions and what waits for one are there after a restart", async () => {
  const feed = new EvolvingFeed("renewable", { ...INFERRING, mode: "rescue" });
  await feed.files(file("f1", { gust: 3, note: "a" }));
  await feed.change({ column: "gust", type: "double" });
  await feed.change({ column: "colour", type: null });
  const before = feed.schema;
  feed.restart();
  assert.equal(feed.schema, before);
  await feed.files(file("f2", { gust: 4.5, colour: "red" }));
  assert.equal([feed.schema.version, feed.ignored], [2, { colour: 1 }]);
  assert.is((await feed.change({ column: "note", type: "string" })).amended, 1);
});

// Modes. ---------------------------------------------------------------------------------------------------------------------------------

test("an inferred column of whole numbers is widened in the next version, others rescue what does not fit", async () => {
  const settings = { ...INFERRING, mode: "addNewColumnsWithTypeWidening", hints: { cells: "bigint" } } as const;
  const feed = new EvolvingFeed("renewable", settings);
  await feed.files(file("f1", { gust: 3, cells: 1, on: true }));
  await feed.files(file("f2", { gust: 2.5, cells: 2.5, on: "no idea" }, { gust: "strong" }));
  assert.equal(feed.grown, { gust: "double", cells: "bigint", on: "boolean" });
  assert.equal(
    feed.versions.map(({ version, columns }) => [version, Object.keys(columns)]),
    [
      [2, ["gust", "cells", "on"]],
      [3, ["gust"]],
    ],
  );
  const rows = await feed.current();
  assert.is(rows["r200"]?.cells["gust"], 2.5);
  assert.equal(Object.keys(rows["r200"]?.rescued as object), ["cells", "on"]);
  assert.equal(rows["r201"]?.rescued, { gust: { value: "strong", reason: "type_mismatch" } });
  await feed.stream(reading(1, { gust: 2 ** 53 + 2 }));
  assert.equal((await feed.current())["r1"]?.rescued, { gust: { value: "9007199254740994", reason: "out_of_range" } });
});

test("in a stream the record that brings a fraction widens", async () => {
  const feed = new EvolvingFeed("renewable", { ...INFERRING, mode: "addNewColumnsWithTypeWidening" });
  await feed.stream(reading(1, { gust: 3 }), reading(2, { gust: 2.5 }));
  assert.equal(
    feed.versions.map(({ position }) => position),
    ["file:stream/0", "file:stream/1"],
  );
  assert.is((await feed.current())["r2"]?.cells["gust"], 2.5);
});

test("under none nothing is rescued: values that do not fit are null, and all that is lost is counted by column", async () => {
  const feed = new EvolvingFeed("renewable", { mode: "none" });
  await feed.files(file("f1", { gust: 3, capacity_mw: "big", "odd name": 1 }, { gust: 4 }));
  assert.equal(feed.ignored, { capacity_mw: 1, gust: 2, "odd name": 1 });
  assert.equal(feed.world.counters.group("note renewable"), { ignored_column: 4 });
  const rows = await feed.rows();
  assert.equal(
    rows.map(({ rescued, cells }) => [rescued, cells["capacity_mw"]]),
    [
      [null, null],
      [null, null],
    ],
  );
  feed.restart();
  await feed.files(file("f2", { "odd name": 1 }));
  assert.is(feed.ignored["odd name"], 2);
});

test("a record that comes again is not counted again", async () => {
  const feed = new EvolvingFeed("renewable", { mode: "none" });
  await feed.stream(reading(1, { gust: 3 }), reading(1, { gust: 3 }));
  assert.equal(feed.ignored, { gust: 1 });
});

test("counters of columns that are not kept are bounded in number and in length", async () => {
  const feed = new EvolvingFeed("renewable", { mode: "none" }, { limits: { keysMax: 20 } });
  const names = Array.from({ length: 30 }, (_, n) => `${"x".repeat(n)}${n}`);
  for (const [n, name] of names.entries()) await feed.stream(reading(n, { [name]: 1 }));
  await feed.stream(reading(90, { ["y".repeat(5_000)]: 1 }));
  assert.is(Object.keys(feed.ignored).length, 21);
  assert.is(feed.ignored["(others)"], 11);
});

test("a required field of a wrong type refuses the record in every mode", async () => {
  for (const mode of ["addNewColumns", "addNewColumnsWithTypeWidening", "rescue", "failOnNewColumns", "none"] as const) {
    const feed = new EvolvingFeed("renewable", { mode });
    await feed.stream(reading(1, { production_mw: "much" }), reading(2));
    assert.equal([feed.quarantine, Object.keys(await feed.current())], [["bad_type"], ["r2"]], mode);
  }
});

test("names in another case mean a column only if the feed says so and one alone can be meant", async () => {
  const other = { Production_MW: 12, WIND_SPEED_MPS: 4, GUST: 5 };
  const { production_mw: _, ...nameless } = reading(1) as { production_mw: number };
  const strict = new EvolvingFeed("renewable", INFERRING);
  await strict.stream(reading(0, { gust: 1 }), reading(2, { WIND_SPEED_MPS: 4, GUST: 5 }), { ...nameless, ...other });
  assert.equal(strict.quarantine, ["missing_field"]);
  assert.equal((await strict.current())["r2"]?.rescued, {
    WIND_SPEED_MPS: { value: 4, reason: "case_mismatch" },
    GUST: { value: 5, reason: "case_mismatch" },
  });
  const lenient = new EvolvingFeed("renewable", { ...INFERRING, caseSensitive: false });
  await lenient.stream(reading(0, { gust: 1 }), { ...nameless, ...other });
  await lenient.stream(reading(3, { wind_speed_mps: 1, Wind_Speed_mps: 2 }), reading(4, { Gust: 1, GUST: 2 }));
  const rows = await lenient.current();
  assert.equal([rows["r1"]?.cells["production_mw"], rows["r1"]?.cells["wind_speed_mps"], rows["r1"]?.cells["gust"]], [12, 4, 5]);
  assert.is(rows["r1"]?.rescued, null);
  assert.is(rows["r3"]?.cells["wind_speed_mps"], 1);
  assert.equal(rows["r3"]?.rescued, { Wind_Speed_mps: { value: 2, reason: "case_mismatch" } });
  assert.equal(Object.keys(rows["r4"]?.rescued as object), ["Gust", "GUST"]);
});

test("a name in another case is read exactly, and speaks about its column", async () => {
  const feed = new EvolvingFeed("billing", { caseSensitive: false });
  const survey = feed.world.survey("billing");
  assert.equal(survey.sights(), new Map());
  const renewable = new EvolvingFeed("renewable", { ...INFERRING, caseSensitive: false, hints: { cost: "decimal(18,2)" } });
  const line = (id: string, cost: string) => JSON.stringify(reading(Number(id))).replace("}", `,${cost}}`);
  await renewable.stream(line("1", `"cost":1.10`), line("2", `"COST":90071992547409.91`));
  assert.equal((await renewable.current())["r2"]?.cells["cost"], 9_007_199_254_740_991);
});

// Any cut. -------------------------------------------------------------------------------------------------------------------------------

test("any cut into batches, with restarts anywhere, gives the same versions, rows and rescued values", async () => {
  for (let n = 0; n < 24; n += 1) {
    const seed = SEED + n;
    const random = seeded(seed);
    const mode = random.pick(["addNewColumns", "addNewColumnsWithTypeWidening", "rescue", "none"] as const);
    const settings = { ...INFERRING, mode, inferColumnTypes: random.chance(80), caseSensitive: random.chance(50) };
    const files = Array.from({ length: 3 }, (_, at) => file(`f${at + 1}`, ...Array.from({ length: 12 }, () => strange(random))));
    const play = async (batchOf: number) => {
      const feed = new EvolvingFeed("renewable", settings, { batchOf });
      for (const one of files) {
        await feed.files(one);
        feed.restart();
        await feed.stream(...file(`f${Number(one.path.slice(1)) + 10}`, ...one.records.map(() => strange(seeded(seed)))).records);
      }
      const rows = (await feed.rows()).map(({ rowId, cells, rescued, schemaVersion }) => ({ rowId, cells, rescued, schemaVersion }));
      return { versions: feed.versions, schema: feed.schema, rows, ignored: feed.ignored, digest: feed.digest };
    };
    const whole = await play(1_000);
    assert.is(whole.rows.length, 72, `seed ${seed}`);
    for (const batchOf of [1, 5]) assert.equal(await play(batchOf), whole, `seed ${seed}, batches of ${batchOf}`);
  }
});

/** Some strange columns with values of any kind. */
function strange({ pick, chance }: Seeded): object {
  const values = [1, 2.5, "x", "7", true, null, ["a"], { b: 1 }, 2 ** 60, "", -0];
  const names = ["gust", "Gust", "cells", "note", "capacity_mw", "STATE", "odd name"].filter(() => chance(40));
  return Object.fromEntries(names.map((name) => [name, pick(values)]));
}

async function evolved(files: readonly GivenFile[], mode: EvolutionMode = "addNewColumns"): Promise<EvolvingFeed> {
  const feed = new EvolvingFeed("renewable", { mode, inferColumnTypes: true, ...HINTED });
  await feed.files(...files);
  return feed;
}

function hasNewColumns(path: string): boolean {
  return !/_0[67]00\.json$/.test(path);
}

/** Without the nulls: a row that was written before a column was born does not have it. */
function present(cells: Readonly<Record<string, unknown>> = {}): object {
  const entries = Object.entries(cells).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, n) => permutations(items.toSpliced(n, 1)).map((rest) => [item, ...rest]));
}
