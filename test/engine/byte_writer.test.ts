import * as assert from "uvu/assert";
import { ByteReader, ByteWriter } from "../../engine/byte_writer.ts";
import type { CellValue } from "../../engine/emission.ts";
import { type Seeded, seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const SEED = Number(process.env["SEED"] ?? 20_250_615);

const test = suite("byte writer");

const TEXTS = ["", "a", "x".repeat(255), "x".repeat(256), "é", "दिल्ली", "a😀b", "\0\n\u007f", "é".repeat(200), "ASCII then ü"];
const NUMBERS = [0, -0, 1, -1, 255, 256, 65_535, 65_536, 0.1, 1e-308, 5e-324, Number.MAX_VALUE, 2 ** 53, Infinity, -Infinity, Number.NaN];

/** Writes the cells as one row and reads them back. */
function roundTrip(writer: ByteWriter, cells: readonly CellValue[]): readonly CellValue[] {
  return read(write(writer, cells), cells.length);
}

function write(writer: ByteWriter, cells: readonly CellValue[]): Uint8Array {
  writer.begin();
  for (const cell of cells) writer.cell(cell);
  return writer.end();
}

function read(bytes: Uint8Array, count: number): readonly CellValue[] {
  const reader = new ByteReader(bytes);
  const cells = Array.from({ length: count }, () => reader.cell());
  assert.throws(() => reader.byte(), RangeError);
  return cells;
}

function same(a: readonly CellValue[], b: readonly CellValue[], why = ""): void {
  assert.is(a.length, b.length, why);
  for (let n = 0; n < a.length; n += 1) assert.ok(Object.is(a[n], b[n]), `${why} cell ${n}: ${String(a[n])} for ${String(b[n])}`);
}

function anyCell(random: Seeded, scratch: DataView): CellValue {
  switch (random.below(6)) {
    case 0:
      return random.pick(TEXTS);
    case 1:
      return random.pick(NUMBERS);
    case 2:
      return random.pick([true, false, null]);
    case 3:
      return random.below(70_000);
    case 4:
      return String.fromCodePoint(...Array.from({ length: random.below(1_500) }, () => 32 + random.below(random.pick([90, 1_000]))));
    default:
      scratch.setUint32(0, random.below(2 ** 32));
      scratch.setUint32(4, random.below(2 ** 32));
      return scratch.getFloat64(0);
  }
}

test("every kind of cell comes back as it was", () => {
  const writer = new ByteWriter();
  const cells = [...TEXTS, ...NUMBERS, true, false, null];
  same(roundTrip(writer, cells), cells);
});

test("a text of a mebibyte comes back, and so does what is written around it", () => {
  const writer = new ByteWriter();
  const cells = ["before", "x".repeat(1 << 20), "é".repeat(1 << 20), 7, "after"];
  same(roundTrip(writer, cells), cells);
  same(roundTrip(writer, ["next"]), ["next"]);
});

test("random rows come back, and none is touched by those after it, over the borders of chunks", () => {
  const random = seeded(SEED);
  const scratch = new DataView(new ArrayBuffer(8));
  const writer = new ByteWriter();
  const rows = Array.from({ length: 12_000 }, () => {
    const cells = Array.from({ length: random.below(8) }, () => anyCell(random, scratch));
    return { cells, bytes: write(writer, cells) };
  });
  assert.ok(rows.reduce((sum, { bytes }) => sum + bytes.length, 0) > 2 << 20);
  for (const { cells, bytes } of rows) same(read(bytes, cells.length), cells, `SEED=${SEED}`);
});

test("a row that meets the end of its chunk is whole, wherever the end falls", () => {
  for (let left = 0; left < 24; left += 1) {
    const writer = new ByteWriter();
    write(writer, ["x".repeat((1 << 20) / 4), "y".repeat((1 << 20) / 4)]);
    writer.begin();
    writer.bytes(new Uint8Array((1 << 19) - 10 - left));
    writer.end();
    const cells = [1.5, "ab", null, 300, true];
    same(roundTrip(writer, cells), cells);
  }
});

test("equal cells have equal bytes, and zero and minus zero have not", () => {
  const [one, two] = [new ByteWriter(), new ByteWriter()];
  write(two, ["something else"]);
  for (const cell of [...TEXTS, ...NUMBERS]) assert.equal(Buffer.from(write(one, [cell])), Buffer.from(write(two, [cell])));
  assert.is.not(Buffer.compare(write(one, [0]), write(one, [-0])), 0);
});

test("a row that was begun and not ended is forgotten", () => {
  const writer = new ByteWriter();
  writer.begin();
  writer.cell("half");
  same(roundTrip(writer, ["whole"]), ["whole"]);
});

test("a reader reads within its own bytes, and not beyond them", () => {
  const bytes = write(new ByteWriter(), ["abc", "é", 1.5]);
  for (let length = 0; length < bytes.length; length += 1) {
    const reader = new ByteReader(bytes.subarray(0, length));
    assert.throws(() => {
      for (let n = 0; n < 3; n += 1) reader.cell();
    }, RangeError);
  }
  assert.throws(() => new ByteReader(Uint8Array.of(99)).cell(), RangeError);
});
