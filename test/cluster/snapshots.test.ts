import { mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { makeSnapshot } from "../../cluster/snapshots.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("snapshots of a shard");

const HOUR_MS = 3_600_000;

test("what a node left of a snapshot that it was killed in goes with its next one; that of another node when it is an hour old", async () => {
  const path = await newTempFolder();
  try {
    const dir = join(path, "state");
    mkdirSync(dir);
    const store = await openLmdbStore({ dir, limits: DEFAULT_LIMITS });
    const place = join(path, "snapshots", "shard-00");
    const left = (name: string): void => {
      mkdirSync(join(place, name), { recursive: true });
      writeFileSync(join(place, name, "data.mdb"), "half");
      utimesSync(join(place, name), 10 * 3_600, 10 * 3_600);
    };
    for (const name of ["draft-a@1", "draft-a@1.draft-x", "draft-a-b@2", "draft-old@3", "swept-4"]) left(name);
    const shoot = (atMs: number) => makeSnapshot({ dir, folder: join(path, "snapshots"), shard: 0, cluster: "c", node: "a" }, () => atMs);
    await shoot(10 * HOUR_MS + HOUR_MS);
    assert.equal(readdirSync(place).sort(), ["0000000000000000", "draft-a-b@2", "draft-old@3", "swept-4"], "they may be at it");
    await shoot(10 * HOUR_MS + HOUR_MS + 1);
    assert.equal(readdirSync(place), ["0000000000000000"]);
    await store.close();
  } finally {
    await removeFolder(path);
  }
});
