import * as assert from "uvu/assert";
import { type Column, columnsOf, csvCell, FORMATS, flattened, formatJson, formatRows, grouped } from "../../admin/format.ts";
import { displayWidth } from "../../admin/printable.ts";
import { suite } from "../kit/suite.ts";

interface Row {
  readonly id: string;
  readonly count: number | null;
  readonly note: string;
}

const test = suite("formats of answers");
const COLUMNS: readonly Column<Row>[] = [
  { name: "id", of: (row) => row.id, color: (row) => (row.count === null ? "dim" : null) },
  { name: "count", of: (row) => row.count },
  { name: "note", of: (row) => row.note },
];
const ROWS: readonly Row[] = [
  { id: "東京", count: 7, note: "a,b" },
  { id: "SM-N-00042", count: 1_234, note: 'say "hi"' },
  { id: "x", count: null, note: "" },
];
const WIDE = { widthMax: 80, color: false };

test("a table has numbers on the right and is aligned by displayed width", () => {
  assert.is(
    formatRows(ROWS, COLUMNS, "table", WIDE),
    ["id          count  note", "東京            7  a,b", 'SM-N-00042   1234  say "hi"', "x", ""].join("\n"),
  );
});

test("a table keeps to the width of its terminal, and never cuts a number", () => {
  const rows = [{ id: "a".repeat(60), count: 123_456_789, note: "b".repeat(50) }];
  const [header = "", line = ""] = formatRows(rows, COLUMNS, "table", { widthMax: 40, color: false }).split("\n");
  assert.is(displayWidth(line), 40);
  assert.ok(displayWidth(header) <= 40);
  assert.is(line.split("…").length, 3);
  assert.ok(line.includes("123456789"));
  const long = formatRows([{ id: "a".repeat(8), count: 1_234_567_890_123_456, note: "b" }], COLUMNS, "table", {
    widthMax: 20,
    color: false,
  });
  assert.ok(long.includes("1234567890123456"));
});

test("colour marks cells without changing the alignment", () => {
  const plain = formatRows(ROWS, COLUMNS, "table", WIDE);
  const colored = formatRows(ROWS, COLUMNS, "table", { widthMax: 80, color: true });
  assert.is.not(colored, plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colour is made of.
  assert.is(colored.replace(/\u001b\[\d+m/g, ""), plain);
});

test("without a terminal a table is tab-separated, uncut and uncoloured", () => {
  const rows = [{ id: "a".repeat(300), count: 1, note: "tab\there" }];
  assert.is(formatRows(rows, COLUMNS, "table", null), `id\tcount\tnote\n${"a".repeat(300)}\t1\ttab\\there\n`);
});

test("line shows one field per line and an empty line between rows", () => {
  assert.is(
    formatRows(ROWS.slice(0, 2), COLUMNS, "line", null),
    'id     東京\ncount  7\nnote   a,b\n\nid     SM-N-00042\ncount  1234\nnote   say "hi"\n',
  );
});

test("csv is complete and quoted", () => {
  assert.is(formatRows(ROWS, COLUMNS, "csv", WIDE), 'id,count,note\n東京,7,"a,b"\nSM-N-00042,1234,"say ""hi"""\nx,,\n');
});

test("csv text that a spreadsheet would run is defused; numbers are left alone", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) assert.is(csvCell(text).replace(/^"/, "").charAt(0), "'", text);
  assert.is(csvCell(-5.2), "-5.2");
  assert.is(csvCell("SM-N-00042"), "SM-N-00042");
});

test("markdown is complete and its own marks are escaped", () => {
  const rows = [{ id: "a|b", count: 2, note: "<img>*_" }];
  assert.is(formatRows(rows, COLUMNS, "md", WIDE), "| id | count | note |\n| --- | --: | --- |\n| a\\|b | 2 | \\<img\\>\\*\\_ |\n");
});

test("json is one value, jsonl one line per row", () => {
  assert.equal(JSON.parse(formatRows(ROWS, COLUMNS, "json", null)), ROWS);
  assert.equal(
    formatRows(ROWS, COLUMNS, "jsonl", null)
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
    ROWS,
  );
  assert.is(formatRows([], COLUMNS, "json", null), "[]\n");
  assert.is(formatRows([], COLUMNS, "jsonl", null), "");
  assert.is(formatJson({ a: 1 }), '{"a":1}\n');
  assert.is(formatJson({ a: 1 }, WIDE), '{\n  "a": 1\n}\n');
});

test("no control character leaves in any form", () => {
  const rows = [{ id: "\u001b[2J\u009b\u202e", count: 1, note: "line\nbreak\r\u0000" }];
  for (const format of FORMATS) {
    for (const screen of [WIDE, null]) {
      const text = formatRows(rows, COLUMNS, format, screen);
      assert.is.not(/[^\x20-\x7e\n\t]/.test(text), true, format);
      if (format !== "json") assert.is.not(text.includes("line\nbreak"), true, format);
    }
  }
});

test("columns can be taken from the rows", () => {
  const rows = [{ a: 1 }, { b: { c: 1 }, a: 2 }];
  assert.is(formatRows(rows, columnsOf(rows), "csv", null), 'a,b\n1,\n2,"{""c"":1}"\n');
  const odd = [JSON.parse('{"__proto__": 1, "toString": 2}')];
  assert.is(formatRows(odd, columnsOf(odd), "csv", null), "__proto__,toString\n1,2\n");
});

test("whole numbers for people come in groups of three", () => {
  assert.equal([0, 999, 1_000, 3_085, 1_234_567].map(grouped), ["0", "999", "1 000", "3 085", "1 234 567"]);
});

test("for CSV the members of objects are columns of their own, and lists stay JSON", () => {
  const rows = flattened([{ id: "a", data: { rule: "r", path: ["x"], seen: { value: 1 } } }]);
  assert.equal(rows, [{ id: "a", "data.rule": "r", "data.path": ["x"], "data.seen.value": 1 }]);
  assert.is(formatRows(rows, columnsOf(rows), "csv", null), 'id,data.rule,data.path,data.seen.value\na,r,"[""x""]",1\n');
});
