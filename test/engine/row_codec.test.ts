import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import type { CuratedRow } from "../../engine/emission.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { longHash } from "../../engine/ids.ts";
import { decodeRow } from "../../engine/row_codec.ts";
import { type ResolvedTable, resolveTable } from "../../engine/table.ts";
import { CRASH, type Seen } from "../kit/given.ts";
import { given, production, reading } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const TABLES = new Map(GRID.tables.map((table) => [table.name, table]));

const test = suite("row codec");

const row = (seen: Seen, table: string): CuratedRow => seen.rows(table)[0] as CuratedRow;

test("a row says where its record stood, when it came and whose it is", async () => {
  const arrivedAtMs = at(3);
  const seen = await given(reading(0, 1)).when({
    ...reading(1, 7.25, { event_id: "x", state: "Tamil Nadu" }),
    path: "a/b.json",
    arrivedAtMs,
  });
  const { cells, ...facts } = row(seen, "meter_readings");
  assert.equal(facts, {
    table: "meter_readings",
    rowId: longHash(["meter_readings", "smart_meter", "x", 0]),
    amends: null,
    actor: "meter/SM-N-00042",
    source: "smart_meter:a/b.json",
    position: "file:smart_meter/a/b.json/0",
    arrivedAtMs,
    date: "2025-06-15",
    rescued: null,
    schemaVersion: 1,
    late: false,
    rules: null,
  });
  assert.equal(
    Object.keys(cells),
    TABLES.get("meter_readings")?.columns.map(([name]) => name),
  );
  assert.equal([cells["reading_kwh"], cells["state"], cells["voltage_v"], cells["link_status"]], [7.25, "Tamil Nadu", null, "pending"]);
});

test("any number and any text comes back from the log as it was read", async () => {
  for (const value of ["0", "5e-324", "0.1", "255", "256", "9999.5", "-1", "9999.999999999998"]) {
    const record = JSON.stringify(reading(0, 1).record).replace('"reading_kwh":1', `"reading_kwh":${value}`);
    const cells = row(await given().when({ feed: "smart_meter", record }), "meter_readings").cells;
    assert.ok(Object.is(cells["reading_kwh"], Number(value)), value);
  }
  for (const state of ["दिल्ली", "a😀b", "x".repeat(255), "x".repeat(256), "é".repeat(100_000)]) {
    const cells = row(await given().when(reading(0, 1, { state })), "meter_readings").cells;
    assert.ok(cells["state"] === state, state.slice(0, 9));
  }
});

test("what a row cannot hold is beside it", async () => {
  const { cells, rescued } = row(await given().when(reading(0, 1, { power_factor: 1.2 })), "meter_readings");
  assert.is(cells["power_factor"], null);
  assert.equal(JSON.parse(rescued ?? ""), { power_factor: { value: 1.2, reason: "out_of_range" } });
});

test("columns that a schema was given later come back too, also after a crash", async () => {
  const seen = await given(production(0, 1, { curtailment_mw: 0.5 }), CRASH).when(production(60, 1, { curtailment_mw: -0.25 }));
  const { cells, schemaVersion } = row(seen, "renewable_production");
  assert.equal([cells["curtailment_mw"], schemaVersion], [-0.25, 2]);
});

test("a row of a table that is not declared, or not so, is refused", async () => {
  const seen = await given().when(reading(0, 1));
  const [entry] = await seen.store.readLog("curated", 1, 1);
  const bytes = entry?.bytes ?? new Uint8Array(0);
  const isBug = (error: Error): boolean => error instanceof BrokenInvariant;
  assert.throws(() => decodeRow(new Map(), bytes), isBug);
  const fewer = resolveTable({ name: "meter_readings", feed: null, columns: { event_id: { type: "string" } } }, null);
  assert.throws(() => decodeRow(new Map([["meter_readings", fewer]]), bytes), isBug);
  for (const length of [0, 1, 10, bytes.length - 1]) assert.throws(() => decodeRow(TABLES, bytes.subarray(0, length)), RangeError);
});

test("a row outlives columns that its feed and its table are given later, and has null there", async () => {
  const seen = await given().when(reading(0, 7.25));
  const [entry] = await seen.store.readLog("curated", 1, 1);
  const table = TABLES.get("meter_readings") as ResolvedTable;
  const born = ["born", { type: "double" }] as const;
  const ofFeed = table.columns.slice(0, table.ofFeed);
  const ofActors = table.columns.slice(table.ofFeed);
  const grown = { ...table, columns: [...ofFeed, born, ...ofActors, ["later", { type: "string" }] as const], ofFeed: table.ofFeed + 1 };
  const before = decodeRow(TABLES, entry?.bytes ?? new Uint8Array(0));
  const after = decodeRow(new Map([["meter_readings", grown]]), entry?.bytes ?? new Uint8Array(0));
  assert.equal(after, { ...before, cells: { ...before.cells, born: null, later: null } });
});
