import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { EVOLUTION_MODES, type EvolutionMode, type SchemaSettings } from "../../engine/schema.ts";
import { csv } from "../../sources/formats/csv.ts";
import { parquet } from "../../sources/formats/parquet.ts";
import { EvolvingFeed } from "../kit/evolving_feed.ts";
import { readBytes } from "../kit/format_reading.ts";
import { GUIDE_BILL } from "../kit/guide_samples.ts";
import { suite } from "../kit/suite.ts";

const test = suite("schema corpus");
const PARQUET = join(import.meta.dirname, "../fixtures/parquet");

function feedIn(mode: EvolutionMode, feed = "renewable", more: SchemaSettings = {}): EvolvingFeed {
  return new EvolvingFeed(feed, { mode, inferColumnTypes: true, hints: {}, ...more });
}

function reading(n: number, more: object = {}): object {
  const timestamp = new Date(Date.UTC(2025, 5, 15, 6, n)).toISOString();
  return { reading_id: `r${n}`, plant_id: "REN-SOLAR-001", timestamp, production_mw: 10 + n, ...more };
}

/** A reading as text, with members as they are written. */
function written(n: number, members: string): string {
  return `${JSON.stringify(reading(n)).slice(0, -1)},${members}}`;
}

/** Values that files have, read by a format, under the names of a reading where they have none. */
async function fieldsOf(format: Parameters<typeof readBytes>[0], content: Buffer | string) {
  const { records } = await readBytes(format, content);
  return records.map(({ fields = {}, cells = false }, n) => ({ fields: { ...reading(n), ...fields }, cells }));
}

test("corpus 12: a million keys, seen ahead, are bounded as when they come, and no column comes of a refused record", async () => {
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`k${n}`, 1]));
  const feed = feedIn("addNewColumns");
  const wide = Array.from({ length: 3 }, (_, n) =>
    reading(n, Object.fromEntries(Array.from({ length: 600 }, (_, k) => [`c${n}_${k}`, k]))),
  );
  await feed.files({ path: "f1", records: [reading(9, many), ...wide] });
  assert.equal([feed.quarantine, Object.keys(feed.schema.columns).length], [["limit_keys"], DEFAULT_LIMITS.keysMax]);
  const rescued = Object.values(await feed.current()).flatMap((row) => Object.keys((row.rescued ?? {}) as object));
  assert.is(rescued.length + Object.keys(feed.grown).length, 1_800);
});

test("corpus 14, 15, 16, 17: of a new key that comes twice the last counts; keys that reach behind objects bring nothing; others are data", async () => {
  const feed = feedIn("addNewColumns");
  const records = [
    written(1, `"gust":"x","gust":2`),
    written(2, `"__proto__":{"a":1}`),
    written(3, `"constructor":{"prototype":1}`),
    written(4, `"toString":1,"hasOwnProperty":2,"then":3`),
  ];
  await feed.files({ path: "f1", records });
  assert.equal(
    Object.entries(feed.grown),
    ["gust", "toString", "hasOwnProperty", "then"].map((name) => [name, "bigint"]),
  );
  assert.equal(feed.quarantine, ["forbidden_key", "forbidden_key"]);
  const rows = await feed.current();
  assert.equal(
    [rows["r1"]?.cells["gust"], Object.entries(rows["r4"]?.cells ?? {}).slice(-3)],
    [
      2,
      [
        ["toString", 1],
        ["hasOwnProperty", 2],
        ["then", 3],
      ],
    ],
  );
});

test("corpus 18, 19: numbers beyond 2^53 in new columns are kept exactly or rescued as they are written", async () => {
  for (const inferColumnTypes of [true, false]) {
    const feed = feedIn("addNewColumns", "renewable", { inferColumnTypes });
    await feed.stream(
      written(1, `"gust":1`),
      written(2, `"gust":9007199254740993`),
      written(3, `"gust":1e400`),
      written(4, `"tiny":1e-400`),
    );
    const rows = await feed.current();
    const seen = inferColumnTypes
      ? (rows["r2"]?.rescued as { gust: { value: unknown } } | undefined)?.gust.value
      : rows["r2"]?.cells["gust"];
    assert.is(seen, "9007199254740993");
    assert.is(Number(rows["r4"]?.cells["tiny"]), 0);
  }
});

