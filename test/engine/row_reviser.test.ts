import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import type { CuratedRow } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { RowReviser } from "../../engine/row_reviser.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Store } from "../../engine/store.ts";
import { World } from "../../engine/world.ts";
import type { Script } from "../kit/given.ts";
import { customer, given, reading } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

// Rows of readings, whose links become known, or become others, after they were written.
const test = suite("row reviser");

const MINUTES_A_DAY = 1_440;
const dayOf = (minute: number): string => new Date(at(minute)).toISOString().slice(0, 10);

/** A process that does what is asked for in a store. `stopAfter`: it ends before its n-th commit. */
async function revise(store: Store, stopAfter = Number.POSITIVE_INFINITY): Promise<void> {
  const world = new World({ name: "main", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
  const stop = new AbortController();
  let works = 0;
  const between = async (work: () => Promise<void>): Promise<void> => {
    works += 1;
    if (works >= stopAfter) stop.abort();
    else await work();
  };
  await new RowReviser({ world, store, between }).settle(stop.signal);
}

async function rowsOf(store: Store): Promise<readonly (CuratedRow & { readonly sequence: number })[]> {
  const decode = emissionDecoder("main", GRID.tables);
  const entries = await store.readLog("curated", 1, 100_000_000);
  return entries.flatMap((entry) => {
    const emission = decode("curated", entry);
    return emission.stream === "curated" && emission.row.table === "meter_readings" ? [{ ...emission.row, sequence: entry.sequence }] : [];
  });
}

/** Of each reading, in order of time, what its row says now: the last one of its id. */
async function told(store: Store): Promise<readonly string[]> {
  const latest = new Map((await rowsOf(store)).map((row) => [row.rowId, row]));
  return [...latest.values()]
    .sort((a, b) => Number(a.cells["timestamp"]) - Number(b.cells["timestamp"]))
    .map(({ cells }) => `${cells["link_status"]} ${cells["transformer_id"]}`);
}

async function after(...script: Script): Promise<Store> {
  const { store } = await given().when(...script);
  await revise(store);
  return store;
}

const LINKED = "linked TRF-N-0034";

test("readings that came before their master are linked when it has come, under the same row ids", async () => {
  const early = [reading(0, 1), reading(60, 2)];
  const store = await after(...early, customer("2024-01-01"), reading(120, 3));
  assert.equal(await told(store), [LINKED, LINKED, LINKED]);
  const rows = await rowsOf(store);
  assert.equal(
    rows.map(({ amends }) => amends),
    [null, null, null, rows[0]?.sequence, rows[1]?.sequence],
  );
  assert.equal(
    rows.slice(3).map(({ rowId, cells, position }) => [rowId, cells["reading_kwh"], position]),
    rows.slice(0, 2).map(({ rowId, cells, position }) => [rowId, cells["reading_kwh"], position]),
  );
});

test("a moved customer changes exactly the readings from its day on", async () => {
  const minutes = [0, 1, 2, 3].map((day) => day * MINUTES_A_DAY + 60);
  const moved = customer(dayOf(2 * MINUTES_A_DAY), { transformer_id: "TRF-N-0099" });
  const store = await after(customer("2024-01-01"), ...minutes.map((minute) => reading(minute, 1)), moved);
  assert.equal(await told(store), [LINKED, LINKED, "linked TRF-N-0099", "linked TRF-N-0099"]);
  assert.is((await rowsOf(store)).length, 6);
});

test("a change that moves nobody writes nothing", async () => {
  const store = await after(customer("2024-01-01"), reading(0, 1), customer(dayOf(0), { tariff_category: "COMMERCIAL" }));
  assert.is((await rowsOf(store)).length, 1);
  assert.equal([...store.range("revise", "")], []);
});

test("in whatever order readings and masters come, rows say the same in the end", async () => {
  const items = [
    reading(0, 1),
    reading(2 * MINUTES_A_DAY, 2),
    customer("2024-01-01"),
    customer(dayOf(MINUTES_A_DAY), { transformer_id: "TRF-N-0099" }),
  ];
  const expected = [LINKED, "linked TRF-N-0099"];
  const orders = items.flatMap((a) => items.flatMap((b) => items.flatMap((c) => items.map((d) => [a, b, c, d]))));
  for (const order of orders.filter((one) => new Set(one).size === items.length)) assert.equal(await told(await after(...order)), expected);
});

test("what is done twice, or was stopped anywhere, is as if it had been done once", async () => {
  for (let stopAfter = 1; stopAfter <= 4; stopAfter += 1) {
    const { store } = await given().when(reading(0, 1), reading(60, 2), customer("2024-01-01"));
    await revise(store, stopAfter);
    await revise(store);
    await revise(store);
    assert.equal(await told(store), [LINKED, LINKED]);
    assert.is((await rowsOf(store)).length, 4);
    assert.equal([...store.range("revise", "")], []);
  }
});
