// timeout: 120 s
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { BadBackup, backUp, restore } from "../../engine/backup.ts";
import { DamagedStore, NoStore } from "../../engine/damaged_store.ts";
import { stateDigest } from "../../engine/digest.ts";
import { Locked } from "../../engine/directory_lock.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import type { Store } from "../../engine/store.ts";
import { changes, entry, part, put } from "../contract/store.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("backup");

/** Folds nearly always, so that segments come and go. */
const LIMITS = { segmentBytes: 4_000, foldAtBytes: 2_000 };

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await newTempFolder();
  try {
    await body(folder);
  } finally {
    await removeFolder(folder);
  }
}

const openAt = (dir: string): Promise<Store> => openLmdbStore({ dir, limits: LIMITS });

/** Commits with parts, facts and entries of the log, from number `first` to `last`. */
async function live(store: Store, first: number, last: number): Promise<void> {
  for (let n = first; n <= last; n += 1) {
    const parts = [0, 1, 2].map((k) => part(`meter/${(n * 3 + k) % 20}`, `hot ${n} ${"x".repeat(100)}`, `warm ${n}`));
    await store.commit(
      changes({ parts, rows: [put("fact", `k${n % 7}`, `12345678 fact ${n}`)], entries: [entry(store.nextSequence, `e${n}`)] }),
    );
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

test("a backup beside a running engine is the state of one commit, and restored it goes on from there", () =>
  inFolder(async (folder) => {
    const store = await openAt(join(folder, "state"));
    await live(store, 1, 40);
    const digest = stateDigest(store);
    const backup = await backUp(join(folder, "state"), join(folder, "copy"));
    assert.equal([backup.digest, backup.nextSequence, backup.storeId], [digest, 41, store.storeId]);
    await live(store, 41, 60);
    assert.is.not(stateDigest(store), digest);
    await store.close();
    await restore(join(folder, "copy"), join(folder, "other"), false);
    const restored = await openAt(join(folder, "other"));
    assert.equal([stateDigest(restored), restored.nextSequence], [digest, 41]);
    assert.equal([store.generation, restored.generation > 0], [0, true]);
    assert.equal((await restored.readLog("alerts", 1, 1_000_000)).length, 40);
    await live(restored, 41, 45);
    assert.is(restored.nextSequence, 46);
    await restored.close();
  }));

test("a writer that commits as fast as it can, and deletes segments all the time, takes none from a backup", () =>
  inFolder(async (folder) => {
    const dir = join(folder, "state");
    const store = await openAt(dir);
    await live(store, 1, 30);
    const before = await readdir(dir);
    let [stopped, n] = [false, 30];
    const writing = (async () => {
      while (!stopped) await live(store, ++n, n);
    })();
    /** The longest time between the copy of LMDB's file and that of the segments: all of them would be others by then. */
    const aWhile = async (): Promise<void> => {
      for (const from = n; n < from + 60; ) await new Promise((resolve) => setImmediate(resolve));
    };
    for (const copy of ["1", "2", "3"]) {
      await backUp(dir, join(folder, copy), aWhile);
      await restore(join(folder, copy), join(folder, `${copy}-restored`), false);
    }
    await aWhile(); // Without a backup segments are deleted again.
    stopped = true;
    await writing;
    await store.close();
    const after = await readdir(dir);
    assert.not(
      before.some((name) => name.startsWith("journal") && after.includes(name)),
      "what is needed no more has gone",
    );
    assert.ok(after.filter((name) => name.startsWith("journal")).length < 10);
    assert.not(after.some((name) => name.includes("pin")));
  }));

test("a pin of a process that has ended holds nothing up, and a segment that is missing is damage", () =>
  inFolder(async (folder) => {
    const dir = join(folder, "state");
    const store = await openAt(dir);
    await live(store, 1, 30);
    await writeFile(join(dir, "pinning-x.pin"), `${2 ** 22 + 1} -\n`);
    const before = (await readdir(dir)).filter((name) => name.startsWith("journal"));
    await live(store, 31, 90);
    await store.close();
    const after = await readdir(dir);
    assert.not(before.some((name) => after.includes(name)));
    assert.not(after.includes("pinning-x.pin"));
    const [segment = ""] = after.filter((name) => name.startsWith("alerts"));
    await rm(join(dir, segment));
    assert.instance(await failure(backUp(dir, join(folder, "copy"))), DamagedStore);
    assert.equal(await readdir(join(folder, "copy")), []);
  }));

test("a state that is there stays, unless it is forced to go; and a running engine keeps its own", () =>
  inFolder(async (folder) => {
    const [dir, copy] = [join(folder, "state"), join(folder, "copy")];
    const store = await openAt(dir);
    await live(store, 1, 10);
    const { digest } = await backUp(dir, copy);
    await live(store, 11, 20);
    assert.instance(await failure(restore(copy, dir, true)), Locked);
    await store.close();
    assert.instance(await failure(restore(copy, dir, false)), BadBackup);
    await restore(copy, dir, true);
    const restored = await openAt(dir);
    assert.is(stateDigest(restored), digest);
    await restored.close();
    assert.equal((await readdir(folder)).sort(), ["copy", "state"]);
  }));

test("a byte that is not what it was is found before anything is replaced", () =>
  inFolder(async (folder) => {
    const [dir, copy] = [join(folder, "state"), join(folder, "copy")];
    const store = await openAt(dir);
    await live(store, 1, 10);
    await store.close();
    const { files } = await backUp(dir, copy);
    for (const name of [...Object.keys(files), "backup.json"]) {
      const bytes = await readFile(join(copy, name));
      const forged = Buffer.from(bytes);
      if (name === "backup.json") forged.write(forged.toString().replace(/"digest": "./, '"digest": "g'));
      else forged[forged.length >> 1] = (forged[forged.length >> 1] ?? 0) ^ 1;
      await writeFile(join(copy, name), forged);
      assert.instance(await failure(restore(copy, join(folder, "other"), true)), BadBackup, name);
      await writeFile(join(copy, name), bytes);
    }
    await restore(copy, join(folder, "other"), true);
  }));

test("where no state is, or a folder that is not empty, nothing is backed up", () =>
  inFolder(async (folder) => {
    assert.instance(await failure(backUp(join(folder, "none"), join(folder, "copy"))), NoStore);
    const store = await openAt(join(folder, "state"));
    await store.close();
    await writeFile(join(folder, "file"), "");
    assert.instance(await failure(backUp(join(folder, "state"), folder)), BadBackup);
    assert.instance(await failure(restore(folder, join(folder, "other"), true)), BadBackup);
  }));

test("a backup leaves its neighbours alone, and nothing beside it", () =>
  inFolder(async (folder) => {
    const store = await openAt(join(folder, "state"));
    await live(store, 1, 3);
    await mkdir(join(folder, "copy.1"));
    await writeFile(join(folder, "copy.1", "precious"), "of last night");
    await backUp(join(folder, "state"), join(folder, "copy"));
    await store.close();
    assert.equal((await readdir(folder)).sort(), ["copy", "copy.1", "state"]);
    assert.equal(await readdir(join(folder, "copy.1")), ["precious"]);
  }));

test("where a restore was cut off between two names, no empty state is begun", () =>
  inFolder(async (folder) => {
    const dir = join(folder, "state");
    await (await openAt(dir)).close();
    await rename(dir, `${dir}.replaced`);
    const error = await failure(openAt(dir));
    assert.instance(error, DamagedStore);
    assert.match(String(error), /a restore was cut off/);
    await rename(`${dir}.replaced`, dir).catch(async () => {
      await rm(dir, { recursive: true });
      await rename(`${dir}.replaced`, dir);
    });
    await (await openAt(dir)).close();
  }));
