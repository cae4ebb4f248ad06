// timeout: 300 s
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { DamagedStore } from "../../engine/damaged_store.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { type Contents, contents } from "../contract/store.ts";
import { seeded } from "../kit/seeded.ts";
import { assertSame, commitSeries, expectedContents, positionOf, SERIES_LENGTH, SERIES_LIMITS } from "../kit/store_series.ts";
import { suite } from "../kit/suite.ts";
import { type DiskHistory, diskHistory } from "./disk_history.ts";
import { imageOf, type Loss } from "./power_loss.ts";
import { canWatch, type SystemCall, watched } from "./system_calls.ts";

const test = suite("power loss");

/** Images of each kind. */
const IMAGES = Number(process.env["POWER_LOSSES"] ?? 15);
const LOSSES: readonly Loss[] = ["dropped", "some", "torn"];

const scratch = mkdtempSync(join(tmpdir(), "gridactor-power-"));
const dir = join(scratch, "state");
process.env["LMDB_RESTORE"] = "safe"; // LMDB starts from its last flushed transaction, as it does by itself once a machine was restarted.

let calls: Promise<readonly SystemCall[]> | null = null;
let expected: readonly Contents[] = [];

test.before(async () => {
  expected = await expectedContents();
});
test.after(() => rmSync(scratch, { recursive: true }));

for (const loss of LOSSES) {
  test(`whatever the disk had not synced, a store has all that it acknowledged: unsynced writes ${loss}`, async () => {
    if (!canWatch(`power loss, ${loss}`)) return;
    const history = diskHistory(await watchedCalls(), dir);
    const chance = seeded(LOSSES.indexOf(loss));
    for (let n = 0; n < IMAGES; n += 1) await survives(history, momentIn(history, chance.below(1_000_000)), loss, n);
  });
}

test("the harness finds a store whose segments are not synced", async () => {
  if (!canWatch("power loss, the control")) return;
  const history = diskHistory(await watchedCalls(), dir, (path) => path.endsWith(".seg"));
  const chance = seeded(9);
  let broken = 0;
  for (let n = 0; n < 10; n += 1) {
    const atUs = momentIn(history, 200_000 + chance.below(800_000));
    await survives(history, atUs, "dropped", n).catch((error: unknown) => {
      if (!(error instanceof DamagedStore || error instanceof assert.Assertion)) throw error;
      broken += 1;
    });
  }
  assert.ok(broken >= 8, `${broken} of 10 images were found broken`);
});

/** What a store says to the disk while it takes the series: watched once. */
function watchedCalls(): Promise<readonly SystemCall[]> {
  calls ??= watched("test/kit/store_child.ts", [dir]).then((run) => {
    assert.is(run.code, 0, run.stderr);
    return run.calls;
  });
  return calls;
}

/** A moment after the store was made; `share` in millionths of the time until the end. */
function momentIn({ said, beganUs, endedUs }: DiskHistory, share: number): number {
  const from = (said[0]?.atUs ?? beganUs) - 20_000;
  return from + Math.floor((share / 1_000_000) * (endedUs - from));
}

async function survives(history: DiskHistory, atUs: number, loss: Loss, seed: number): Promise<void> {
  const image = mkdtempSync(join(scratch, "image-"));
  const what = `unsynced writes ${loss}, image ${seed}, ${atUs - history.beganUs} us after the start`;
  try {
    imageOf(history, atUs, loss, seeded(seed), image);
    const acknowledged = history.said.filter((said) => said.atUs <= atUs).length;
    const store = await openLmdbStore({ dir: image, limits: SERIES_LIMITS });
    try {
      const k = positionOf(store);
      assert.ok(k === acknowledged || k === acknowledged + 1, `${what}: ${acknowledged} were acknowledged, ${k} are there`);
      assertSame(await contents(store), expected[k], what);
      await commitSeries(store, SERIES_LENGTH, () => {});
      assertSame(await contents(store), expected[SERIES_LENGTH], what);
    } finally {
      await store.close();
    }
  } finally {
    rmSync(image, { recursive: true });
  }
}
