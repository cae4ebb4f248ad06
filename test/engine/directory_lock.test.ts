import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { Locked, lockDirectory, lockHolder } from "../../engine/directory_lock.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("directory lock");

test("who has the lock is known, and nobody else gets it until it is released", async () => {
  await inTempFolder(async (dir) => {
    assert.is(lockHolder(dir), null);
    const lock = lockDirectory(dir);
    assert.is(lockHolder(dir), process.pid);
    assert.throws(
      () => lockDirectory(dir),
      (error: unknown) => error instanceof Locked && error.pid === process.pid,
    );
    lock.release();
    assert.is(lockHolder(dir), null);
    lockDirectory(dir).release();
    assert.equal(readdirSync(dir), []);
  });
});

test("a live process keeps its lock, a dead one loses it", async () => {
  await inTempFolder(async (dir) => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    await once(child, "spawn");
    writeFileSync(join(dir, "lock"), `${child.pid} ${startOf(child.pid ?? 0)}\n`);
    assert.is(lockHolder(dir), child.pid);
    assert.throws(
      () => lockDirectory(dir),
      (error: unknown) => error instanceof Locked && error.pid === child.pid,
    );
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.is(lockHolder(dir), null);
    lockDirectory(dir).release();
  });
});

test("a process that has the number of the dead owner does not have its lock", async () => {
  await inTempFolder(async (dir) => {
    writeFileSync(join(dir, "lock"), `${process.pid} ${Number(startOf(process.pid)) - 1}\n`);
    assert.is(lockHolder(dir), null);
    const lock = lockDirectory(dir);
    assert.is(lockHolder(dir), process.pid);
    lock.release();
  });
});

test("a lock that nobody can have written is taken over", async () => {
  await inTempFolder(async (dir) => {
    for (const text of ["", "nonsense", "0 1\n", "-1 -\n", `${process.pid}`, `${spawnSync("true").pid} -\n`]) {
      writeFileSync(join(dir, "lock"), text);
      assert.is(lockHolder(dir), null, text);
      lockDirectory(dir).release();
    }
  });
});

test("a lock that another process took over meanwhile is not released", async () => {
  await inTempFolder(async (dir) => {
    const lock = lockDirectory(dir);
    writeFileSync(join(dir, "lock"), "1 1\n");
    lock.release();
    assert.ok(existsSync(join(dir, "lock")));
  });
});

/** Field 22 of what Linux says about a process. */
function startOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[19] ?? "";
}
