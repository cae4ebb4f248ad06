import * as assert from "uvu/assert";
import { below, type Glob, globsMeet, literal, parseGlob } from "../../admin/glob.ts";
import { glob as compiled } from "../../sources/glob.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

const test = suite("file patterns");

test("two patterns meet exactly where one file fits both", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["a.json", "a.json", true],
    ["a.json", "b.json", false],
    ["*.json", "a.json", true],
    ["*.json", "a.jsonl", false],
    ["*.json", "a/b.json", false],
    ["**", "a/b.json", true],
    ["**/*.json", "b.json", true],
    ["**/x.json", "yx.json", false],
    ["**/x.json", "y/z/x.json", true],
    ["a*", "*b", true],
    ["a*c", "b*c", false],
    ["transformer_master.parquet", "*_delta_*.parquet", false],
    ["*_master.parquet", "*_delta_*.parquet", true], // a_delta_b_master.parquet
    ["?.csv", "??.csv", false],
    ["?.csv", "*.csv", true],
    ["{a,b}.csv", "b.*", true],
    ["{a,b}.csv", "c.*", false],
    ["x{,y}/z", "x/z", true],
    ["a/**", "b/**", false],
    ["a/**/c", "a/c", true],
    ["a/**", "a", true],
    ["a**c", "a/c", false],
    ["{a,{b,c}d}.csv", "cd.csv", true],
    ["{a,{b,c}d}.csv", "c.csv", false],
    ["", "", true],
  ];
  for (const [left, right, meet] of cases) {
    assert.is(globsMeet(glob(left), glob(right)), meet, `${left} and ${right}`);
    assert.is(globsMeet(glob(right), glob(left)), meet, `${right} and ${left}`);
  }
});

test("locations in one another meet where their patterns do", () => {
  assert.is(globsMeet(below("/d", glob("sub/*.csv")), below("/d/sub", glob("a.*"))), true);
  assert.is(globsMeet(below("/d", glob("*.csv")), below("/d/sub", glob("*.csv"))), false);
  assert.is(globsMeet(below("/d*", glob("*")), below("/dx", glob("*"))), false, "a location is no pattern");
});

test("a literal path is no pattern", () => {
  assert.is(globsMeet(glob("a.json"), literal("*.json")), false);
  assert.is(globsMeet(glob("?.json"), literal("*.json")), true);
  assert.is(globsMeet(glob("?"), literal("/")), false);
});

test("puzzles are refused, and the worst accepted ones are decided at once", () => {
  for (const pattern of ["/etc/*", "../x", "a/../b", "a\\b", "{a", "a}", "x".repeat(257), `${"{a,b}".repeat(40)}`, "**/".repeat(40)]) {
    assert.type(parseGlob(pattern), "string", pattern);
  }
  const worst = glob(`${"*a".repeat(120)}b`);
  assert.is(globsMeet(worst, glob(`${"*a".repeat(120)}c`)), false);
  assert.is(globsMeet(worst, literal("a".repeat(4_096))), false);
});

test("a pattern meets a file exactly where the landing zone reads it, and two patterns meet where they share one", () => {
  const seed = 20_250_615;
  const random = seeded(seed);
  const pieces = ["a", "b", "*", "?", "**", "/", "/", "/**/", "{a,b}", "{a,/b,}"];
  const pattern = (): string => Array.from({ length: 1 + random.below(5) }, () => random.pick(pieces)).join("");
  const isUsable = (text: string): boolean => typeof parseGlob(text) !== "string" && !text.includes("//") && !text.endsWith("/");
  const patterns = Array.from({ length: 400 }, pattern).filter(isUsable);
  const names = ["a", "b", "ab", "ba", "aa"];
  const paths = [...names, ...names.flatMap((x) => names.flatMap((y) => [`${x}/${y}`, `${x}/a/${y}`]))];
  for (const [n, left] of patterns.entries()) {
    const { matches } = compiled(left);
    for (const path of paths) assert.is(globsMeet(glob(left), literal(path)), matches(path), `seed ${seed}: ${left} on ${path}`);
    const right = patterns[n - 1] ?? left;
    const shares = paths.some((path) => matches(path) && compiled(right).matches(path));
    if (shares) assert.ok(globsMeet(glob(left), glob(right)), `seed ${seed}: ${left} and ${right}`);
  }
});

function glob(pattern: string): Glob {
  const parsed = pattern === "" ? literal("") : parseGlob(pattern);
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}
