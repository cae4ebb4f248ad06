import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import * as assert from "uvu/assert";
import { DEFAULT_LIMITS } from "../../../engine/limits.ts";
import { Decoder } from "../../../sources/formats/parquet/decoder.ts";
import { parquet } from "../../../sources/formats/parquet.ts";
import { bytesOf, finalOutcomes, outcomes, readBytes, readFile } from "../../kit/format_reading.ts";
import { type Forgery, forgeParquet, plainPage, struct } from "../../kit/parquet_forger.ts";
import { seeded } from "../../kit/seeded.ts";
import { suite } from "../../kit/suite.ts";

const FOLDER = join(import.meta.dirname, "../../fixtures/parquet");
const format = parquet(DEFAULT_LIMITS);
const test = suite("Parquet");

const ODD = ["nested", "nested_decimals", "times", "bad_text", "no_rows", "encrypted", "slow"];
const WRITERS = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".parquet"))
  .map((name) => name.slice(0, -".parquet".length))
  .filter((name) => !ODD.includes(name));

const day = (n: number): Date => new Date(Date.UTC(2025, 5, n));
const at = (hour: number): Date => new Date(Date.UTC(2025, 5, 15, hour, 23, 45, 123));
const ROWS = [
  ["TRF-N-0001", "NORTH", 9007199254740994n, -1, 0.1, "-1234567890123456.78", "1234567890123456789012345678.0000000001", day(1), at(15)],
  ["TRF-N-0002", "SOUTH", 9007199254740995n, -2, 0.2, "2.05", "0.0000000002", day(2), at(16)],
  ["TRF-N-0003", "NORTH", 9007199254740996n, -3, 0.1 * 3, "3.05", "0.0000000003", day(3), at(17)],
  ["TRF-N-0004", null, null, null, null, null, null, null, null],
];
const LAST = [
  [false, 'Gasket "B", 20 °C'],
  [true, ""],
  [false, ""],
  [null, null],
];
const NAMES = ["id", "region", "count", "phase", "load_mw", "amount", "tiny", "day", "at", "flag", "note"];
const EXPECTED = ROWS.map((row, n) => Object.fromEntries([...row, ...(LAST[n] ?? [])].map((value, column) => [NAMES[column], value])));

test("the same rows come out of the files of every writer, exact to the last digit", async () => {
  assert.ok(WRITERS.length >= 25, "the fixtures are there");
  for (const name of WRITERS) {
    const { records, ending } = await readBytes(format, fixture(name));
    assert.equal(
      records.map(({ fields }) => fields),
      EXPECTED,
      name,
    );
    assert.equal(
      records.map((record) => record.at),
      [0, 1, 2, 3],
    );
    assert.is(ending.type, "complete", name);
  }
});

test("the bytes of a record are its row as JSON, large numbers in full", async () => {
  const { records } = await readBytes(format, fixture("spark_int96"));
  assert.is(
    outcomes(records)[0],
    '{"id":"TRF-N-0001","region":"NORTH","count":9007199254740994,"phase":-1,"load_mw":0.1,"amount":"-1234567890123456.78",' +
      '"tiny":"1234567890123456789012345678.0000000001","day":"2025-06-01T00:00:00.000Z","at":"2025-06-15T15:23:45.123Z","flag":false,' +
      '"note":"Gasket \\"B\\", 20 °C"}',
  );
});

test("reading goes on behind any slice as if it had never stopped, also in the middle of a row group", async () => {
  for (const name of ["pyarrow_snappy", "duckdb"]) {
    const bounds = { records: 1, bytes: 1 };
    const { slices } = await readBytes(format, fixture(name), { bounds });
    assert.is(slices.length, 4);
    for (const [n, { end }] of slices.entries()) {
      const { records } = await readBytes(format, fixture(name), { bounds, from: end });
      assert.equal(
        records.map(({ fields }) => fields),
        EXPECTED.slice(n + 1),
      );
    }
  }
});

test("corpus 73, 74: lists, structs, unsigned numbers, nanoseconds and bytes beside a feed's columns do no harm", async () => {
  const { records } = await readBytes(format, fixture("nested"));
  assert.equal(records[0]?.fields, {
    id: "A",
    tags: ["x", null],
    place: { lat: 1.5, zone: null },
    unsigned: 18446744073709551615n,
    at_ns: new Date("2024-06-15T14:23:45.123Z"),
    bytes: Uint8Array.of(0xff, 0),
  });
  assert.equal(records[1]?.fields, { id: "B", tags: null, place: null, unsigned: null, at_ns: null, bytes: null });
});

test("corpus 73, 74: decimals in lists, structs and maps keep all their digits, with nulls at every level", async () => {
  const { records } = await readBytes(format, fixture("nested_decimals"));
  assert.equal(records[0]?.fields, {
    id: "A",
    amounts: ["1234567890123456.78", null],
    bill: { total: "-0.10", parts: ["0.30"] },
    bills: [{ total: "0.07", parts: null }, null],
    by_zone: { north: "9007199254740993.01" },
  });
  assert.equal(records[1]?.fields, { id: "B", amounts: null, bill: null, bills: [], by_zone: null });
});

