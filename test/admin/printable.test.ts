import * as assert from "uvu/assert";
import { cut, displayWidth, printable, printableJson } from "../../admin/printable.ts";
import { suite } from "../kit/suite.ts";

const test = suite("printable text");

test("what could act on a terminal or hide is escaped", () => {
  assert.is(printable("a\u001b[31mb\u0007\n\t\r"), "a\\u001b[31mb\\u0007\\n\\t\\r");
  assert.is(printable("\u007f\u009b\u202e\u2066\u200b\u2028\ufeff\ud800"), "\\u007f\\u009b\\u202e\\u2066\\u200b\\u2028\\ufeff\\ud800");
  assert.is(printable("ümlaut ₹ 東京 😀"), "ümlaut ₹ 東京 😀");
});

test("printable JSON is plain to a terminal and means the same value", () => {
  const value = { name: "a\u001bb\u007f\u009b\u202e\u{e0041}\ud800", list: [1, null] };
  for (const text of [printableJson(value), printableJson(value, 2)]) {
    assert.equal(JSON.parse(text), value);
    assert.is.not(/[^\x20-\x7e\n]/.test(text), true);
  }
});

test("width counts displayed columns", () => {
  const cases = [
    ["abc", 3],
    ["é", 1],
    ["e\u0301", 1],
    ["東京", 4],
    ["😀", 2],
    ["❤️", 2],
    ["₹ 50", 4],
    ["", 0],
  ] as const;
  for (const [text, width] of cases) assert.is(displayWidth(text), width, text);
});

test("a cut text says so and keeps to its width", () => {
  assert.is(cut("transformer", 8), "transfo…");
  assert.is(cut("short", 8), "short");
  assert.is(cut("東京東京", 4), "東…", "half a character does not fit");
  assert.is(cut("abc", 1), "…");
  assert.is(cut("abc", 0), "");
});
