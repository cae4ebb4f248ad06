import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "./suite.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const test = suite("suite");

test("a suite runs without being told to, and its success is exit code 0", () => {
  assert.is(guarded("sound").status, 0);
});

test("a hook that throws is exit code 1, whichever it is", () => {
  for (const hook of ["before", "beforeEach", "afterEach", "after"]) assert.is(guarded(hook).status, 1, hook);
});

test("a suite without a test and a test added too late are exit code 1", () => {
  for (const mistake of ["empty", "late"]) assert.is(guarded(mistake).status, 1, mistake);
});

test("the tests after an error that uvu cannot print still run", () => {
  for (const error of ["text", "details"]) assert.match(guarded(error).stdout, "(1 / 2)");
});

test("leaving in the middle of a test is exit code 1", () => {
  assert.is(guarded("exits").status, 1);
});

test("saying that a test cannot run is a mistake outside of one, and the second time", () => {
  for (const mistake of ["outside", "twice"]) assert.is(guarded(mistake).status, 1, mistake);
});

const trace: string[] = [];
const ordered = suite("hooks");
ordered.before(() => trace.push("before"));
ordered.before.each(() => trace.push("each"));
ordered.after.each(() => trace.push("/each"));
ordered("the first test comes after both kinds of before", () => assert.equal(trace, ["before", "each"]));
ordered("a later test comes after its own hook only", () => assert.equal(trace, ["before", "each", "/each", "each"]));

function guarded(name: string): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(process.execPath, ["--import", "tsx", "test/kit/broken/guarded.ts", name], { cwd: ROOT, encoding: "utf8" });
}