test("corpus 27: a number that becomes text, an object and null is kept, rescued or counted, in every mode", async () => {
  const values = [1, "x", { a: 1 }, null];
  const records = values.map((gust, n) => reading(n, { gust }));
  const kept: Readonly<Record<EvolutionMode, readonly unknown[]>> = {
    addNewColumns: [1, "x", `{"a":1}`],
    addNewColumnsWithTypeWidening: [1, "x", `{"a":1}`],
    rescue: [1, "x", { a: 1 }],
    failOnNewColumns: [1, "x", { a: 1 }],
    none: [],
  };
  for (const mode of EVOLUTION_MODES) {
    const inStream = feedIn(mode);
    await inStream.stream(...records);
    assert.is(Object.keys(await inStream.current()).length, 4, mode);
    const rows = Object.values(await inStream.current());
    const all = rows.map((row) => row.cells["gust"] ?? (row.rescued as { gust?: { value: unknown } } | null)?.gust?.value ?? null);
    const expected = mode === "none" ? [null, null, null, null] : [1, "x", { a: 1 }, null];
    assert.equal([all, inStream.ignored["gust"] ?? 0], [expected, mode === "none" ? 3 : 0], mode);
    const inFile = feedIn(mode);
    await inFile.files({ path: "f1", records });
    const ofFile = Object.values(await inFile.current()).flatMap((row) => {
      const value = row.cells["gust"] ?? (row.rescued as { gust?: { value: unknown } } | null)?.gust?.value;
      return value === undefined || value === null ? [] : [value];
    });
    assert.equal(ofFile, mode.startsWith("add") ? [`1`, `"x"`, `{"a":1}`] : kept[mode], mode);
  }
});

test("corpus 35, 36, 37: columns in another order are the same; a row with more cells than the header brings none; fewer are noted", async () => {
  const feed = feedIn("addNewColumns");
  const text = [
    "gust,production_mw,timestamp,plant_id,reading_id",
    "4.5,3,2025-06-15T06:00:00Z,REN-SOLAR-001,a",
    "5,3,2025-06-15T06:01:00Z,REN-SOLAR-001,b,surprise",
    ",3,2025-06-15T06:02:00Z,REN-SOLAR-001,c",
  ].join("\n");
  const { records } = await readBytes(csv(DEFAULT_LIMITS), `${text}\n`);
  assert.equal(
    records.map(({ fault }) => fault?.code ?? null),
    [null, "bad_csv", null],
  );
  await feed.files({
    path: "f1",
    records: records.filter(({ fault }) => fault === undefined).map(({ fields = {}, cells = true }) => ({ fields, cells })),
  });
  assert.equal(feed.grown, { gust: "string" });
  const rows = await feed.current();
  assert.equal([rows["a"]?.cells["gust"], rows["a"]?.cells["production_mw"], rows["c"]?.cells["gust"]], ["4.5", 3, null]);
});

test("corpus 71: a column that turns from whole numbers to text between files keeps its type, and the text is rescued", async () => {
  for (const mode of ["addNewColumns", "addNewColumnsWithTypeWidening"] as const) {
    const feed = feedIn(mode);
    await feed.files({ path: "f1", records: [{ fields: { ...reading(1), level: 7 }, cells: false }] });
    await feed.files({ path: "f2", records: [{ fields: { ...reading(2), level: "seven" }, cells: false }] });
    assert.equal(feed.grown, { level: "bigint" });
    assert.equal((await feed.current())["r2"]?.rescued, { level: { value: "seven", reason: "type_mismatch" } });
  }
});