test("corpus 73: an instant is the same in every unit, rounded down to its millisecond", async () => {
  const { records } = await readBytes(format, fixture("times"));
  for (const [row, instant] of ["2024-06-15T14:23:45.123Z", "1969-12-31T23:59:59.999Z"].entries()) {
    const { id: _, ...times } = records[row]?.fields ?? {};
    assert.is(Object.keys(times).length, 6);
    for (const [column, time] of Object.entries(times)) assert.equal(time, new Date(instant), column);
  }
});

test("a text that is not UTF-8 costs its row", async () => {
  assert.equal(outcomes((await readBytes(format, fixture("bad_text"))).records), ['{"id":"A"}', "!bad_encoding", '{"id":"C"}']);
});

test("corpus 69: a file without rows or row groups is read to its end", async () => {
  assert.equal(finalOutcomes(await readBytes(format, fixture("no_rows"))), []);
  assert.equal(finalOutcomes(await readBytes(format, forgeParquet({ groups: 0 }))), []);
});

test("corpus 56, 57: a file that lacks its end waits, whatever is there of it, and gives no row", async () => {
  const whole = fixture("pyarrow_plain");
  for (let length = 0; length < whole.length; length += 1) {
    const reading = await readBytes(format, whole.subarray(0, length));
    assert.is(reading.ending.type, "incomplete", `${length} bytes`);
    assert.equal(finalOutcomes(reading), ["!bad_parquet"]);
  }
});

test("a forged file that says the truth is read", async () => {
  assert.equal(outcomes((await readBytes(format, forgeParquet())).records), ['{"n":1}', '{"n":2}', '{"n":3}']);
  assert.equal(outcomes((await readBytes(format, dictionaryFile([0, 1]))).records), ['{"n":7}', '{"n":8}']);
});

const MILLION = 2 ** 20;
const ZEROS = Buffer.alloc(8 * MILLION);
const bomb = (body: Buffer, decodedBytes: number) => ({ pages: [{ body, values: decodedBytes / 4, decodedBytes }] });

const LIES: Readonly<Record<string, Forgery>> = {
  "58 a footer longer than the file": { footerLength: 5_000 },
  "58 a footer of 2^31-1 bytes": { footerLength: 2 ** 31 - 1 },
  "59 a footer of garbage": { footer: Buffer.from("garbage that is no struct at all") },
  "59 a footer of zeros": { footer: Buffer.alloc(100) },
  "60 a list that claims 2^31-1 elements": { footer: struct([[2, { list: [{ i32: 1 }], claims: 2 ** 31 - 1 }]]) },
  "60 structs in structs": { footer: Buffer.alloc(60_000, 0x1c) },
  "61 a page that claims 2^31-1 bytes": { pages: [{ ...plainPage([1]), decodedBytes: 2 ** 31 - 1 }] },
  "61 a page that claims more bytes than its column": { pages: [{ ...plainPage([1]), storedBytes: 500 }] },
  "62 a page that claims 10^9 values": { pages: [{ ...plainPage([1]), values: 1e9 }] },
  "62 a column that claims 10^9 values": { values: 1e9 },
  "62 a group that claims 10^9 rows": { rows: 1e9 },
  "62 a run of 2^31-1 values in 7 bytes": {
    pages: [
      { ...plainPage([7, 8]), isDictionary: true },
      { body: Buffer.from([2, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1]), values: 2, encoding: 8 },
    ],
  },
  "62 a text of 2^30 bytes in 30 bytes": {
    type: 6,
    pages: [{ body: Buffer.from("80010402008080808008000000008001040202000000000061", "hex"), values: 2, encoding: 7 }],
  },
  "63 a page bomb in gzip": { codec: 2, ...bomb(gzipSync(ZEROS), ZEROS.length) },
  "63 a page bomb in brotli": { codec: 4, ...bomb(brotliCompressSync(ZEROS), ZEROS.length) },
  "63 a bomb that claims to be small": { codec: 2, ...bomb(gzipSync(ZEROS), 400) },
  "64 a length in snappy that is not the page's": { codec: 1, ...bomb(Buffer.from([0x80, 0x80, 0x80, 0x20, 0, 1]), 4) },
  "64 a length in snappy that is less than the page's": {
    codec: 1,
    pages: [{ body: Buffer.from([4, 12, 1, 0, 0, 0]), values: 2, decodedBytes: 8 }],
  },
  "64 a length in LZ4 that is not the page's": { codec: 7, ...bomb(Buffer.from([0x40, 1, 0, 0, 0]), 8) },
  "64 a match in LZ4 of 5 GB": {
    codec: 7,
    ...bomb(Buffer.concat([Buffer.from([0x1f, 1, 1, 0]), Buffer.alloc(20 * MILLION, 255), Buffer.from([0])]), 8),
  },
  "64 a length in Zstandard that is not the page's": {
    codec: 6,
    ...bomb(Buffer.from("28b52ffd2004210000010000 00".replace(" ", ""), "hex"), 8),
  },
  "65 a codec that nobody knows": { codec: 3 },
  "66 a wrong checksum": { pages: [{ ...plainPage([1]), crc: 1 }] },
  "67 row groups that overlap": { groups: 2 },
  "67 a column outside of the file": { offset: 100_000 },
  "67 a column at a negative offset": { offset: -4 },
  "67 a column of negative size": { compressedBytes: -1 },
  "70 10,001 row groups": { groups: 10_001 },
  "75 an encrypted column": { column: [[8, { struct: [[1, { struct: [] }]] }]] },
  "a column in another file": { column: [[4, { i64: 0 }]], footer: struct([[1, { i32: 1 }]]) },
  "a column with a forbidden name": { name: "__proto__" },
};

