import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import * as assert from "uvu/assert";
import type { CuratedRow, Emission } from "../../engine/emission.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import type { Mark } from "../../engine/ids.ts";
import type { Sink } from "../../engine/sink.ts";
import { NO_CURSOR, type SinkCursor } from "../../engine/sink_cursor.ts";
import type { DeclaredTable } from "../../sinks/delta_column.ts";
import { parquet } from "../../sinks/parquet.ts";
import { sinkContract } from "../contract/sink.ts";
import { deltaEntries, deltaRows, sequenceOf } from "../kit/delta_reader.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { readByOthers, readersMissing } from "../kit/foreign_readers.ts";
import { notRun, suite } from "../kit/suite.ts";
import { inTempFolder, newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const name = "curated";
const storeId = "store-a";
const READINGS: DeclaredTable = { name: "meter_readings", feed: "smart_meter", columns: [["reading_kwh", { type: "double" }]] };
const EVERY_TYPE: DeclaredTable = {
  name: "every_type",
  feed: null,
  columns: [
    ["text", { type: "string" }],
    ["ratio", { type: "double" }],
    ["count", { type: "long" }],
    ["flag", { type: "boolean" }],
    ["day", { type: "date" }],
    ["at", { type: "timestamp" }],
    ["amount", { type: "decimal", precision: 18, scale: 2 }],
    ["rate", { type: "decimal", precision: 18, scale: 4 }],
    ["units", { type: "decimal", precision: 18, scale: 3 }],
  ],
};
const SCHEMA_VERSIONS: DeclaredTable = {
  name: "schema_versions",
  feed: null,
  columns: [
    ["feed", { type: "string" }],
    ["version", { type: "long" }],
    ["column", { type: "string" }],
    ["type", { type: "string" }],
  ],
};
const AT_MS = Date.UTC(2025, 5, 15, 16, 23, 45, 120);
const TABLES = [READINGS, EVERY_TYPE, SCHEMA_VERSIONS];

/** Two days in each extent, out of order. */
const reading = (sequence: number): Emission => rowEmission(sequence, { date: sequence % 3 === 0 ? "2025-06-14" : "2025-06-15" });

sinkContract("Parquet", async () => {
  const folder = await newTempFolder();
  const path = join(folder, "out", "curated");
  return {
    name,
    stream: "curated",
    emission: reading,
    open: (cursor, passing) => parquet({ name, path, storeId, cursor, tables: TABLES, extents: { records: 5, everyMs: 30_000 }, passing }),
    seen: async () => (await deltaRows(join(path, "meter_readings"))).map(sequenceOf),
    remove: () => removeFolder(folder),
  };
});

const test = suite("Parquet");

const CHECKPOINT_100 = "00000000000000000100.checkpoint.parquet";

test("a restored state takes away what was listed after its backup, checkpoints too, and lists it anew; any other state is refused", () =>
  inTempFolder(async (path) => {
    const table = join(path, "meter_readings");
    const first = await parquet({ name, path, storeId, cursor: NO_CURSOR, tables: TABLES });
    const marks: Mark[] = [];
    for (let n = 1; n <= 102; n += 1) marks.push(await first.write([reading(n)]));
    await first.close();
    const cursor: SinkCursor = { settled: 99, mark: marks[98] ?? null, pending: null };
    const failure = await parquet({ name, path, storeId, cursor, tables: TABLES }).then(
      () => null,
      (error: unknown) => error,
    );
    assert.instance(failure, BrokenInvariant);
    const given = { name, path, storeId, tables: TABLES, generation: 7 };
    let points = 0;
    const crash = (): never => {
      points += 1;
      throw new Error("crash");
    };
    const cutOff = await parquet({ ...given, cursor, passing: (point) => point === "parquet.rewind" && points === 0 && crash() }).catch(
      (error: unknown) => error,
    );
    assert.instance(cutOff, Error);
    await (await parquet({ ...given, cursor })).close();
    assert.equal(
      (await deltaRows(table)).map(sequenceOf),
      Array.from({ length: 99 }, (_, n) => n + 1),
    );
    assert.not((await readdir(join(table, "_delta_log"))).some((file) => file.includes("checkpoint")));
    const restored = await parquet({ ...given, cursor });
    const mark = await restored.write([reading(100), reading(101)]);
    await restored.close();
    assert.equal(
      (await deltaRows(table)).map(sequenceOf),
      Array.from({ length: 101 }, (_, n) => n + 1),
    );
    assert.instance(await parquet({ ...given, cursor }).catch((error: unknown) => error), BrokenInvariant);
    await (await parquet({ ...given, cursor: { settled: 101, mark, pending: null } })).close();
  }));

test("a restored state keeps a checkpoint exactly if it keeps every entry that the checkpoint stands for", async () => {
  for (const kept of [99, 100, 101]) {
    await inTempFolder(async (path) => {
      const table = join(path, "meter_readings");
      const first = await parquet({ name, path, storeId, cursor: NO_CURSOR, tables: TABLES });
      const marks: Mark[] = [];
      for (let n = 1; n <= 102; n += 1) marks.push(await first.write([reading(n)]));
      await first.close();
      const cursor: SinkCursor = { settled: kept, mark: marks[kept - 1] ?? null, pending: null };
      const restored = await parquet({ name, path, storeId, tables: TABLES, generation: 7, cursor });
      const checkpoints = (await readdir(join(table, "_delta_log"))).filter((file) => file.endsWith(".checkpoint.parquet"));
      assert.equal(checkpoints, kept > 100 ? [CHECKPOINT_100] : [], `${kept} entries are kept`);
      await restored.write([reading(kept + 1), reading(kept + 2)]); // Its part has another name than the ones that were given up.
      await restored.write([reading(kept + 3)]);
      await restored.close();
      const listed = (await deltaEntries(table)).slice(0, 101).flat();
      assert.equal(
        await checkpointParts(join(table, "_delta_log", CHECKPOINT_100)),
        listed.flatMap(({ add }) => (add === undefined ? [] : [add.path])),
        `${kept} entries are kept`,
      );
    });
  }
});

/** The parts that a checkpoint lists, in order. */
async function checkpointParts(path: string): Promise<readonly string[]> {
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  return rows.flatMap(({ add }) => (add === null || add === undefined ? [] : [(add as { readonly path: string }).path]));
}

test("a checkpoint every 100 entries stands for all before it, whether a crash came before it or not", () =>
  inTempFolder(async (path) => {
    const table = join(path, "meter_readings");
    let crashes = 0;
    const passing = (point: string): void => {
      if (point !== "parquet.listed") return;
      crashes += 1;
      if (crashes === 101) throw new BrokenInvariant("crash"); // Entry 100 is listed, and its checkpoint not yet written.
    };
    let cursor: SinkCursor = NO_CURSOR;
    let one = await parquet({ name, path, storeId, cursor, tables: TABLES, passing });
    for (let n = 1; n <= 250; n += 1) {
      const extent = [reading(2 * n - 1), reading(2 * n)];
      const pending = { ...cursor, pending: 2 * n };
      const mark = await one.write(extent).catch(async () => {
        one = await parquet({ name, path, storeId, cursor: pending, tables: TABLES });
        assert.ok((await readdir(join(table, "_delta_log"))).includes("00000000000000000100.checkpoint.parquet"));
        return one.write(extent);
      });
      cursor = { settled: 2 * n, mark, pending: null };
    }
    await one.close();
    assert.is(crashes, 101);
    const log = await readdir(join(table, "_delta_log"));
    assert.equal(
      log.filter((file) => file.includes("checkpoint")),
      ["00000000000000000100.checkpoint.parquet", "00000000000000000200.checkpoint.parquet", "_last_checkpoint"],
    );
    assert.equal(JSON.parse(await readFile(join(table, "_delta_log/_last_checkpoint"), "utf8")).version, 200);
    const entries = await deltaEntries(table);
    const expected = entries
      .slice(0, 201)
      .flat()
      .filter(({ add }) => add !== undefined);
    const rows = await parquetReadObjects({
      file: await asyncBufferFromFile(join(table, "_delta_log/00000000000000000200.checkpoint.parquet")),
    });
    const adds = rows.flatMap(({ add }) =>
      add === null || add === undefined ? [] : [add as { path: string; size: bigint; stats: string }],
    );
    assert.equal(
      adds.map((add) => [add.path, Number(add.size), add.stats]),
      expected.map(({ add }) => [add?.path, add?.size, add?.stats]),
    );
    assert.is(rows.length, adds.length + 3);
  }));

test("delta-rs and DuckDB read the tables: rows, types, earlier versions, and from a checkpoint alone", () => {
  const missing = readersMissing();
  if (missing !== null) return notRun("tables read by others", missing);
  return inTempFolder(async (path) => {
    const one = await parquet({ name, path, storeId, cursor: NO_CURSOR, tables: TABLES });
    const cells = {
      text: "Ω",
      ratio: -0.1,
      count: 9,
      flag: false,
      day: "1999-12-31",
      at: AT_MS,
      amount: -1_999,
      rate: 65_000,
      units: 456_780,
    };
    await one.write([rowOf("every_type", 1, cells), rowOf("every_type", 2, { ...cells, text: null, amount: null })]);
    for (let n = 1; n <= 130; n += 1) await one.write([reading(10 + 2 * n), reading(11 + 2 * n)]);
    await one.close();
    const every = readByOthers(join(path, "every_type"));
    assert.equal(every.delta, [1, 2]);
    assert.equal(every.partitions, ["date"]);
    const { text: ofText, at, amount, day, count, flag } = every.types;
    assert.equal([ofText, at, amount, day, count, flag], ["string", "timestamp", "decimal(18,2)", "date", "long", "boolean"]);
    const { columns, rows } = every.duckdb;
    const names = Object.keys(columns);
    const value = (row: number, column: string): unknown => rows[row]?.[names.indexOf(column)];
    assert.equal([columns["amount"], columns["at"], columns["day"]], ["DECIMAL(18,2)", "TIMESTAMP WITH TIME ZONE", "DATE"]);
    assert.equal([value(0, "amount"), value(0, "text"), value(0, "day"), value(1, "amount")], ["-19.99", "Ω", "1999-12-31", null]);

    const table = join(path, "meter_readings");
    const all = Array.from({ length: 260 }, (_, n) => 12 + n);
    const whole = readByOthers(table, [0, 49]);
    assert.is(whole.version, 129);
    assert.equal(whole.delta, all);
    assert.equal(whole.earlier, { 0: all.slice(0, 2), 49: all.slice(0, 100) });
    assert.is(whole.duckdb.rows.length, 260);
    for (let n = 0; n < 100; n += 1) await rm(join(table, "_delta_log", `${String(n).padStart(20, "0")}.json`));
    assert.equal(readByOthers(table).delta, all);
  });
});

test("every type comes back exactly, nulls too", () =>
  inTempFolder(async (path) => {
    const full = {
      text: 'Ω, "quoted"\n',
      ratio: -0.1,
      count: 9_007_199_254_740_991,
      flag: false,
      day: "1999-12-31",
      at: Date.UTC(2025, 5, 15, 16, 23, 45, 120),
      amount: -1_234_567_890_123,
      rate: 65_000,
      units: 456_780,
    };
    const empty = { text: null, ratio: null, count: null, flag: null, day: null, at: null, amount: null, rate: null, units: null };
    await written(path, [rowOf("every_type", 1, full), rowOf("every_type", 2, empty)]);
    const [first = {}, second] = (await deltaRows(join(path, "every_type"))).map(ownColumns);
    const unscaled = (column: string, scale: number): number => Math.round(Number(first[column]) * 10 ** scale); // The reader gives decimals as floats.
    assert.equal(
      { ...first, amount: unscaled("amount", 2), rate: unscaled("rate", 4), units: unscaled("units", 3) },
      {
        ...full,
        count: 9_007_199_254_740_991n,
        day: new Date("1999-12-31T00:00:00Z"),
        at: new Date("2025-06-15T16:23:45.120Z"),
      },
    );
    assert.equal(second, empty);
  }));

test("every row begins with the same ten columns", () =>
  inTempFolder(async (path) => {
    const changes = { amends: 3, rescued: '{"a":1}', schemaVersion: 2, late: true, rules: "meter.spike" };
    await written(path, [rowEmission(5, changes)]);
    const [row] = await deltaRows(join(path, "meter_readings"));
    assert.equal(row, {
      _row_id: "row-5",
      _seq: 5n,
      _amends: 3n,
      _source: "meters:smart_meter_stream.json",
      _position: "file:9f2c/5",
      _ingestion_ts: new Date(Date.UTC(2025, 5, 16) + 5),
      _rescued_data: '{"a":1}',
      _schema_version: 2n,
      late: true,
      rules: "meter.spike",
      reading_kwh: 0.5,
      date: "2025-06-15",
    });
  }));

test("the first entry of a table's log describes the table, every entry lists its parts and the extent", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    await sink.write([reading(1), reading(3), reading(4)]);
    await sink.write([reading(7)]);
    await sink.close();
    const [first = [], second = []] = await deltaEntries(join(path, "meter_readings"));
    assert.equal(
      first.map((action) => Object.keys(action)[0]),
      ["protocol", "metaData", "add", "add", "txn"],
    );
    assert.equal(first[0]?.protocol, { minReaderVersion: 1, minWriterVersion: 2 });
    assert.equal(first[1]?.metaData?.partitionColumns, ["date"]);
    assert.equal(first[1]?.metaData?.configuration, { "delta.appendOnly": "true" });
    const day14 = "date=2025-06-14/part-00000000000000000003-00000000000000000003.parquet";
    const day15 = "date=2025-06-15/part-00000000000000000001-00000000000000000004.parquet";
    assert.equal(
      first.flatMap(({ add }) => add?.path ?? []),
      [day14, day15],
    );
    const { size } = await stat(join(path, "meter_readings", day15));
    assert.equal(first[3]?.add, {
      path: day15,
      partitionValues: { date: "2025-06-15" },
      size,
      modificationTime: Date.UTC(2025, 5, 16) + 4,
      dataChange: true,
      stats: '{"numRecords":2,"minValues":{"_seq":1},"maxValues":{"_seq":4}}',
    });
    assert.equal(first[4]?.txn, { appId: "gridactor/store-a/curated", version: 4 });
    assert.equal(
      second.map((action) => Object.keys(action)[0]),
      ["add", "txn"],
    );
    assert.is(second[1]?.txn?.version, 7);
  }));

