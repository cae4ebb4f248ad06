// timeout: 600 s
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { type Contents, contents } from "../contract/store.ts";
import { assertSame, commitSeries, expectedContents, positionOf, SERIES_LENGTH, SERIES_LIMITS } from "../kit/store_series.ts";
import { suite } from "../kit/suite.ts";
import { canWatch, failing } from "./system_calls.ts";

const test = suite("I/O errors");

/** Every how manieth call fails; 1 tries them all. */
const STRIDE = Number(process.env["IO_STRIDE"] ?? 60);
const AT_ONCE = 2;
/** More calls of one kind than the series makes. */
const CALLS_MAX = 1_000;

const scratch = mkdtempSync(join(tmpdir(), "gridactor-io-"));
let expected: readonly Contents[] = [];
test.before(async () => {
  expected = await expectedContents();
});
test.after(() => rmSync(scratch, { recursive: true }));

const CASES = [
  ["fdatasync", "EIO", false],
  ["pwrite64", "EIO", false],
  ["pwrite64", "ENOSPC", true],
  ["fsync", "EIO", false],
  ["writev", "ENOSPC", false],
  ["rename", "EIO", false],
  ["unlink", "EACCES", true],
] as const;

for (const [call, error, forEver] of CASES) {
  test(`${call} answers ${error} ${forEver ? "from then on" : "once"}: nothing acknowledged is lost, and the store goes on when it can`, async () => {
    if (!canWatch(`${call} ${error}`)) return;
    let isClean = false;
    let next = call === "pwrite64" ? 2 : 1; // LMDB dies of the first one; that the disk takes something is tried by another call, before.
    const loops = Array.from({ length: AT_ONCE }, async () => {
      while (!isClean && next <= CALLS_MAX) {
        const nth = next;
        next += call === "rename" || call === "unlink" || call === "fsync" ? Math.ceil(STRIDE / 10) : STRIDE;
        isClean ||= await failsOnce({ call, nth, error, forEver });
      }
    });
    await Promise.all(loops);
    assert.ok(isClean, "the last runs pass the number of calls, and nothing fails");
  });
}

/** True: the run made fewer calls than that, and nothing failed. */
async function failsOnce(fault: Parameters<typeof failing>[0]): Promise<boolean> {
  const dir = mkdtempSync(join(scratch, "store-"));
  const what = `${fault.call} ${fault.nth} ${fault.error}`;
  try {
    const { code, stdout, stderr } = await failing(fault, "test/kit/store_child.ts", [dir]);
    const acknowledged = stdout.split("\n").filter((line) => /^\d+$/.test(line)).length;
    if (code !== 0) assert.match(stderr, /Error|error/, `${what}: it says what has failed`);
    const store = await openLmdbStore({ dir, limits: SERIES_LIMITS });
    try {
      const k = positionOf(store);
      assert.ok(k === acknowledged || k === acknowledged + 1, `${what}: ${acknowledged} were acknowledged, ${k} are there`);
      assertSame(await contents(store), expected[k], what);
      await commitSeries(store, SERIES_LENGTH, () => {});
      assertSame(await contents(store), expected[SERIES_LENGTH], what);
    } finally {
      await store.close();
    }
    return code === 0;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
