import * as assert from "uvu/assert";
import { DEFAULT_LIMITS } from "../../../engine/limits.ts";
import { jsonLines } from "../../../sources/formats/json_lines.ts";
import { finalOutcomes, outcomes, readBytes, readGrowing } from "../../kit/format_reading.ts";
import { seeded } from "../../kit/seeded.ts";
import { suite } from "../../kit/suite.ts";

const format = jsonLines(DEFAULT_LIMITS);
const test = suite("JSON lines");

const ROWS = [{ id: "A", note: 'a "}{" b' }, { id: "B", inner: { list: [{}, [], "]"] } }, { id: "C", text: "20 °C\\" }, {}] as const;
const TEXTS = ROWS.map((row) => JSON.stringify(row));
const PRETTY = ROWS.map((row) => JSON.stringify(row, null, 2));

/** Every shape a writer may choose. */
const SHAPES: Readonly<Record<string, string>> = {
  lines: TEXTS.map((text) => `${text}\n`).join(""),
  "lines, the last without its end": TEXTS.join("\n"),
  "lines that end in CRLF": TEXTS.map((text) => `${text}\r\n`).join(""),
  "lines that end in a lone CR": TEXTS.map((text) => `${text}\r`).join(""),
  "lines with mixed ends and blanks between": TEXTS.join("\r\n \n\t\r"),
  "lines with space around": TEXTS.map((text) => `  ${text}  \n`).join(""),
  "one array": `[${TEXTS.join(",")}]`,
  "one array, pretty-printed": JSON.stringify(ROWS, null, 2),
  "one array, a line each": `[\n${TEXTS.join(",\n")}\n]\n`,
  "arrays one after another": TEXTS.map((text) => `[${text}]`).join("\n"),
  "pretty-printed objects one after another": PRETTY.join("\n"),
  "pretty-printed objects with CRLF": PRETTY.join("\n").replaceAll("\n", "\r\n"),
  "objects on one line": TEXTS.join(" "),
  "objects on one line, and nothing between": TEXTS.join(""),
  "two on a line": `${TEXTS[0]} ${TEXTS[1]}\n${TEXTS[2]}${TEXTS[3]}\n`,
};

test("every shape of the same records gives the same records", async () => {
  for (const [shape, content] of Object.entries(SHAPES)) {
    for (const mark of ["", "\ufeff"]) {
      const { records, ending } = await readBytes(format, mark + content);
      assert.equal(parsed(records), ROWS, shape);
      assert.equal(
        records.map(({ at }) => at),
        [0, 1, 2, 3],
        shape,
      );
      assert.is(ending.type, "complete", shape);
      assert.is(ending.at.offset, Buffer.byteLength(mark + content), shape);
    }
  }
});

test("a file that grows byte by byte gives the same records as the whole", async () => {
  for (const [shape, content] of Object.entries(SHAPES)) {
    for (const mark of ["", "\ufeff"]) {
      const records = await readGrowing(format, Buffer.from(mark + content));
      assert.equal(parsed(records), ROWS, shape);
      assert.equal(
        records.map(({ at }) => at),
        [0, 1, 2, 3],
        shape,
      );
    }
  }
});

test("reading goes on behind any slice as if it had never stopped", async () => {
  for (const [shape, content] of Object.entries(SHAPES)) {
    const bounds = { records: 1, bytes: 1_000 };
    const { slices } = await readBytes(format, content, { bounds });
    assert.is(slices.length, ROWS.length);
    for (const [n, { end }] of slices.entries()) {
      const rest = await readBytes(format, content, { bounds, from: end });
      assert.equal(parsed(rest.records), ROWS.slice(n + 1), shape);
      assert.is(rest.ending.type, "complete", shape);
    }
  }
});

test("a slice keeps the bounds, and a record that is larger than them travels alone", async () => {
  const content = `${'{"n":1}\n'.repeat(7)}{"long":"${"x".repeat(50)}"}\n{"n":2}\n`;
  const { slices } = await readBytes(format, content, { bounds: { records: 3, bytes: 20 } });
  assert.equal(
    slices.map(({ records }) => records.length),
    [2, 2, 2, 1, 1, 1],
  );
});

test("a bad line costs nothing but itself", async () => {
  const content = 'garbage\n{"a":1}\n{"b":\n{"c":"cut\n}{\n{"d":1}{\n{"e":2},\n{"f":3}\n';
  for (const end of ["\n", "\r", "\r\n"]) {
    const { records, ending } = await readBytes(format, content.replaceAll("\n", end));
    assert.equal(outcomes(records), ["garbage", '{"a":1}', '{"b":', '{"c":"cut', "}{", '{"d":1}', "{", '{"e":2},', '{"f":3}']);
    assert.is(ending.type, "complete");
  }
});