test("an extent without rows for a table leaves no trace there", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    await sink.write([reading(1)]);
    await sink.close();
    assert.equal((await readdir(path)).sort(), ["meter_readings"]);
  }));

test("the same rows give the same bytes, in another folder of the same store as well", () =>
  inTempFolder(async (path) => {
    for (const folder of ["one", "two"]) await written(join(path, folder), [reading(1), reading(3), reading(4)]);
    const [one, two] = await Promise.all(["one", "two"].map((folder) => filesIn(join(path, folder))));
    assert.equal(one, two);
  }));

test("a crash between the tables of an extent leaves each row once", () =>
  inTempFolder(async (path) => {
    const extent = [reading(1), rowOf("schema_versions", 2, version("smart_meter", "solar_kwh", "double")), reading(3)];
    for (let at = 1, crashed = true; crashed; at += 1) {
      crashed = false;
      let passages = 0;
      const folder = join(path, String(at));
      const cursor: SinkCursor = { settled: 0, mark: null, pending: 3 };
      const passing = (): void => {
        passages += 1;
        crashed ||= passages === at;
        if (passages === at) throw new BrokenInvariant("scripted crash");
      };
      const first = await parquet({ name, path: folder, storeId, cursor, tables: TABLES, passing });
      await first.write(extent).catch(() => {});
      await first.close();
      const second = await opened(folder, cursor);
      await second.write(extent);
      await second.close();
      assert.equal((await deltaRows(join(folder, "meter_readings"))).map(sequenceOf), [1, 3]);
      assert.equal((await deltaRows(join(folder, "schema_versions"))).map(sequenceOf), [2]);
      const files = Object.keys(await filesIn(folder));
      assert.equal(
        files.filter((file) => file.endsWith(".tmp")),
        [],
      );
      assert.is(files.filter((file) => file.endsWith(".parquet")).length, 3);
    }
  }));

