import * as assert from "uvu/assert";
import { SchemaChangeRefused } from "../../engine/schema_change.ts";
import { ARRIVED_AT_MS, EvolvingFeed } from "../kit/evolving_feed.ts";
import { suite } from "../kit/suite.ts";

const test = suite("decisions on columns");

function reading(n: number, more: object = {}): object {
  const timestamp = new Date(Date.UTC(2025, 5, 15, 6, n)).toISOString();
  return { reading_id: `r${n}`, plant_id: "REN-SOLAR-001", timestamp, production_mw: 10 + n, ...more };
}

async function rescuing(...more: readonly object[]): Promise<EvolvingFeed> {
  const feed = new EvolvingFeed("renewable", { mode: "rescue", inferColumnTypes: true, hints: {} });
  await feed.stream(...more.map((one, n) => reading(n, one)));
  return feed;
}

test("an approved value moves from what was rescued into its column, under the row's id, and the row names the one it replaces", async () => {
  const feed = await rescuing({ gust: 3, note: "a" });
  const [before] = await feed.rows();
  await feed.change({ column: "gust", type: "double" });
  const [, after] = await feed.rows();
  assert.equal([after?.rowId, after?.amends, after?.schemaVersion], [before?.rowId, before?.sequence, 2]);
  assert.equal(
    [after?.position, after?.source, after?.arrivedAtMs, after?.date],
    [before?.position, before?.source, before?.arrivedAtMs, before?.date],
  );
  assert.equal(after?.cells, { ...before?.cells, gust: 3 });
  assert.equal(JSON.parse(after?.rescued ?? ""), { note: { value: "a", reason: "new_column" } });
  await feed.change({ column: "note", type: "string" });
  const [, , last] = await feed.rows();
  assert.equal([last?.amends, last?.rescued, last?.cells["gust"], last?.cells["note"]], [after?.sequence, null, 3, "a"]);
});

test("actors, clocks and counts of records do not feel a decision", async () => {
  const feed = await rescuing({ gust: 3 }, { gust: 4 });
  const counts = feed.world.counters.group("feed renewable");
  const { digest } = feed;
  await feed.change({ column: "gust", type: "double" });
  assert.equal([feed.digest, feed.world.counters.group("feed renewable")], [digest, counts]);
  assert.is(feed.world.counters.group("table")["renewable_production"], 4);
});

test("a value that does not fit stays rescued, until a type comes that holds it", async () => {
  const feed = await rescuing({ gust: 3 }, { gust: 2.5 }, { gust: "strong" }, { gust: 2 ** 60 });
  assert.equal(await feed.change({ column: "gust", type: "bigint" }), { version: 2, isNew: true, amended: 1, left: 3, gone: 0 });
  assert.equal(await feed.change({ column: "gust", type: "double" }), { version: 3, isNew: true, amended: 1, left: 2, gone: 0 });
  const rows = await feed.current();
  assert.equal([rows["r0"]?.cells["gust"], rows["r1"]?.cells["gust"], rows["r0"]?.schemaVersion], [3, 2.5, 2]);
  assert.equal(rows["r2"]?.rescued, { gust: { value: "strong", reason: "new_column" } });
  assert.equal(rows["r3"]?.rescued, { gust: { value: "1152921504606847000", reason: "new_column" } });
  await assert.not.throws(() => feed.stream(reading(9, { gust: 1.5 })));
});

