// timeout: 300 s
import { execFile } from "node:child_process";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import * as assert from "uvu/assert";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("files larger than the memory of the process");
const HEAP_MIB = 128;
const MOST_MIB = 640; // Heap, buffers, code of the process, and of the thread that decodes.
const CHILD = join(import.meta.dirname, "../kit/reading_child.ts");

interface Outcome {
  readonly records: number;
  readonly faults: number;
  readonly mostMib: number;
}

const TEXT = "x".repeat(990);
const LINE = `{"reading_id":"RD-000000000001","meter_id":"SM-N-00042","kwh":1.5,"note":"${TEXT.slice(0, 160)}"}\n`;
const ROW = `RD-000000000001,SM-N-00042,"${TEXT} ""20 °C"""\n`;

/** Several times the heap; in a full run, for the format that may be largest, several times more. */
const BYTES = 200_000_000;
const LINES_BYTES = process.env["CI"] === undefined ? 400_000_000 : 1_200_000_000;

test("lines of JSON", () => readWithin("json", (path) => repeat(path, "", LINE, LINES_BYTES)));

test("one array of JSON", () => readWithin("json", (path) => repeat(path, "[", `${LINE.trimEnd()},`, BYTES, `${LINE}]`), 1));

test("lines of CSV", () => readWithin("csv", (path) => repeat(path, "reading_id,meter_id,note\n", ROW, BYTES)));

test("Parquet in row groups of 20 MB", () => readWithin("parquet", writeParquet));

/** Writes a file, reads it in a process with little memory, and counts: as many records as were written, and `more`. */
async function readWithin(format: string, write: (path: string) => Promise<number>, more = 0): Promise<void> {
  await inTempFolder(async (folder) => {
    const written = await write(join(folder, `large.${format}`));
    const args = [`--max-old-space-size=${HEAP_MIB}`, "--import", "tsx", CHILD, folder, format];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const outcome = JSON.parse(stdout) as Outcome;
    assert.equal([outcome.records, outcome.faults], [written + more, 0]);
    assert.ok(outcome.mostMib < MOST_MIB, `${outcome.mostMib} MiB`);
  });
}

/** A beginning, the same text again and again, an end. Resolves with how often the text stands there. */
async function repeat(path: string, begin: string, text: string, bytes: number, end = ""): Promise<number> {
  const atOnce = Math.ceil(2 ** 20 / text.length);
  const block = Buffer.from(text.repeat(atOnce));
  const times = Math.ceil(bytes / block.length);
  const file = await open(path, "w");
  await file.write(begin);
  for (let n = 0; n < times; n += 1) await file.write(block);
  await file.write(end);
  await file.close();
  return times * atOnce;
}

async function writeParquet(path: string): Promise<number> {
  const groups = 10;
  const rows = 20_000;
  const ids = Array.from({ length: rows }, (_, n) => `RD-${n}`);
  const notes = Array.from({ length: rows }, (_, n) => `${n} ${TEXT}`);
  const counts = Array.from({ length: rows }, (_, n) => BigInt(n));
  const schema = [
    { name: "root", num_children: 3 },
    { name: "reading_id", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "note", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "count", type: "INT64", repetition_type: "REQUIRED" },
  ] as const;
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({ writer, schema: [...schema], codec: "UNCOMPRESSED" });
  for (let n = 0; n < groups; n += 1) {
    parquet.write({
      columnData: [
        { name: "reading_id", data: ids },
        { name: "note", data: notes },
        { name: "count", data: counts },
      ],
      rowGroupSize: rows,
    });
  }
  parquet.finish();
  const file = await open(path, "w");
  await file.write(writer.getBytes());
  await file.close();
  return groups * rows;
}