test("a column that is born later is null before, typed from then on, and survives a restart", () =>
  inTempFolder(async (path) => {
    const first = await opened(path);
    await first.write([reading(1)]);
    const mark = await first.write([rowOf("schema_versions", 2, version("smart_meter", "solar_kwh", "bigint"))]);
    await first.close();
    const second = await opened(path, { settled: 2, mark, pending: null });
    await second.write([rowEmission(3, { cells: { reading_kwh: 1, solar_kwh: 7 } })]);
    await second.close();
    const rows = await deltaRows(join(path, "meter_readings"));
    assert.equal(rows.map(ownColumns), [{ reading_kwh: 0.1 }, { reading_kwh: 1, solar_kwh: 7 }]);
    const described = (await deltaEntries(join(path, "meter_readings"))).map((entry) =>
      entry.some(({ metaData }) => metaData !== undefined),
    );
    assert.equal(described, [true, true]);
    assert.match(lastSchema(await deltaEntries(join(path, "meter_readings"))), '{"name":"solar_kwh","type":"double","nullable":true');
  }));

test("a column of another feed is none of this table's", () =>
  inTempFolder(async (path) => {
    await written(path, [rowOf("schema_versions", 1, version("renewable", "curtailment_mw", "double")), reading(2)]);
    assert.not.match(lastSchema(await deltaEntries(join(path, "meter_readings"))), "curtailment_mw");
  }));

