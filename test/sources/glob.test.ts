import * as assert from "uvu/assert";
import { glob } from "../../sources/glob.ts";
import { suite } from "../kit/suite.ts";

const test = suite("glob");

test("a glob means the paths it describes, and no other", () => {
  for (const [pattern, meant, others] of [
    ["a.json", ["a.json"], ["b.json", "x/a.json", "a.jsonx", "xa.json", "aXjson"]],
    ["*.json", ["a.json", ".json"], ["x/a.json", "a.csv"]],
    ["*_delta_*.parquet", ["t_delta_1.parquet", "_delta_.parquet", "t_delta_x_delta_y.parquet"], ["t_delta.parquet"]],
    ["f?.csv", ["f1.csv", "fé.csv", "f\u{1f600}.csv"], ["f.csv", "f12.csv", "f/.csv"]],
    ["{a,b*}.csv", ["a.csv", "b.csv", "b2.csv"], ["a2.csv", "c.csv"]],
    ["x/{1,{2,3}}/*.csv", ["x/1/a.csv", "x/3/a.csv"], ["x/4/a.csv", "x/a.csv"]],
    ["**/*.json", ["a.json", "x/a.json", "x/y/z/a.json"], ["a.csv"]],
    ["x/**/a.json", ["x/a.json", "x/y/a.json", "x/y/z/a.json"], ["a.json", "y/x/a.json"]],
    ["**/x/**", ["x/a", "y/x/a/b"], ["a", "y/z"]],
    ["a+(b)[c].json", ["a+(b)[c].json"], ["aab.json"]],
  ] as const) {
    for (const path of meant) assert.ok(glob(pattern).matches(path), `${pattern} means ${path}`);
    for (const path of others) assert.not(glob(pattern).matches(path), `${pattern} does not mean ${path}`);
  }
});

test("the depth of a glob says how deep one has to look", () => {
  assert.is(glob("*.json").depth, 0);
  assert.is(glob("{a,b/c}/*.json").depth, 2);
  assert.is(glob("x/**/a.json").depth, Number.POSITIVE_INFINITY);
});

test("a pattern that would keep other matchers busy for ever is tested in a moment (corpus 117)", () => {
  assert.not(glob("*a".repeat(120)).matches("a".repeat(119) + "b".repeat(4_000)));
  assert.not(glob(`${"**/".repeat(60)}x`).matches("a/".repeat(2_000)));
});

test("a pattern that is no glob is refused", () => {
  for (const pattern of ["", "{a", "a}", "{a,{b}", "x".repeat(257), "{a,b}".repeat(8)])
    assert.throws(() => glob(pattern), RangeError.prototype.name && /glob/);
});
