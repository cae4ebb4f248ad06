// timeout: 240 s
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Unavailable } from "../../engine/fault.ts";
import type { Mark } from "../../engine/ids.ts";
import type { Sink } from "../../engine/sink.ts";
import { NO_CURSOR, type SinkCursor } from "../../engine/sink_cursor.ts";
import { jsonLines } from "../../sinks/json_lines.ts";
import { parquet } from "../../sinks/parquet.ts";
import { deltaRows, sequenceOf } from "../kit/delta_reader.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { onFullDisk } from "../kit/full_disk.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

// Sinks that write where a disk can be full. What Kafka's sink and the webhook write lies with others; what they give up is a row of the store, whose full
// disk ends the process (`io_error.test.ts`).
const test = suite("a full disk below a sink");

const storeId = "store-a";
const TABLES = [{ name: "meter_readings", feed: "smart_meter", columns: [["reading_kwh", { type: "double" }]] }] as const;
const EXTENTS = [
  [1, 2, 3],
  [4, 5],
];

interface Place {
  open(cursor: SinkCursor): Promise<Sink>;
  seen(): Promise<readonly number[]>;
}

const PLACES: Readonly<Record<string, (folder: string) => Place>> = {
  "JSON lines": (folder) => {
    const path = join(folder, "out", "alerts.jsonl");
    return {
      open: (cursor) => jsonLines({ name: "file", path, storeId, cursor }),
      seen: async () =>
        (await readFile(path, "utf8"))
          .split("\n")
          .slice(0, -1)
          .map((line) => Number(JSON.parse(line).sequence)),
    };
  },
  Parquet: (folder) => {
    const path = join(folder, "out", "curated");
    return {
      open: (cursor) => parquet({ name: "curated", path, storeId, cursor, tables: [...TABLES] }),
      seen: async () => (await deltaRows(join(path, "meter_readings"))).map(sequenceOf),
    };
  },
};

const emission = (kind: string, n: number) =>
  kind === "Parquet" ? rowEmission(n, { date: n % 2 === 0 ? "2025-06-14" : "2025-06-15" }) : alertEmission(n);

/** Writes all extents, again after each outage; `isNew`: by a new process each time. Resolves to the number of outages. */
async function writeAll(kind: string, place: Place, isNew: boolean): Promise<number> {
  let cursor: SinkCursor = NO_CURSOR;
  let outages = 0;
  let sink: Sink | null = null;
  for (const extent of EXTENTS) {
    const pending: SinkCursor = { ...cursor, pending: extent.at(-1) ?? 0 };
    let mark: Mark | null = null;
    while (mark === null) {
      try {
        sink ??= await place.open(pending);
        mark = await sink.write(extent.map((n) => emission(kind, n)));
      } catch (error) {
        assert.instance(error, Unavailable, `${error}`); // So the drain waits and tries again; others go on.
        assert.ok(++outages < 20, "it goes on when there is room");
        if (!isNew) continue;
        await sink?.close().catch(() => {}); // The system closes what a dead process had open.
        sink = null;
      }
    }
    cursor = { settled: extent.at(-1) ?? 0, mark, pending: null };
  }
  await sink?.close();
  return outages;
}

for (const kind of Object.keys(PLACES)) {
  for (const isNew of [false, true]) {
    const who = isNew ? "a new process" : "the same process";
    test(`${kind}: whichever change finds no room, for once or for long, ${who} has each emission once when there is some`, async () => {
      for (const times of [1, 3]) {
        let outages = 0;
        for (let n = 0, wasFull = true; wasFull; n += 1) {
          await inTempFolder(async (folder) => {
            const place = (PLACES[kind] as (folder: string) => Place)(folder);
            wasFull = await onFullDisk(n, times, async () => {
              outages += await writeAll(kind, place, isNew);
            });
            assert.equal(
              [...(await place.seen())].sort((a, b) => a - b),
              [1, 2, 3, 4, 5],
              `${n}`,
            );
          });
        }
        assert.ok(outages > 5 * times, `${outages} outages`);
      }
    });
  }
}