test("a column whose name is taken, or unfit, is kept under another", () =>
  inTempFolder(async (path) => {
    const born = ["date", "_SEQ", "a b", "reading_KWH"];
    const versions = born.map((column, index) => rowOf("schema_versions", index + 1, version("smart_meter", column, "json")));
    const cells = { reading_kwh: 1, date: "x", _SEQ: "y", "a b": "z", reading_KWH: "w" };
    const sink = await opened(path);
    const mark = await sink.write([...versions, rowEmission(5, { cells })]);
    await sink.close();
    const again = await opened(path, { settled: 5, mark, pending: null });
    await again.write([rowEmission(6, { cells })]);
    await again.close();
    const expected = { reading_kwh: 1, date_: "x", _SEQ_: "y", a_b: "z", reading_KWH_: "w" };
    const rows = await deltaRows(join(path, "meter_readings"));
    assert.equal(rows.map(({ date, ...row }) => ({ ...ownColumns(row), _SEQ_: row["_SEQ_"], date }))[1], {
      ...expected,
      date: "2025-06-15",
    });
    assert.equal(rows.map(ownColumns)[0], rows.map(ownColumns)[1]);
  }));

test("a cell for which there is no column stops the sink", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    assert.instance(await sink.write([rowEmission(1, { cells: { reading_kwh: 1, secret: 2 } })]).catch(thrown), BrokenInvariant);
    await sink.close();
  }));

