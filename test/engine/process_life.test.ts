import { spawnSync } from "node:child_process";
import * as assert from "uvu/assert";
import { isProcessAlive, processStart } from "../../engine/process_life.ts";
import { suite } from "../kit/suite.ts";

const test = suite("process life");

test("this process lives, also where its start is not known", () => {
  assert.ok(isProcessAlive(process.pid, processStart(process.pid)));
  assert.ok(isProcessAlive(process.pid, null));
});

test("a process that has ended lives no more, and a number is not enough to be the same one", () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  assert.not(isProcessAlive(pid, null));
  if (processStart(process.pid) !== null) assert.not(isProcessAlive(process.pid, "1"));
});

test("what is no process number names nobody", () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) assert.not(isProcessAlive(pid, null), String(pid));
});
