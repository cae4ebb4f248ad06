import * as assert from "uvu/assert";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import type { FileBytes, Format } from "../../sources/format.ts";
import { csv } from "../../sources/formats/csv.ts";
import { jsonLines } from "../../sources/formats/json_lines.ts";
import { finalOutcomes, longFile, outcomes, type Reading, readBytes, readFile } from "../kit/format_reading.ts";
import { suite } from "../kit/suite.ts";

// The cases of the bad-input corpus that a format decides. What decode decides is tested there: here such a record comes through untouched.
const json = jsonLines(DEFAULT_LIMITS);
const comma = csv(DEFAULT_LIMITS);
const test = suite("corpus: files of text");

const GOOD = '{"good":1}';
const MEGABYTES_MAX = 64;

test("corpus 1, 2: an empty file and one of newlines have no records", async () => {
  for (const content of ["", "\n", "\n\r\n \t\n"]) assert.equal(finalOutcomes(await readBytes(json, content)), []);
});

test("corpus 4: UTF-16 is refused as a file, with and without its mark", async () => {
  for (const mark of ["\ufeff", ""]) {
    const little = Buffer.from(`${mark}${GOOD}\n`, "utf16le");
    for (const bytes of [little, Buffer.from(little).swap16()]) await refused(json, bytes, "bad_encoding");
  }
});

test("corpus 30: a compressed file is refused as a file", async () => {
  const { brotliCompressSync, gzipSync } = await import("node:zlib");
  const content = Buffer.from(`${GOOD}\n`.repeat(50));
  await refused(json, gzipSync(content), "bad_encoding");
  await refused(json, brotliCompressSync(content), "bad_encoding");
  await refused(json, Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), content]), "bad_encoding");
  await refused(comma, gzipSync(content), "bad_encoding");
});

test("corpus 5: bytes that are not UTF-8 stay in their record; a character across two chunks is whole", async () => {
  const overlong = Buffer.concat([Buffer.from(`${GOOD}\n{"x":"`), Buffer.from([0xc0, 0xaf, 0x80]), Buffer.from(`"}\n${GOOD}\n`)]);
  const { records } = await readBytes(json, overlong);
  assert.is(records.length, 3);
  assert.equal([...(records[1]?.bytes.subarray(6, 9) ?? [])], [0xc0, 0xaf, 0x80]);
  for (let shift = 0; shift < 4; shift += 1) {
    const content = `{"x":"${"y".repeat(1_048_576 - 8 - shift - 100)}"}\n${`{"x":"${"\u{1f600}".repeat(40)}"}\n`.repeat(2)}`;
    assert.is(outcomes((await readBytes(json, content)).records).join("\n"), content.trimEnd());
  }
});

test("corpus 9: depth 1,000,000 is a record like any other to a splitter, in every shape", async () => {
  const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  for (const content of [`${GOOD}\n${deep}\n${GOOD}\n`, `[${GOOD},${deep},${GOOD}]`]) {
    assert.equal(outcomes((await readBytes(json, content)).records), [GOOD, deep, GOOD]);
  }
  const lists = await readBytes(json, `[${"[".repeat(1_040_000)}`);
  assert.equal(finalOutcomes(lists), ["!truncated"]);
});

test("corpus 10: a line without end costs the memory of its beginning", async () => {
  const reading = await within(json, longFile(`${GOOD}\n{"x":"`, "y", 200_000_000, ""));
  assert.equal(finalOutcomes(reading), [GOOD, "!too_large"]);
});

test("corpus 11: a value of 100 MB is one fault, and what is around it is read", async () => {
  for (const [begin, end] of [
    [`${GOOD}\n{"x":"`, `"}\n${GOOD}\n`],
    [`[${GOOD},{"x":"`, `"},${GOOD}]`],
  ] as const) {
    const reading = await within(json, longFile(begin, "y", 100_000_000, end));
    assert.equal(finalOutcomes(reading), [GOOD, "!too_large", GOOD]);
    assert.is(reading.records[1]?.bytes.length, DEFAULT_LIMITS.quarantineHeadBytes);
  }
});

test("corpus 20, 22, 26: what is no JSON, and what is no object, comes through as a line of its own", async () => {
  const lines = ['{"a":NaN}', '{"a":1,}', '{"a":1}, ', "{'a':1}", '{"a":1} // note', "12", "null", '"text"', "[1]"];
  const { records } = await readBytes(json, `${GOOD}\n${lines.join("\n")}\n${GOOD}\n`);
  assert.equal(
    outcomes(records),
    [GOOD, ...lines.map((line) => line.trimEnd()), GOOD].map((line, n) => (n === 3 ? `${line} ` : line)),
  );
});

test("corpus 23, 25: two objects on one line are two records, whatever ends the lines", async () => {
  const { records } = await readBytes(json, `${GOOD}{"b":2}\r\n${GOOD} {"b":3}\r${GOOD}\n`);
  assert.equal(outcomes(records), [GOOD, '{"b":2}', GOOD, '{"b":3}', GOOD]);
});

