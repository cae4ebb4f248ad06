import * as assert from "uvu/assert";
import { DEFAULT_LIMITS } from "../../../engine/limits.ts";
import { csv } from "../../../sources/formats/csv.ts";
import { finalOutcomes, outcomes, readBytes, readGrowing } from "../../kit/format_reading.ts";
import { seeded } from "../../kit/seeded.ts";
import { suite } from "../../kit/suite.ts";

const format = csv(DEFAULT_LIMITS);
const test = suite("CSV");

const HEADER = "log_id,note,cost_inr\n";
const LINES = ['A1,"oil, 200 l",12.5', 'A2,"said ""no""\r\nand left",', "A3,20 °C,007", 'A4,"",0'];
const FIELDS = [
  { log_id: "A1", note: "oil, 200 l", cost_inr: "12.5" },
  { log_id: "A2", note: 'said "no"\r\nand left', cost_inr: "" },
  { log_id: "A3", note: "20 °C", cost_inr: "007" },
  { log_id: "A4", note: "", cost_inr: "0" },
];
const CONTENT = `${HEADER}${LINES.join("\n")}\n`;

test("cells have their names from the header, and the bytes are the line", async () => {
  const { records, ending } = await readBytes(format, CONTENT);
  assert.equal(fields(records), FIELDS);
  assert.equal(outcomes(records), LINES);
  assert.ok(records.every(({ cells }) => cells === true));
  assert.is(ending.type, "complete");
  assert.is(ending.at.offset, Buffer.byteLength(CONTENT));
});

test("line ends of every kind, blank lines, a byte order mark and another order of columns change nothing", async () => {
  for (const end of ["\n", "\r\n", "\r", "\n \n\r\n"]) {
    for (const mark of ["", "\ufeff"]) {
      const { records } = await readBytes(format, `${mark}"log_id", note ,cost_inr${end}${LINES.join(end)}${end}`);
      assert.equal(fields(records), FIELDS);
    }
  }
  const { records } = await readBytes(format, "cost_inr,log_id,note\n12.5,A1,x\n");
  assert.equal(fields(records), [{ cost_inr: "12.5", log_id: "A1", note: "x" }]);
});

test("a file that grows byte by byte gives the same records as the whole", async () => {
  for (const content of [CONTENT, `\ufeff\n${CONTENT.replaceAll("\n", "\r\n")}`, CONTENT.trimEnd()]) {
    const whole = await readBytes(format, content);
    const records = await readGrowing(format, Buffer.from(content));
    assert.equal(finalOutcomes(whole), outcomes(records));
    assert.equal(
      records.map(({ at }) => at),
      [0, 1, 2, 3],
    );
  }
});

test("reading goes on behind any slice as if it had never stopped", async () => {
  const bounds = { records: 1, bytes: 1 };
  const { slices } = await readBytes(format, CONTENT, { bounds });
  assert.is(slices.length, 4);
  for (const [n, { end }] of slices.entries()) {
    const rest = await readBytes(format, CONTENT, { bounds, from: end });
    assert.equal(fields(rest.records), FIELDS.slice(n + 1));
    assert.equal(
      rest.records.map(({ at }) => at),
      [0, 1, 2, 3].slice(n + 1),
    );
  }
});

test("cells that a line lacks are null, and a line with too many is a fault", async () => {
  const { records } = await readBytes(format, `${HEADER}A1\nA2,x\nA3,x,1,more\nA4,x,1\n`);
  assert.equal(fields(records.slice(0, 2)), [
    { log_id: "A1", note: null, cost_inr: null },
    { log_id: "A2", note: "x", cost_inr: null },
  ]);
  assert.equal(outcomes(records), ["A1", "A2,x", "!bad_csv", "A4,x,1"]);
});

test("a line with broken quoting costs itself", async () => {
  const { records } = await readBytes(format, `${HEADER}A1,x,1\nA2,5" pipe,2\nA3,"x"y,3\nA4,x,4\n`);
  assert.equal(outcomes(records), ["A1,x,1", "!bad_csv", "!bad_csv", "A4,x,4"]);
});

test("a line that is not UTF-8, or holds a byte of 0, costs itself", async () => {
  const latin = Buffer.from(`${HEADER}A1,20 °C,1\nA2,x,2\n`, "latin1");
  assert.equal(outcomes((await readBytes(format, latin)).records), ["!bad_encoding", "A2,x,2"]);
  assert.equal(outcomes((await readBytes(format, `${HEADER}A1,\0,1\nA2,x,2\n`)).records), ["!bad_encoding", "A2,x,2"]);
});