test("corpus 72: a column that is missing is null, one that was renamed is new, one in another case is told", async () => {
  const feed = feedIn("addNewColumns");
  await feed.files({ path: "f1", records: [reading(1, { capacity_mw: 20, gust: 1 })] });
  await feed.files({ path: "f2", records: [reading(2, { rated_mw: 20, GUST: 2 })] });
  const { r2 } = await feed.current();
  assert.equal([r2?.cells["capacity_mw"], r2?.cells["rated_mw"], feed.schema.version], [null, 20, 3]);
  assert.equal(r2?.rescued, { GUST: { value: 2, reason: "case_mismatch" } });
  const { production_mw, ...lacking } = reading(3) as { production_mw: number };
  await feed.files({ path: "f3", records: [lacking, { ...lacking, Production_MW: production_mw }] });
  assert.equal(feed.quarantine, ["missing_field", "missing_field"].slice(0, feed.quarantine.length));
  assert.is(feed.quarantine.length, 2);
  const lenient = feedIn("rescue", "renewable", { caseSensitive: false });
  await lenient.files({ path: "f1", records: [{ ...lacking, Production_MW: production_mw }] });
  assert.equal([lenient.quarantine, (await lenient.current())["r3"]?.cells["production_mw"]], [[], 13]);
});

test("corpus 73, 74: nested values, instants and long numbers of Parquet files become columns or are rescued, and none is lost", async () => {
  for (const name of ["nested.parquet", "pyarrow_plain.parquet", "pyarrow_int96.parquet"]) {
    const records = await fieldsOf(parquet(DEFAULT_LIMITS), readFileSync(join(PARQUET, name)));
    assert.ok(records.length > 0, name);
    for (const mode of EVOLUTION_MODES) {
      const feed = feedIn(mode);
      await feed.files({ path: name, records });
      const rows = Object.values(await feed.current());
      assert.is(rows.length, records.length, `${name} ${mode} ${feed.quarantine}`);
      const declared = Object.entries(feed.schema.columns).flatMap(([column, { origin }]) => (origin === "declared" ? [column] : []));
      const given = records.flatMap(({ fields }) =>
        Object.entries(fields).filter(([key, value]) => !declared.includes(key) && value !== null && value !== undefined),
      );
      const kept = rows.flatMap(({ cells }) => Object.keys(feed.grown).filter((column) => (cells[column] ?? null) !== null)).length;
      const rescued = rows.flatMap((row) => Object.keys((row.rescued ?? {}) as object)).length;
      const counted = Object.values(feed.ignored).reduce((sum, count) => sum + count, 0);
      assert.is(kept + rescued + counted, given.length, `${name} ${mode}`);
    }
  }
});

test("corpus 107: columns of a change that are added, dropped or of another type are treated by the mode, and the bill is the same", async () => {
  const { payment_method: _, ...dropped } = GUIDE_BILL;
  const changes = [GUIDE_BILL, { ...dropped, transaction_id: "TXN-00000043" }];
  const digests = new Set<string>();
  for (const mode of EVOLUTION_MODES) {
    const feed = feedIn(mode, "billing");
    await feed.stream(...changes.map((change, n) => ({ ...change, discount: n === 0 ? 5 : "none" })));
    assert.equal(feed.quarantine, [], mode);
    const rows = Object.values(await feed.current());
    assert.is(rows.length, 2, mode);
    const kept = rows.filter(({ cells }) => (cells["discount"] ?? null) !== null).length;
    const rescued = rows.filter((row) => Object.hasOwn((row.rescued ?? {}) as object, "discount")).length;
    assert.is(kept + rescued + (feed.ignored["discount"] ?? 0), 2, mode);
    assert.is(rescued, mode === "none" ? 0 : mode.startsWith("add") ? 1 : 2, mode);
    digests.add(feed.digest);
  }
  assert.is(digests.size, 1);
});
