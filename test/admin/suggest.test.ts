import * as assert from "uvu/assert";
import { editDistance, nearest, suggestions } from "../../admin/suggest.ts";
import { suite } from "../kit/suite.ts";

const test = suite("suggestions");

test("the distance counts insertions, deletions, replacements and swapped neighbours", () => {
  const cases = [
    ["", "", 0],
    ["inspect", "inspect", 0],
    ["inspcet", "inspect", 1],
    ["settel", "settle", 1],
    ["lag", "lags", 1],
    ["lag", "log", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
  ] as const;
  for (const [a, b, distance] of cases) {
    assert.is(editDistance(a, b), distance, `${a} ${b}`);
    assert.is(editDistance(b, a), distance, `${b} ${a}`);
  }
});

test("the nearest word within two edits is suggested, in any case", () => {
  assert.is(nearest("INSPCET", ["history", "inspect", "ls"]), "inspect");
  assert.is(nearest("inspection", ["inspect"]), null);
  assert.is(nearest("xy", ["ab"]), null, "nothing in common");
  assert.is(nearest("a".repeat(1_000_000), ["a"]), null);
});

test("suggestions come nearest first, then by name, and are few", () => {
  assert.equal(suggestions("SM-N-0042", ["SM-N-01042", "SM-N-00042", "SM-N-00142", "SUB-N-012"]), [
    "SM-N-00042",
    "SM-N-00142",
    "SM-N-01042",
  ]);
  assert.is(suggestions("aaaa", ["aaab", "aaac", "aaad", "aaae", "aaaf", "aaag"]).length, 5);
});

test("however the known words come, the same few are suggested", () => {
  const known = ["aaab", "caaa", "abab", "aaac", "aaad", "aabb", "aaae", "baaa"];
  for (let n = 0; n < known.length; n += 1) {
    const turned = [...known.slice(n), ...known.slice(0, n)];
    assert.equal(suggestions("aaaa", turned, 4), ["aaab", "aaac", "aaad", "aaae"], turned.join());
    assert.equal(suggestions("aaaa", turned.reverse(), 7), ["aaab", "aaac", "aaad", "aaae", "baaa", "caaa", "aabb"], turned.join());
  }
  assert.equal(suggestions("aaaa", known, 0), []);
});
