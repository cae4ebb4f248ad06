import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { CrashLoop, type Death, openCrashGuard } from "../../engine/crash_guard.ts";
import { SourceId } from "../../engine/ids.ts";
import type { Batch } from "../../engine/source.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("crash guard");
const METERS = SourceId("meters");

test("a record at which three lives end is set aside in the fourth, and none beside it", async () => {
  await inFolder((dir) => {
    const lives = [life(dir, 0, 100, [41]), life(dir, 0, 100, [41]), life(dir, 0, 100, [41]), life(dir, 0, 100, [41])];
    assert.equal(
      lives.map(({ diedAt }) => diedAt),
      [41, 41, 41, null],
    );
    assert.equal(lives[3]?.aside, [41]);
    assert.equal(lives[3]?.deaths, [{ source: "meters", position: "file:a/41", deaths: 0, isAside: true }]);
    assert.equal(life(dir, 100, 100, []).aside, []);
  });
});

test("it is found though its batches are cut differently each time", async () => {
  await inFolder((dir) => {
    assert.is(life(dir, 0, 50, [41]).diedAt, 41);
    assert.is(life(dir, 30, 100, [41]).diedAt, 41);
    assert.is(life(dir, 20, 60, [41]).diedAt, 41);
    assert.equal(life(dir, 40, 3, [41]).aside, [41]);
  });
});

test("a second one in the same batch is found as well, and the first is set aside meanwhile", async () => {
  await inFolder((dir) => {
    const died = Array.from({ length: 7 }, () => life(dir, 0, 100, [41, 42]));
    assert.equal(
      died.map(({ diedAt }) => diedAt),
      [41, 41, 41, 42, 42, 42, null],
    );
    assert.equal(died[6]?.aside, [41, 42]);
  });
});

test("two sources that take turns in dying do not hide each other", async () => {
  await inFolder((dir) => {
    for (let n = 0; n < 3; n += 1) {
      assert.is(life(dir, 0, 100, [41], "file:a/").diedAt, 41);
      assert.is(life(dir, 0, 100, [7], "file:b/").diedAt, 7);
    }
    assert.equal(life(dir, 0, 100, [41], "file:a/").aside, [41]);
    assert.equal(life(dir, 0, 100, [7], "file:b/").aside, [7]);
  });
});

test("a process that ends between two batches, or while one is stored, has died of no record", async () => {
  await inFolder((dir) => {
    for (let n = 0; n < 5; n += 1) assert.equal(life(dir, 0, 100, []), { diedAt: null, aside: [], deaths: [] });
  });
});

test("what lies behind the last batch is forgotten", async () => {
  await inFolder((dir) => {
    life(dir, 0, 100, [41]);
    life(dir, 0, 100, [41]);
    life(dir, 100, 100, []); // So the batch went through in the end.
    assert.equal(life(dir, 0, 100, [41]).deaths, []);
    assert.equal(
      life(dir, 0, 100, [41]).deaths.map(({ deaths }) => deaths),
      [1],
    );
  });
});

test("where ten records in one place have been set aside the eleventh ends the start, and the next one begins anew", async () => {
  await inFolder((dir) => {
    const poison = Array.from({ length: 11 }, (_, n) => n);
    for (let n = 0; n < 33; n += 1) life(dir, 0, 100, poison);
    assert.throws(
      () => openCrashGuard(dir, () => {}),
      (error: unknown) => error instanceof CrashLoop && error.message.includes("file:a/10"),
    );
    assert.equal(life(dir, 0, 100, []), { diedAt: null, aside: [], deaths: [] });
  });
});

test("a note that a power loss has torn says nothing", async () => {
  await inFolder((dir) => {
    life(dir, 0, 100, [41]);
    const path = join(dir, "at_work");
    const text = readFileSync(path, "utf8");
    for (let length = 0; length < text.indexOf("\n"); length += 1) {
      writeFileSync(path, text.slice(0, length));
      openCrashGuard(dir, () => assert.unreachable(`${length} bytes are no note`)).close();
    }
    writeFileSync(path, Buffer.alloc(4_096));
    openCrashGuard(dir, () => assert.unreachable("zeros are no note")).close();
  });
});

interface Life {
  readonly diedAt: number | null;
  readonly aside: readonly number[];
  readonly deaths: readonly Death[];
}

/** A process that takes one batch, and dies at the first record of `poison` that is not set aside. */
function life(dir: string, first: number, count: number, poison: readonly number[], origin = "file:a/"): Life {
  const deaths: Death[] = [];
  const guard = openCrashGuard(dir, (death) => deaths.push(death));
  const aside: number[] = [];
  try {
    for (const { at, fault } of guard.enter(METERS, batch(origin, first, count)).records) {
      if (fault !== undefined) aside.push(at);
      else if (poison.includes(at)) return { diedAt: at, aside, deaths };
    }
    guard.leave();
    return { diedAt: null, aside, deaths };
  } finally {
    guard.close();
  }
}

function batch(origin: string, first: number, count: number): Batch {
  const records = Array.from({ length: count }, (_, n) => ({ at: first + n, arrivedAtMs: 0, bytes: Buffer.from("{}") }));
  return { origin, path: null, generation: 0, records, resumeAt: new Map(), idle: false };
}

async function inFolder(body: (dir: string) => void): Promise<void> {
  const dir = await newTempFolder();
  try {
    body(dir);
  } finally {
    await removeFolder(dir);
  }
}