test("a header that cannot be used refuses the file", async () => {
  for (const [header, code] of [
    ["a,b,a", "bad_csv"],
    ["a,,b", "bad_csv"],
    ["a;b;c", "bad_csv"],
    ["sep=;", "bad_csv"],
    ["a\tb", "bad_csv"],
    ["a|b", "bad_csv"],
    ["ML-1,TRF-N-0034,2025-04-01,4.9", "bad_csv"],
    ['a,"b"c', "bad_csv"],
    ["a,__proto__", "forbidden_key"],
    ["a,constructor", "forbidden_key"],
    [Array.from({ length: 2_001 }, (_, n) => `c${n}`).join(","), "bad_csv"],
  ] as const) {
    const reading = await readBytes(format, `${header}\n1,2,3\n`);
    assert.is(reading.ending.type, "refused", header);
    assert.equal(finalOutcomes(reading), [`!${code}`], header);
  }
});

test("a file of a header only, or of nothing, has no records", async () => {
  for (const content of ["", "\n\n", HEADER, HEADER.trimEnd()]) assert.equal(finalOutcomes(await readBytes(format, content)), []);
});

test("the last line waits for its end, since its last cell may go on; in the end it counts if it has all cells", async () => {
  for (const [tail, outcome] of [
    ["A2,x,2", "A2,x,2"],
    ["A2,x", "!truncated"],
    ['A2,"x', "!truncated"],
    ["A2,x,2,3", "!bad_csv"],
  ] as const) {
    const reading = await readBytes(format, `${HEADER}A1,x,1\n${tail}`);
    assert.is(reading.ending.type, "incomplete");
    assert.equal(finalOutcomes(reading), ["A1,x,1", outcome]);
  }
});

test("a line that is too large is one fault, and a quote that is never closed costs the rest", async () => {
  const small = csv({ ...DEFAULT_LIMITS, recordBytesMax: 100, quarantineHeadBytes: 10 });
  const large = `A2,"${"x\n".repeat(100)}",2`;
  const closed = await readBytes(small, `${HEADER}A1,x,1\n${large}\nA3,x,3\n`);
  assert.equal(outcomes(closed.records), ["A1,x,1", "!too_large", "A3,x,3"]);
  assert.is(closed.records[1]?.bytes.length, 10);
  const open = await readBytes(small, `${HEADER}A1,x,1\nA2,"x\n${"A3,x,3\n".repeat(100)}`);
  assert.is(open.ending.type, "refused");
  assert.equal(finalOutcomes(open), ["A1,x,1", "!bad_csv"]);
});

test("records are cut right wherever the memory ends", async () => {
  const { below, pick } = seeded(11);
  const rows = Array.from({ length: 20_000 }, (_, n) => ({
    log_id: `L${n}`,
    note: pick(['"', "\n", "\r\n", ",", "°", "x"]).repeat(below(60)),
  }));
  const content = `log_id,note\n${rows.map(({ log_id, note }) => `${log_id},"${note.replaceAll('"', '""')}"`).join("\n")}\n`;
  assert.ok(Buffer.byteLength(content) > 1_048_576, "more than one chunk");
  assert.equal(fields((await readBytes(format, content)).records), rows);
});

test("arbitrary bytes are read without an error, and reading goes on anywhere with the same outcomes", async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const { below, pick, chance } = seeded(seed);
    const bytes = Buffer.from(CONTENT);
    for (let n = below(6); n >= 0; n -= 1) bytes[below(bytes.length)] = chance(50) ? below(256) : pick([...'",\n\r x']).charCodeAt(0);
    const whole = finalOutcomes(await readBytes(format, bytes));
    const bounds = { records: 1, bytes: 1 };
    const { slices } = await readBytes(format, bytes, { bounds });
    for (const [n, { end }] of slices.entries()) {
      const before = slices.slice(0, n + 1).flatMap(({ records }) => records);
      const behind = finalOutcomes(await readBytes(format, bytes, { bounds, from: end }));
      assert.equal([...outcomes(before), ...behind], whole, `seed ${seed}`);
    }
  }
});

function fields(records: readonly { readonly fields?: Readonly<Record<string, unknown>> }[]): readonly unknown[] {
  return records.map((record) => record.fields);
}