test("a column that is declared later is added, one whose type was changed stops the sink", () =>
  inTempFolder(async (path) => {
    const mark = await written(path, [reading(1)]);
    const cursor = { settled: 1, mark, pending: null };
    const longer: DeclaredTable = { ...READINGS, columns: [["voltage_v", { type: "double" }], ...READINGS.columns] };
    const sink = await opened(path, cursor, [longer]);
    const next = await sink.write([rowEmission(2, { cells: { voltage_v: 231.8, reading_kwh: 2 } })]);
    await sink.close();
    assert.equal((await deltaRows(join(path, "meter_readings"))).map(ownColumns)[1], { reading_kwh: 2, voltage_v: 231.8 });
    const other: DeclaredTable = { ...READINGS, columns: [["reading_kwh", { type: "string" }]] };
    const changed = await opened(path, { settled: 2, mark: next, pending: null }, [other]);
    assert.instance(await changed.write([reading(3)]).catch(thrown), BrokenInvariant);
    await changed.close();
  }));

test("files that no entry lists are removed at the start, other files stay", () =>
  inTempFolder(async (path) => {
    const mark = await written(path, [reading(1)]);
    const day = join(path, "meter_readings", "date=2025-06-15");
    await writeFile(join(day, "part-00000000000000000002-00000000000000000003.parquet"), "half");
    await writeFile(join(day, ".part-00000000000000000002-00000000000000000003.parquet.tmp"), "half");
    await writeFile(join(day, "notes.txt"), "mine");
    await (await opened(path, { settled: 1, mark, pending: null })).close();
    assert.equal((await readdir(day)).sort(), ["notes.txt", "part-00000000000000000001-00000000000000000001.parquet"]);
  }));

