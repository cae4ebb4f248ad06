// timeout: 180 s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { type CrashPoint, openLmdbStore } from "../../engine/lmdb_store.ts";
import { type Contents, contents } from "../contract/store.ts";
import { assertSame, commitSeries, expectedContents, positionOf, SERIES_LENGTH, SERIES_LIMITS } from "../kit/store_series.ts";
import { suite } from "../kit/suite.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** Every point, and at which of its passages the process ends. */
const PASSAGES: Readonly<Record<CrashPoint, readonly number[]>> = {
  made: [1],
  cut: [1],
  "recovery slice": [1],
  recovered: [1],
  "create segment": [1],
  "segment created": [4],
  "write segment": [1],
  "segment written": [2],
  "segment synced": [1, 9],
  transaction: [8],
  "fold begun": [1],
  "fold slice": [1, 2],
  "puts done": [1],
  committed: [1, 8],
  flushed: [1],
  "fold ended": [1],
  "delete segment": [1, 2],
  "segment deleted": [2],
};
const PREPARED = 5;
const AT_ONCE = 2;

const test = suite("store kill");
let expected: readonly Contents[] = [];
const scratch = mkdtempSync(join(tmpdir(), "gridactor-kill-"));
test.before(async () => {
  expected = await expectedContents();
});
test.after(() => rmSync(scratch, { recursive: true }));

test("killed at any point, a store reopens with what was acknowledged, or one commit more, and goes on to the same end", async () => {
  const cases = Object.entries(PASSAGES).flatMap(([point, passages]) => passages.map((nth) => ({ point, nth })));
  const queue = cases.values(); // Shared: each loop takes the next case that is left.
  const loops = Array.from({ length: AT_ONCE }, async () => {
    for (const { point, nth } of queue) await killAndGoOn(point, nth);
  });
  await Promise.all(loops);
});

async function killAndGoOn(point: string, nth: number): Promise<void> {
  const what = `${point}, passage ${nth}`;
  const dir = mkdtempSync(join(scratch, "store-"));
  const prepared = point === "made" ? 0 : PREPARED;
  if (prepared > 0) await prepare(dir, prepared);
  const acknowledged = (await killed(dir, point, nth, what)).at(-1) ?? prepared;

  const store = await openLmdbStore({ dir, limits: SERIES_LIMITS });
  const k = positionOf(store);
  assert.ok(k === acknowledged || k === acknowledged + 1, `${what}: ${acknowledged} were acknowledged, ${k} are there`);
  assertSame(await contents(store), expected[k], what);
  await commitSeries(store, SERIES_LENGTH, () => {});
  assertSame(await contents(store), expected[SERIES_LENGTH], what);
  await store.close();
  await checkReopened(dir, what);
}

/** A store with a journal to recover, and segments that a crash left too long. */
async function prepare(dir: string, commits: number): Promise<void> {
  const store = await openLmdbStore({ dir, limits: SERIES_LIMITS });
  await commitSeries(store, commits, () => {});
  await store.close();
  for (const name of readdirSync(dir)) if (name.endsWith(".seg")) appendFileSync(join(dir, name), "left by a crash");
}

/** Resolves with the numbers of the commits that resolved in the child. */
async function killed(dir: string, point: string, nth: number, what: string): Promise<readonly number[]> {
  const child = spawn(process.execPath, ["--import", "tsx", "test/kit/store_child.ts", dir, point, String(nth)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code, signal] = await once(child, "close");
  assert.is(signal, "SIGKILL", `${what}: the child ended with ${code}`);
  return output.split("\n").filter(Boolean).map(Number);
}

async function checkReopened(dir: string, what: string): Promise<void> {
  const store = await openLmdbStore({ dir, limits: SERIES_LIMITS });
  assertSame(await contents(store), expected[SERIES_LENGTH], `${what}, closed and opened again`);
  await store.close();
}