test("done again a decision changes nothing, and finishes what was interrupted", async () => {
  const records = Array.from({ length: 1_100 }, (_, n) => ({ gust: n }));
  const feed = await rescuing(...records);
  const { commit } = feed.store;
  let commits = 0;
  feed.store.commit = (one) => {
    commits += 1;
    return commits > 2 ? Promise.reject(new Error("the process ends here")) : commit(one);
  };
  await feed.change({ column: "gust", type: "double" }).then(
    () => assert.unreachable(),
    () => {},
  );
  feed.store.commit = commit;
  feed.restart();
  assert.is(feed.schema.version, 2);
  assert.equal(await feed.change({ column: "gust", type: "double" }), { version: 2, isNew: false, amended: 600, left: 0, gone: 0 });
  const rows = Object.values(await feed.current());
  assert.equal([rows.length, rows.filter(({ cells, rescued }) => cells["gust"] !== undefined && rescued === null).length], [1_100, 1_100]);
  const before = (await feed.rows()).length;
  assert.is((await feed.change({ column: "gust", type: "double" })).amended, 0);
  assert.equal([before, (await feed.rows()).length, feed.schema.version], [2_200, 2_200, 2]);
});

test("an ignored column is counted from then on, what waited is settled, and approval begins anew", async () => {
  const feed = await rescuing({ gust: 3 });
  assert.equal(await feed.change({ column: "gust", type: null }), { version: 1, isNew: true, amended: 1, left: 0, gone: 0 });
  assert.equal(await feed.change({ column: "gust", type: null }), { version: 1, isNew: false, amended: 0, left: 0, gone: 0 });
  await feed.stream(reading(5, { gust: 4 }));
  assert.equal([(await feed.current())["r5"]?.rescued, feed.ignored], [null, { gust: 1 }]);
  assert.equal(await feed.change({ column: "gust", type: "double" }), { version: 2, isNew: true, amended: 0, left: 0, gone: 0 });
  await feed.stream(reading(6, { gust: 5 }));
  assert.is((await feed.current())["r6"]?.cells["gust"], 5);
});

test("only a column of whole numbers takes another type, and only that of fractions", async () => {
  const feed = new EvolvingFeed("renewable", { mode: "addNewColumns", inferColumnTypes: true, hints: { cells: "bigint" } });
  await feed.stream(reading(1, { gust: 3, cells: 1, note: "a" }));
  await feed.change({ column: "gust", type: "double" });
  assert.equal(feed.schema.columns["gust"], { type: "double", origin: "approved" });
  for (const [column, type] of [
    ["note", "double"],
    ["gust", "bigint"],
    ["production_mw", "string"],
  ] as const) {
    await feed.change({ column, type }).then(
      () => assert.unreachable(column),
      (error: unknown) => assert.instance(error, SchemaChangeRefused),
    );
  }
  assert.is(feed.schema.version, 3);
});

test("values wait for 90 days of arrival, then their rows stay as they are", async () => {
  const feed = await rescuing({ gust: 3 });
  const day = 86_400_000;
  for (const [n, later] of [89 * day, 91 * day].entries()) {
    const batch = { origin: "file:later/", path: "later", generation: 0, resumeAt: new Map(), idle: false };
    const bytes = Buffer.from(JSON.stringify(reading(10 + n, { gust: 4 })));
    await feed.apply({ ...batch, records: [{ at: n, arrivedAtMs: ARRIVED_AT_MS + later, bytes }] });
  }
  assert.equal(await feed.change({ column: "gust", type: "double" }), { version: 2, isNew: true, amended: 2, left: 0, gone: 0 });
  assert.equal((await feed.current())["r0"]?.rescued, { gust: { value: 3, reason: "new_column" } });
});

test("a row that has left the log is not said again", async () => {
  const feed = await rescuing({ gust: 3 });
  feed.store.readLog = async () => [];
  assert.equal(await feed.change({ column: "gust", type: "double" }), { version: 2, isNew: true, amended: 0, left: 0, gone: 1 });
  assert.is((await feed.change({ column: "gust", type: "double" })).gone, 0);
});

test("records that have no row, or whose columns are declared, do not wait", async () => {
  const feed = await rescuing({ gust: 3 });
  await feed.stream(reading(0, { gust: 3 }), reading(1, { capacity_mw: "big" }), { ...reading(2, { gust: 5 }), production_mw: null });
  assert.is((await feed.change({ column: "gust", type: "double" })).amended, 1);
});