test("corpus 24, 38: a last line without its end waits, and is whole when it is completed", async () => {
  for (const [format, begin, more, whole] of [
    [json, `${GOOD}\n{"b":`, "2}\n", '{"b":2}'],
    [comma, "h,i\n1,2\n3", ",4\n", "3,4"],
  ] as const) {
    const { ending, records } = await readBytes(format, begin);
    assert.equal([ending.type, records.length], ["incomplete", 1]);
    assert.equal(outcomes((await readBytes(format, begin + more, { from: ending.at })).records), [whole]);
  }
});

test("corpus 31: a file of a header only has no records, and waits for nothing", async () => {
  const { ending, records } = await readBytes(comma, "h,i\n");
  assert.equal([ending.type, records.length], ["complete", 0]);
});

test("corpus 32, 33, 34, 44: without a header, with one that is unclear or forbidden, or with another separator a file is refused", async () => {
  const values = ["1,2\n3,4\n", "2025-06-15,x\na,b\n"];
  const unclear = ["h,h\n1,2\n", "h,\n1,2\n", "h, \n1,2\n"];
  const separated = ["h;i\n1;2\n", "h\ti\n1\t2\n", "h|i\n1|2\n", "h;i\n1,5;2,5\n"];
  for (const content of [...values, ...unclear, ...separated]) await refused(comma, Buffer.from(content), "bad_csv");
  await refused(comma, Buffer.from("h,__proto__\n1,2\n"), "forbidden_key");
});

test("corpus 36, 37, 40, 46, 47: a line with too many cells, broken quoting or other bytes costs itself; one with too few is a record", async () => {
  const latin = Buffer.concat([Buffer.from("h,i\n1,2\n1,2,3\n4\n"), Buffer.from("caf\xe9,2\n", "latin1"), Buffer.from('5,a"b"c\n7,8\n')]);
  const { records } = await readBytes(comma, latin);
  assert.equal(outcomes(records), ["1,2", "!bad_csv", "4", "!bad_encoding", "!bad_csv", "7,8"]);
  assert.equal(records[2]?.fields, { h: "4", i: null });
  assert.equal(outcomes((await readBytes(comma, "h,i\n1,2\nx\0y,2\n7,8\n")).records), ["1,2", "!bad_encoding", "7,8"]);
});

test("corpus 41, 42, 43, 45: quotes, line ends and commas in quotes are text, also across two chunks; a mark before a quoted header is none of it", async () => {
  const quoted = '"a ""b"" , c","d\r\ne"\r\n';
  for (let shift = 0; shift <= quoted.length; shift += 1) {
    const filler = `${"y".repeat(1_048_576 - shift - 3)},1\n`; // The chunk ends `shift` bytes behind it.
    const { records } = await readBytes(comma, `\ufeff"h","i"\r\n${filler}${quoted}7,8\n`);
    assert.equal(records[1]?.fields, { h: 'a "b" , c', i: "d\r\ne" });
    assert.is(records.length, 3);
  }
});

test("corpus 39, 49: a quote that is never closed, and a field of 50 MB, cost no more memory than a record may", async () => {
  const never = await within(comma, longFile('h,i\n1,2\n3,"', "y", 50_000_000, "\n5,6\n"));
  assert.equal(finalOutcomes(never), ["1,2", "!bad_csv"]);
  assert.is(never.ending.type, "refused");
  const field = await within(comma, longFile('h,i\n1,2\n3,"', "y", 50_000_000, '"\n5,6\n'));
  assert.equal(finalOutcomes(field), ["1,2", "!too_large", "5,6"]);
});

test("corpus 48: 100,000 columns are refused as a file", async () => {
  const header = Array.from({ length: 100_000 }, (_, n) => `c${n}`).join(",");
  await refused(comma, Buffer.from(`${header}\n1\n`), "bad_csv");
});

test("corpus 50, 51, 52: formula cells, missing words and leading zeros are text as it stands", async () => {
  const { records } = await readBytes(comma, 'h,i,j,k\n=1+1,NULL,-,007\n@x,N/A,"",-5.2\n');
  assert.equal(
    records.map(({ fields }) => Object.values(fields ?? {})),
    [
      ["=1+1", "NULL", "-", "007"],
      ["@x", "N/A", "", "-5.2"],
    ],
  );
});

async function refused(format: Format, bytes: Buffer, code: string): Promise<void> {
  const reading = await readBytes(format, bytes);
  assert.is(reading.ending.type, "refused");
  assert.equal(finalOutcomes(reading), [`!${code}`]);
}

/** Reads with a bound on the memory that is held beyond what was held before. */
async function within(format: Format, file: FileBytes): Promise<Reading> {
  const before = held();
  const reading = await readFile(format, {
    ...file,
    fill(target, at) {
      assert.ok(held() - before < MEGABYTES_MAX, `${held() - before} MB at ${at}`);
      return file.fill(target, at);
    },
  });
  return reading;
}

function held(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}
