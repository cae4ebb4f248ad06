import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "./suite.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const test = suite("suite");

test("a suite runs without being told to, and its success is exit code 0", () => {
  assert.is(exitCode("sound"), 0);
});

test("a hook that throws is exit code 1, whichever it is", () => {
  for (const hook of ["before", "beforeEach", "afterEach", "after"]) assert.is(exitCode(hook), 1, hook);
});

test("a suite without a test and a test added too late are exit code 1", () => {
  for (const mistake of ["empty", "late"]) assert.is(exitCode(mistake), 1, mistake);
});

test("errors that uvu cannot print are exit code 1", () => {
  for (const error of ["text", "details"]) assert.is(exitCode(error), 1, error);
});

test("leaving in the middle of a test is exit code 1", () => {
  assert.is(exitCode("exits"), 1);
});

test("saying that a test cannot run is a mistake outside of one, and the second time", () => {
  for (const mistake of ["outside", "twice"]) assert.is(exitCode(mistake), 1, mistake);
});

const trace: string[] = [];
const ordered = suite("hooks");
ordered.before(() => trace.push("before"));
ordered.before.each(() => trace.push("each"));
ordered.after.each(() => trace.push("/each"));
ordered("the first test comes after both kinds of before", () => assert.equal(trace, ["before", "each"]));
ordered("a later test comes after its own hook only", () => assert.equal(trace, ["before", "each", "/each", "each"]));

function exitCode(name: string): number | null {
  return spawnSync(process.execPath, ["--import", "tsx", "test/kit/broken/guarded.ts", name], { cwd: ROOT, stdio: "ignore" }).status;
}
