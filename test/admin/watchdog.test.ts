// timeout: 120 s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ROOT } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const test = suite("watchdog");

test("a process whose loop stands still is killed", async () => {
  assert.equal(await ended("standing"), [null, "SIGKILL"]);
});

test("a process whose batch hangs is killed, though its loop turns", async () => {
  assert.equal(await ended("hanging"), [null, "SIGKILL"]);
});

test("a process whose loop turns now and then lives, and ends when it is done", async () => {
  assert.equal(await ended("living", 4_000), [0, null]);
});

async function ended(what: string, afterMs = 1_000): Promise<readonly [number | null, string | null]> {
  const args = ["--import", import.meta.resolve("tsx"), join(ROOT, "test/kit/watched_child.ts"), what, String(afterMs)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    return [code, signal];
  } finally {
    child.kill("SIGKILL");
  }
}