test("a broken first line does not make the file one value", async () => {
  for (const first of ['{"a":1', '{"a":1,', '{"a":', '{"a', "{", '{"a":[1,2', '{"a":{"b":1}']) {
    const { records } = await readBytes(format, `${first}\n{"b":2}\n{"c":3}\n`);
    assert.equal(outcomes(records), [first, '{"b":2}', '{"c":3}'], first);
  }
});

test("a broken value costs the rest of a file that is no lines", async () => {
  for (const [content, good] of [
    ['[{"a":1},{"b":tru},{"c":3}]', 1],
    ['[{"a":1},{"b":2,},{"c":3}]', 1],
    ['[{"a":1} {"b":2}]', 1],
    ['[{"a":1},,{"b":2}]', 1],
    ['{\n"a":1\n}\n{\n"b" 2\n}\n{"c":3}', 1],
    ['[{"a":1}]}', 1],
    ["[{'a':1}]", 0],
  ] as const) {
    const reading = await readBytes(format, content);
    assert.is(reading.records.length, good, content);
    assert.is(reading.ending.type, "refused", content);
    assert.equal(finalOutcomes(reading).slice(good), ["!bad_json"], content);
  }
});

test("a tail that is cut waits behind the complete records, and is truncated if nobody finishes it", async () => {
  for (const [content, good] of [
    ['{"a":1}\n{"b":', 1],
    ['{"a":1}\n{"b":"}', 1],
    ['[{"a":1},{"b"', 1],
    ['[{"a":1}', 1],
    ['[{"a":1},', 1],
    ["[", 0],
    ['{\n"a":1\n}\n{\n"b"', 1],
    ['{\n"a":1', 0],
    ["{", 0],
  ] as const) {
    const reading = await readBytes(format, content);
    assert.is(reading.ending.type, "incomplete", content);
    assert.is(reading.records.length, good, content);
    assert.equal(finalOutcomes(reading).slice(good), ["!truncated"], content);
  }
});

test("a number at the end waits, because digits may follow, and is a record in the end", async () => {
  const reading = await readBytes(format, '{"a":1}\n12');
  assert.is(reading.ending.type, "incomplete");
  assert.equal(finalOutcomes(reading), ['{"a":1}', "12"]);
});

test("a line, object or tail that is too large is one fault with its beginning, length and hash", async () => {
  const limits = { ...DEFAULT_LIMITS, recordBytesMax: 100, quarantineHeadBytes: 10 };
  const large = `{"x":"${"y".repeat(200)}"}`;
  for (const content of [`{"a":1}\n${large}\n{"b":2}\n`, `[{"a":1},${large},{"b":2}]`, `{"a":1}${large}{"b":2}`]) {
    const { records, ending } = await readBytes(jsonLines(limits), content);
    assert.equal(outcomes(records), ['{"a":1}', "!too_large", '{"b":2}'], content);
    assert.is(Buffer.from(records[1]?.bytes ?? []).toString(), large.slice(0, 10));
    assert.match(records[1]?.fault?.error ?? "", "208 bytes, SHA-256 ");
    assert.is(ending.type, "complete");
  }
  const tail = await readBytes(jsonLines(limits), `{"a":1}\n${large.slice(0, -1)}`);
  assert.equal(finalOutcomes(tail), ['{"a":1}', "!too_large"]);
});

test("records are cut right wherever the memory ends", async () => {
  const { below, pick } = seeded(7);
  const rows = Array.from({ length: 30_000 }, (_, n) => ({ n, text: "°".repeat(below(90)), inner: below(3) === 0 ? { at: n } : null }));
  const ends = ["\n", "\r\n", "\r", " ", ""];
  for (const content of [rows.map((row) => JSON.stringify(row) + pick(ends)).join(""), JSON.stringify(rows, null, 1)]) {
    assert.ok(Buffer.byteLength(content) > 2 * 1_048_576, "more than two chunks");
    const { records } = await readBytes(format, content);
    assert.equal(parsed(records), rows);
  }
});

test("arbitrary bytes are read without an error, and every one of them has an outcome", async () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const { below, pick, chance } = seeded(seed);
    const bytes = Buffer.from(pick(Object.values(SHAPES)));
    for (let n = below(6); n >= 0; n -= 1)
      bytes[below(bytes.length)] = chance(50) ? below(256) : pick([...'{}[]",:\\\n\r 0']).charCodeAt(0);
    const whole = finalOutcomes(await readBytes(format, bytes));
    const bounds = { records: 1, bytes: 1 };
    const { slices } = await readBytes(format, bytes, { bounds });
    const stop = slices[below(slices.length || 1)];
    if (stop === undefined) continue;
    const before = slices.slice(0, slices.indexOf(stop) + 1).flatMap(({ records }) => records);
    const behind = finalOutcomes(await readBytes(format, bytes, { bounds, from: stop.end }));
    assert.equal([...outcomes(before), ...behind], whole, `seed ${seed}`);
  }
});

function parsed(records: readonly { readonly bytes: Uint8Array }[]): readonly unknown[] {
  return records.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as unknown);
}