test("a log that lacks an entry stops the sink before it removes anything", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    await sink.write([reading(1)]);
    const mark = await sink.write([reading(2)]);
    await sink.write([reading(4)]);
    await sink.close();
    const log = join(path, "meter_readings", "_delta_log");
    const cursor = { settled: 2, mark, pending: 4 };
    await (await opened(path, cursor)).close();
    for (const missing of [1, 2, 0]) {
      await rm(join(log, `${String(missing).padStart(20, "0")}.json`));
      assert.instance(await opened(path, cursor).catch(thrown), BrokenInvariant);
    }
    await rm(log, { recursive: true });
    assert.instance(await opened(path, cursor).catch(thrown), BrokenInvariant);
    assert.is((await readdir(join(path, "meter_readings", "date=2025-06-15"))).length, 3);
  }));

test("an entry beyond the last fixed extent stops the sink: the store is older than its output", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    const mark = await sink.write([reading(1)]);
    await sink.write([reading(2)]);
    await sink.close();
    assert.instance(await opened(path, { settled: 1, mark, pending: null }).catch(thrown), BrokenInvariant);
    assert.instance(await opened(path, { settled: 1, mark, pending: 4 }).catch(thrown), BrokenInvariant);
    await (await opened(path, { settled: 1, mark, pending: 2 })).close();
  }));

test("an alert event is a mistake in the configuration, not a row", () =>
  inTempFolder(async (path) => {
    const sink = await opened(path);
    assert.instance(await sink.write([alertEmission(1)]).catch(thrown), BrokenInvariant);
    await sink.close();
  }));

test("a partition that is no date writes nothing outside its table", () =>
  inTempFolder(async (path) => {
    const sink = await opened(join(path, "curated"));
    assert.instance(await sink.write([rowEmission(1, { date: "../../../x" })]).catch(thrown), BrokenInvariant);
    await sink.close();
    assert.equal(await readdir(join(path, "curated")), []);
  }));

function opened(path: string, cursor: SinkCursor = NO_CURSOR, tables: readonly DeclaredTable[] = TABLES): Promise<Sink> {
  return parquet({ name, path, storeId, cursor, tables });
}

async function written(path: string, emissions: readonly Emission[]): Promise<Mark> {
  const sink = await opened(path);
  const mark = await sink.write(emissions);
  await sink.close();
  return mark;
}

function rowOf(table: string, sequence: number, cells: CuratedRow["cells"]): Emission {
  return rowEmission(sequence, { table, cells });
}

function version(feed: string, column: string, type: string): CuratedRow["cells"] {
  return { feed, version: 2, column, type };
}

/** A row without the columns that every table has. */
function ownColumns(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).filter(([column]) => !/^_|^(?:late|rules|date)$/.test(column)));
}

function lastSchema(entries: Awaited<ReturnType<typeof deltaEntries>>): string {
  return entries.flat().findLast(({ metaData }) => metaData !== undefined)?.metaData?.schemaString ?? "";
}

/** Path -> content of every file below a folder. */
async function filesIn(folder: string): Promise<Readonly<Record<string, string>>> {
  const paths = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(paths.sort().map(async (each) => [each.slice(folder.length), await readFile(each, "latin1")] as const)),
  );
}

function thrown(error: unknown): unknown {
  return error;
}