test("corpus 58 to 75: a file that lies is refused with one fault", async () => {
  for (const [lie, forgery] of Object.entries(LIES)) {
    const reading = await readBytes(format, forgeParquet(forgery));
    assert.is(reading.ending.type, "refused", lie);
    assert.equal(finalOutcomes(reading), ["!bad_parquet"], lie);
  }
  const encrypted = await readBytes(format, fixture("encrypted"));
  assert.is(encrypted.ending.type, "refused");
});

test("bytes that keep a decoder busy for long are damage, and the next file is read", async () => {
  const impatient = parquet(DEFAULT_LIMITS, new Decoder(1_000));
  assert.equal(finalOutcomes(await readBytes(impatient, fixture("slow"))), ["!bad_parquet"]); // Left alone, it takes 10 s.
  assert.is((await readBytes(impatient, forgeParquet())).records.length, 3);
});

test("a column that takes more memory than a decoder has is damage, and the process and the next file are not harmed", async () => {
  const page = { body: Buffer.alloc(8 * MILLION, 1), values: 2 * MILLION, decodedBytes: 8 * MILLION };
  const large = forgeParquet({ pages: [page, page, page, page], values: 8 * MILLION, rows: 8 * MILLION });
  const decoder = new Decoder(60_000, 64 * MILLION);
  const { ending } = await readBytes(parquet(DEFAULT_LIMITS, decoder), large);
  assert.match(ending.type === "refused" ? (ending.rest.fault?.error ?? "") : "", "more time or memory");
  assert.is((await readBytes(parquet(DEFAULT_LIMITS, decoder), forgeParquet())).records.length, 3);
});

test("corpus 68: an index outside of its dictionary is no null", async () => {
  const reading = await readBytes(format, dictionaryFile([0, 3]));
  assert.equal(finalOutcomes(reading), ["!bad_parquet"]);
});

test("rows of sound row groups before damage are used", async () => {
  const bytes = Buffer.from(fixture("pyarrow_plain"));
  const text = bytes.indexOf(Buffer.from("\n\0\0\0TRF-N-0003")); // Length and text: the value itself, in the second row group.
  assert.ok(text > 0);
  bytes[text + 4] = 0x58; // The checksum finds it.
  const reading = await readBytes(format, bytes);
  assert.is(reading.records.length, 2);
  assert.equal(finalOutcomes(reading).slice(2), ["!bad_parquet"]);
});

test("a fault shows where the file breaks, and keeps its beginning", async () => {
  const { ending } = await readBytes(format, forgeParquet({ codec: 3 }));
  assert.ok(ending.type === "refused");
  assert.is(Buffer.from(ending.rest.bytes.subarray(0, 4)).toString(), "PAR1");
  assert.match(ending.rest.fault?.error ?? "", "SHA-256");
});

test("an error of the disk is not taken for damage", async () => {
  const file = bytesOf(fixture("duckdb"));
  const broken = {
    ...file,
    fill: (target: Uint8Array, place: number) => (place === 4 ? Promise.reject(new Error("disk")) : file.fill(target, place)),
  };
  const error = await readFile(format, broken).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.is(error instanceof Error && error.message, "disk");
});

test("arbitrary changes of a file are read, or refused, without an error", async () => {
  const names = ["pyarrow_zstd", "pyarrow_snappy", "pyarrow_delta", "pyarrow_lz4", "polars", "spark_legacy_gzip", "duckdb_v2", "nested"];
  for (let seed = 1; seed <= 600; seed += 1) {
    const { below, pick } = seeded(seed);
    const bytes = Buffer.from(fixture(pick(names)));
    for (let n = below(4); n >= 0; n -= 1) bytes[4 + below(bytes.length - 12)] = below(256);
    const { ending, records } = await readBytes(format, bytes);
    const isTold = ending.type !== "complete" || records.length <= 4;
    assert.ok(isTold, `seed ${seed}`);
  }
});

function dictionaryFile(indices: readonly number[]): Buffer {
  const dictionary = { ...plainPage([7, 8]), isDictionary: true };
  const packed = indices.reduce((bits, index, n) => bits | (index << (2 * n)), 0); // Bit width 2, one group of eight.
  const body = Buffer.from([2, (1 << 1) | 1, packed & 255, packed >> 8]);
  return forgeParquet({ pages: [dictionary, { body, values: indices.length, encoding: 8 }] });
}

function fixture(name: string): Buffer {
  return readFileSync(join(FOLDER, `${name}.parquet`));
}
