import { appendFile, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { BrokenInvariant, Unavailable } from "../../engine/fault.ts";
import { NO_CURSOR } from "../../engine/sink_cursor.ts";
import { jsonLines } from "../../sinks/json_lines.ts";
import { sinkContract } from "../contract/sink.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder, newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const name = "alerts_file";
const storeId = "store-a";

sinkContract("JSON lines", async () => {
  const folder = await newTempFolder();
  const path = join(folder, "out", "alerts.jsonl");
  return {
    name,
    stream: "alerts",
    emission: alertEmission,
    open: (cursor, passing) => jsonLines({ name, path, storeId, cursor, passing }),
    seen: async () => (await events(path)).map(({ sequence }) => Number(sequence)),
    remove: () => removeFolder(folder),
  };
});

const test = suite("JSON lines");

test("a line is the whole event, and the mark is the length of the file", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "deep", "er", "alerts.jsonl");
    const sink = await jsonLines({ name, path, storeId, cursor: NO_CURSOR });
    const mark = await sink.write([alertEmission(7), alertEmission(9)]);
    await sink.close();
    assert.equal(await events(path), [alertEmission(7).event, alertEmission(9).event]);
    assert.is(mark, String((await stat(path)).size));
  }));

test("half a line beyond the mark is cut off when the file is opened", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "alerts.jsonl");
    const first = await jsonLines({ name, path, storeId, cursor: NO_CURSOR });
    const mark = await first.write([alertEmission(1)]);
    await first.close();
    await appendFile(path, '{"specversion":"1.0","ty');
    const second = await jsonLines({ name, path, storeId, cursor: { settled: 1, mark, pending: null } });
    assert.equal(await events(path), [alertEmission(1).event]);
    await second.close();
  }));

test("half a line of a failed attempt is cut off before the next one", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "alerts.jsonl");
    const sink = await jsonLines({ name, path, storeId, cursor: NO_CURSOR });
    await appendFile(path, '{"specversion":"1.0","ty');
    await sink.write([alertEmission(1)]);
    await sink.close();
    assert.equal(await events(path), [alertEmission(1).event]);
  }));

test("a file that is shorter than what was settled is left alone and stops the sink", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "alerts.jsonl");
    const first = await jsonLines({ name, path, storeId, cursor: NO_CURSOR });
    const mark = await first.write([alertEmission(1)]);
    await first.close();
    await truncate(path, 10);
    assert.instance(await jsonLines({ name, path, storeId, cursor: { settled: 1, mark, pending: null } }).catch(thrown), BrokenInvariant);
    assert.is((await stat(path)).size, 10);
  }));

test("a folder that cannot be made is an outage", () =>
  inTempFolder(async (folder) => {
    await writeFile(join(folder, "file"), "");
    assert.instance(
      await jsonLines({ name, path: join(folder, "file", "alerts.jsonl"), storeId, cursor: NO_CURSOR }).catch(thrown),
      Unavailable,
    );
  }));

test("a curated row is a line with its table, its actor and its columns: instants as text, money in its unit", () =>
  inTempFolder(async (folder) => {
    const path = join(folder, "rows.jsonl");
    const columns = [
      ["reading_kwh", { type: "double" }],
      ["at", { type: "timestamp" }],
      ["amount", { type: "decimal", precision: 18, scale: 2 }],
    ] as const;
    const tables = [{ name: "meter_readings", feed: "smart_meter", columns }];
    const sink = await jsonLines({ name, path, storeId, cursor: NO_CURSOR, tables });
    await sink.write([rowEmission(3, { cells: { reading_kwh: 0.3, at: Date.UTC(2025, 5, 15, 9), amount: 1_999, born: "x" } })]);
    await sink.close();
    const [line = ""] = (await readFile(path, "utf8")).split("\n");
    assert.equal(JSON.parse(line), {
      table: "meter_readings",
      actor: "meter/SM-N-00042",
      _row_id: "row-3",
      _seq: 3,
      _amends: null,
      _source: "meters:smart_meter_stream.json",
      _position: "file:9f2c/3",
      _ingestion_ts: "2025-06-16T00:00:00.003Z",
      _rescued_data: null,
      _schema_version: 1,
      late: false,
      rules: null,
      date: "2025-06-15",
      reading_kwh: 0.3,
      at: "2025-06-15T09:00:00.000Z",
      amount: 19.99,
      born: "x",
    });
  }));

async function events(path: string): Promise<readonly AlertEvent[]> {
  const lines = (await readFile(path, "utf8")).split("\n");
  assert.is(lines.pop(), "", "the last line is whole");
  return lines.map((line) => JSON.parse(line) as AlertEvent);
}

function thrown(error: unknown): unknown {
  return error;
}
