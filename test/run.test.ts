import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as assert from "uvu/assert";
import { suite } from "./kit/suite.ts";

const ROOT = resolve(import.meta.dirname, "..");
const BROKEN = ["hook_throws", "never_run", "after_each_throws", "hangs", "empty"].map((name) => `test/kit/broken/${name}.ts`);

const five = runner(BROKEN);

const test = suite("the guard runner");

test("a throwing hook, a forgotten run, a hidden failure, a hang and an empty file are five failures", () => {
  const { code, lines } = five;
  for (const file of BROKEN) assert.ok(lines.includes(`FAIL  ${file}`), file);
  assert.is(lines.at(-1), "0 passed, 5 failed");
  assert.is(code, 1);
});

test("a hanging file is killed together with the processes it started", () => {
  const company = five.lines.find((line) => line.startsWith("company "));
  assert.ok(five.lines.some((line) => line.includes("killed after 3 s")));
  assert.not(isAlive(Number(company?.split(" ")[1])));
});

test("a rejection that nobody handles fails the file", () => {
  const { code, lines } = runner(["test/kit/broken/rejects.ts"]);
  assert.is(lines.at(-1), "1 passed, 1 failed"); // The test itself passed.
  assert.is(code, 1);
});

test("a skipped test and one that cannot run are listed, and count as neither passed nor failed", () => {
  const { code, lines } = runner(["test/kit/broken/partly.ts"]);
  assert.equal(lines.slice(-4), [
    "SKIPPED partly: is left out  (test/kit/broken/partly.ts)",
    "NOT RUN teapot: no tea",
    "1 not run",
    "1 passed, 0 failed",
  ]);
  assert.is(code, 0);
});

test("in CI a test that cannot run is a failure", () => {
  const { code, lines } = runner(["test/kit/broken/partly.ts"], { CI: "1" });
  assert.is(lines.at(-1), "1 passed, 1 failed");
  assert.is(code, 1);
});

test("CI set to nothing, 0 or false is not CI", () => {
  for (const CI of ["", "0", "false"]) assert.is(runner(["test/kit/broken/partly.ts"], { CI }).code, 0);
});

test("choosing no file is not a success", () => {
  const { code, lines } = runner(["no such file"]);
  assert.is(lines.at(-1), "0 passed, 0 failed");
  assert.is(code, 1);
});

test("options for Node in the environment do not reach the tests", () => {
  assert.is(runner(["test/kit/broken/partly.ts"], { NODE_OPTIONS: "--no-warnings" }).code, 0);
});

/** Linux keeps the number of a dead process until its parent asks, and in a container nobody may ask: state Z. */
function isAlive(pid: number): boolean {
  assert.ok(pid > 0);
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

function runner(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly code: number | null; readonly lines: readonly string[] } {
  const { CI: _ours, ...rest } = process.env;
  const done = spawnSync(process.execPath, ["--import", "tsx", "test/run.ts", ...args], {
    cwd: ROOT,
    env: { ...rest, ...env },
    encoding: "utf8",
  });
  return { code: done.status, lines: done.stdout.trimEnd().split("\n") };
}
