// timeout: 180 s
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as assert from "uvu/assert";
import { DamagedStore, NoStore } from "../../engine/damaged_store.ts";
import { Locked } from "../../engine/directory_lock.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { ActorId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { type CrashPoint, openLmdbStore } from "../../engine/lmdb_store.ts";
import type { Store } from "../../engine/store.ts";
import { changes, contents, entry, logOf, part, put, refusesAll, rejects, storeContract } from "../contract/store.ts";
import { assertSame, commitSeries, expectedContents, positionOf, SERIES_LENGTH, SERIES_LIMITS } from "../kit/store_series.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const ROOT = resolve(import.meta.dirname, "../..");

storeContract({ name: "LMDB and segments", durable: true, open: (dir) => openLmdbStore({ dir, limits: DEFAULT_LIMITS }) });
storeContract({
  name: "LMDB and segments, always folding, a log segment for each commit",
  durable: true,
  open: (dir) => openLmdbStore({ dir, limits: { segmentBytes: 1, foldAtBytes: 1 } }),
});

const test = suite("lmdb store");

const open = (dir: string): Promise<Store> => openLmdbStore({ dir, limits: SERIES_LIMITS });
const segments = (dir: string): readonly string[] => readdirSync(dir).filter((name) => name.endsWith(".seg"));
const journals = (dir: string): readonly string[] => segments(dir).filter((name) => name.startsWith("journal-"));

/** A directory that holds the first k commits of the series, closed. */
async function seriesIn(dir: string, k: number): Promise<void> {
  const store = await open(dir);
  await commitSeries(store, k, () => {});
  await store.close();
}

async function inSeriesFolder(k: number, body: (dir: string) => Promise<void>): Promise<void> {
  await inTempFolder(async (dir) => {
    await seriesIn(dir, k);
    await body(dir);
  });
}

test("a directory has one owner: a second one is turned away, and the first is unharmed", async () => {
  await inTempFolder(async (dir) => {
    const store = await open(dir);
    const error = await rejects(open(dir));
    assert.instance(error, Locked);
    assert.is((error as Locked).pid, process.pid);
    await store.commit(changes({ rows: [put("fact", "k", "v")] }));
    await store.close();
    await (await open(dir)).close();
  });
});

test("with the lock gone, the epoch fences off who was there first", async () => {
  await inSeriesFolder(2, async (dir) => {
    const store = await open(dir);
    rmSync(join(dir, "lock"));
    await ended(child(dir));
    assert.instance(await rejects(store.commit(changes({ rows: [put("fact", "k", "mine")] }))), BrokenInvariant);
    await refusesAll(store);
    await store.close();
    const reopened = await open(dir);
    assertSame(await contents(reopened), (await expectedContents())[SERIES_LENGTH], "the whole series");
    await reopened.close();
  });
});

const FAILING: readonly (readonly [point: CrashPoint, isWhole: boolean])[] = [
  ["create segment", false],
  ["write segment", false],
  ["segment written", false],
  ["segment synced", false],
  ["transaction", false],
  ["puts done", false],
  ["committed", true],
  ["flushed", true],
];

for (const [point, isWhole] of FAILING) {
  test(`an error at "${point}" fails the commit and ends the store; reopened, the commit is ${isWhole ? "there" : "not there"}`, async () => {
    await inSeriesFolder(3, async (dir) => {
      let armed = false;
      const crashAt = (passing: string): void => {
        if (armed && passing === point) throw new Error("injected");
      };
      const store = await openLmdbStore({ dir, limits: SERIES_LIMITS, crashAt });
      armed = true;
      assert.is((await rejects(commitSeries(store, 4, () => {}))).message, "injected");
      await refusesAll(store);
      await store.close();
      const reopened = await open(dir);
      assertSame(await contents(reopened), (await expectedContents())[isWhole ? 4 : 3], "reopened");
      await reopened.close();
    });
  });
}

test("a crash in the middle of a cut leaves the stream whole or cut, and a reader that is open goes on", async () => {
  const limits = { segmentBytes: 1, foldAtBytes: DEFAULT_LIMITS.foldAtBytes };
  for (const [point, isCut] of [
    ["transaction", false],
    ["puts done", false],
    ["committed", true],
    ["flushed", true],
    ["delete segment", true],
    ["segment deleted", true],
  ] as const) {
    await inTempFolder(async (dir) => {
      let armed = false;
      const crashAt = (passing: string): void => {
        if (armed && passing === point) throw new Error("injected");
      };
      const store = await openLmdbStore({ dir, limits, crashAt });
      for (let n = 1; n <= 4; n += 1) await store.commit(changes({ entries: [entry(n, `${n}`)] }));
      const reader = await openLmdbStore({ dir, limits, readOnly: true });
      assert.is((await logOf(reader, "alerts", 1, 1)).length, 4);
      armed = true;
      const pieces = store.logPieces("alerts").slice(0, 2);
      await store.cutLog("alerts", { pieces, start: 3, rows: [] }).catch(() => {});
      for (let n = 5; n <= 8; n += 1) await store.commit(changes({ entries: [entry(n, `${n}`)] })).catch(() => {});
      await store.close().catch(() => {});
      const first = (await logOf(reader, "alerts", 1, 1))[0]?.[0];
      assert.is(first, isCut ? 3 : 1, `${point}: the reader`);
      assert.is(reader.logStart("alerts"), isCut ? 3 : 1);
      await reader.close();
      for (let opening = 0; opening < 2; opening += 1) {
        const reopened = await openLmdbStore({ dir, limits });
        assert.is(reopened.logStart("alerts"), isCut ? 3 : 1, point);
        assert.is((await logOf(reopened, "alerts", 1, 1))[0]?.[0], isCut ? 3 : 1, point);
        for (let n = 0; n < 3; n += 1) await reopened.settle("s", Buffer.from("1")); // What is cut is deleted two epochs later.
        await reopened.close();
      }
      assert.is(segments(dir).includes("alerts-0000000000000001.seg"), !isCut);
    });
  }
});

test("a commit whose files cannot be made fails", async () => {
  await inTempFolder(async (folder) => {
    const dir = join(folder, "state");
    const store = await open(dir);
    rmSync(dir, { recursive: true });
    await rejects(store.commit(changes({ entries: [entry(1, "a")] })));
    await refusesAll(store);
    await store.close();
  });
});

test("a key that LMDB refuses fails the commit before anything is written", async () => {
  await inTempFolder(async (dir) => {
    for (const key of ["", "é".repeat(1_000)]) {
      const store = await open(dir);
      assert.instance(await rejects(store.commit(changes({ rows: [put("fact", key, "v")], entries: [entry(1, "a")] }))), BrokenInvariant);
      await store.close();
      assert.equal(segments(dir), []);
    }
  });
});

test("a commit that waits for a settling is no part of it", async () => {
  await inTempFolder(async (dir) => {
    let transactions = 0;
    const crashAt = (passing: string): void => {
      if (passing === "transaction") transactions += 1;
      if (transactions === 2) throw new Error("injected");
    };
    const store = await openLmdbStore({ dir, limits: SERIES_LIMITS, crashAt });
    const settled = store.settle("s", Buffer.from("1"));
    const committed = store.commit(changes({ parts: [part("meter/A", "hot", null)], entries: [entry(1, "a")] }));
    await settled;
    await rejects(committed);
    await store.close();
    const reopened = await open(dir);
    assert.equal(await contents(reopened), { parts: [], rows: [["sink", "s", "1"]], log: [], nextSequence: 1 });
    await reopened.close();
  });
});

test("an open store has its journal folded, and every actor in the tables", async () => {
  await inSeriesFolder(3, async (dir) => {
    assert.ok(journals(dir).length > 0);
    const store = await open(dir);
    const [expected] = (await expectedContents()).slice(3);
    for (const [id, hot, warm] of expected?.parts ?? []) {
      const parts = store.load(ActorId("meter", id.slice("meter/".length)));
      assert.equal([parts?.hot, parts?.warm].map(textOrNull), [hot, warm]);
    }
    for (let k = 0; k < 3; k += 1) await store.settle("s", Buffer.from("1"));
    assert.equal(journals(dir), []);
    await store.close();
  });
});

test("the journal stays short while it grows: it is folded beside the commits", async () => {
  await inTempFolder(async (dir) => {
    const store = await open(dir);
    let longestBytes = 0;
    let folded = 0;
    let before: readonly string[] = [];
    await commitSeries(store, SERIES_LENGTH, () => {
      const now = journals(dir);
      longestBytes = Math.max(longestBytes, sizeOf(dir, now));
      folded += before.filter((name) => !now.includes(name)).length;
      before = now;
    });
    const commitBytes = 15_000;
    // The frozen segment, the next one while that is put in order, two slices, and two epochs more until it is deleted.
    const mostBytes = 1.5 * SERIES_LIMITS.foldAtBytes + 6 * commitBytes;
    assert.ok(longestBytes < mostBytes, `the journal had ${longestBytes} bytes, more than ${mostBytes}`);
    assert.ok(folded > 0);
    assertSame(await contents(store), (await expectedContents())[SERIES_LENGTH], "the whole series");
    await store.close();
  });
});

test("a journal that changed on the disk is found out when it is folded, and ends the store", async () => {
  await inTempFolder(async (dir) => {
    const store = await open(dir);
    await commitSeries(store, 2, () => {});
    flip(join(dir, journals(dir)[0] ?? ""));
    assert.instance(await rejects(commitSeries(store, SERIES_LENGTH, () => {})), DamagedStore);
    await refusesAll(store);
    await store.close();
  });
});

test("opened with LMDB one epoch back, a store is as it was one commit before", async () => {
  const expected = await expectedContents();
  await inTempFolder(async (folder) => {
    const dir = join(folder, "state");
    const before = join(folder, "before.mdb");
    const store = await open(dir);
    for (let k = 1; k <= SERIES_LENGTH; k += 1) {
      copyFileSync(join(dir, "data.mdb"), before);
      await commitSeries(store, k, () => {});
      const fallen = join(folder, `fallen-${k}`);
      cpSync(dir, fallen, { recursive: true });
      copyFileSync(before, join(fallen, "data.mdb"));
      for (const name of ["lock", "data.mdb-lock"]) rmSync(join(fallen, name));
      const reopened = await open(fallen);
      assertSame(await contents(reopened), expected[k - 1], `before commit ${k}`);
      await reopened.close();
    }
    await store.close();
  });
});

test("what lies beyond the committed length of a segment is cut off", async () => {
  await inSeriesFolder(4, async (dir) => {
    const logs = segments(dir).filter((name) => !name.startsWith("journal-"));
    const before = logs.map((name) => readFileSync(join(dir, name)));
    for (const [n, name] of logs.entries())
      writeFileSync(join(dir, name), Buffer.concat([before[n] ?? Buffer.alloc(0), Buffer.alloc(100 * n + 1)]));
    writeFileSync(join(dir, "alerts-0000000000000999.seg"), "made by a commit that never was");
    await (await open(dir)).close();
    assert.equal(
      logs.map((name) => readFileSync(join(dir, name))),
      before,
    );
    assert.not.ok(existsSync(join(dir, "alerts-0000000000000999.seg")));
  });
});

for (const bytes of [null, 0, 100, 4_096, 8_192, "half"] as const) {
  test(`a data file of ${bytes ?? "no"} bytes is damage, and nothing is written over it`, async () => {
    await inSeriesFolder(3, async (dir) => {
      const path = join(dir, "data.mdb");
      if (bytes === null) rmSync(path);
      else truncateSync(path, bytes === "half" ? Math.floor(statSync(path).size / 8_192) * 4_096 : bytes);
      const before = listing(dir);
      assert.instance(await rejects(open(dir)), DamagedStore);
      assert.instance(await rejects(openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true })), DamagedStore);
      assert.equal(listing(dir), before);
    });
  });
}

test("a sidecar that is missing, torn, of another store or of another format is damage", async () => {
  await inSeriesFolder(3, async (dir) => {
    const path = join(dir, "store.json");
    const { storeId } = JSON.parse(readFileSync(path, "utf8"));
    for (const text of [
      null,
      "",
      "{",
      "null",
      `{"storeId":"","format":2}`,
      `{"storeId":"another","format":2}`,
      JSON.stringify({ storeId, format: 1 }),
      JSON.stringify({ storeId, format: 3 }),
    ]) {
      if (text === null) rmSync(path);
      else writeFileSync(path, text);
      assert.instance(await rejects(open(dir)), DamagedStore, String(text));
    }
    writeFileSync(path, JSON.stringify({ storeId, format: 2 }));
    await (await open(dir)).close();
  });
});

test("with the sidecar gone, segments or data alone do not pass for a new store", async () => {
  await inSeriesFolder(3, async (dir) => {
    rmSync(join(dir, "store.json"));
    assert.instance(await rejects(open(dir)), DamagedStore);
    await inTempFolder(async (dataAlone) => {
      copyFileSync(join(dir, "data.mdb"), join(dataAlone, "data.mdb"));
      assert.instance(await rejects(open(dataAlone)), DamagedStore);
    });
    rmSync(join(dir, "data.mdb"));
    assert.instance(await rejects(open(dir)), DamagedStore);
  });
});

test("a journal segment that is missing, too short or changed is damage when the store is opened", async () => {
  for (const damage of [rmSync, shorten, flip]) {
    await inSeriesFolder(3, async (dir) => {
      damage(join(dir, journals(dir)[0] ?? ""));
      assert.instance(await rejects(open(dir)), DamagedStore);
      assert.instance(await rejects(opened({ dir, readOnly: true })), DamagedStore);
    });
  }
});

test("a log segment that is missing or too short is damage when the store is opened, a changed one when it is read", async () => {
  for (const damage of [rmSync, shorten, flip]) {
    await inSeriesFolder(3, async (dir) => {
      damage(join(dir, segments(dir).find((name) => name.startsWith("curated-")) ?? ""));
      if (damage !== flip) return assert.instance(await rejects(open(dir)), DamagedStore);
      const store = await open(dir);
      assert.instance(await rejects(logOf(store, "curated", 1, 1_000)), DamagedStore);
      await store.close();
    });
  }
});

test("a value that changed in the data file is damage, never served", async () => {
  await inTempFolder(async (dir) => {
    const store = await open(dir);
    await store.commit(
      changes({ parts: [part("meter/0", "0", "0"), part("meter/A", "an image of A", "warm")], rows: [put("fact", "k", "a fact of K")] }),
    );
    await store.close();
    await (await open(dir)).close();
    for (const text of ["an image of A", "a fact of K"]) replaceAll(join(dir, "data.mdb"), text, text.toUpperCase());
    const damaged = await open(dir);
    assert.throws(
      () => damaged.load(ActorId("meter", "A")),
      (error: unknown) => error instanceof DamagedStore,
    );
    assert.throws(
      () => damaged.get("fact", "k"),
      (error: unknown) => error instanceof DamagedStore,
    );
    assert.throws(
      () => [...damaged.range("fact", "")],
      (error: unknown) => error instanceof DamagedStore,
    );
    await damaged.close();
  });
});

test("a value that is found under another key is damage", async () => {
  await inTempFolder(async (dir) => {
    const store = await open(dir);
    await store.commit(changes({ rows: [put("fact", "some key", "1"), put("fact", "zome key", "2")] }));
    await store.close();
    replaceAll(join(dir, "data.mdb"), "some key", "sone key");
    const damaged = await open(dir);
    assert.throws(
      () => [...damaged.range("fact", "")],
      (error: unknown) => error instanceof DamagedStore,
    );
    await damaged.close();
  });
});

test("beside a running writer a reader sees the state after one commit or another, never a mixture", async () => {
  await inSeriesFolder(2, async (dir) => {
    const expected = await expectedContents();
    const writer = child(dir);
    let isRunning = true;
    writer.once("close", () => {
      isRunning = false;
    });
    const seen = new Set<number>();
    while (isRunning) {
      const reader = await openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true });
      const k = positionOf(reader);
      const logged = [...(await logOf(reader, "alerts", 1, 10_000)), ...(await logOf(reader, "curated", 1, 10_000))].length;
      const { parts, rows } = await contents(reader);
      assertSame({ parts, rows }, expected[k], `after ${k} commits`);
      assert.ok(logged >= (expected[k]?.log.length ?? 0));
      seen.add(k);
      await reader.close();
    }
    assert.is(writer.exitCode, 0);
    assert.ok(seen.size > 3, `only ${[...seen]} were seen`);
  });
});

test("a reader whose journal is folded and deleted under its eyes looks again", async () => {
  await inSeriesFolder(2, async (dir) => {
    let looks = 0;
    const crashAt = (passing: string): void => {
      if (passing === "ledger read") looks += 1;
      if (passing === "ledger read" && looks === 1) assert.is(spawnSync(process.execPath, childOf(dir), { cwd: ROOT }).status, 0);
    };
    const reader = await openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true, crashAt });
    assert.is(positionOf(reader), SERIES_LENGTH);
    assert.is(looks, 2);
    assertSame(await contents(reader), (await expectedContents())[SERIES_LENGTH], "the whole series");
    await reader.close();
  });
});

test("a reader's questions are answered from one state, and its log goes on", async () => {
  await inTempFolder(async (dir) => {
    await seriesIn(dir, 2);
    const reader = await openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true });
    assert.is(positionOf(reader), 2);
    const { nextSequence } = reader;
    await ended(child(dir));
    const expected = await expectedContents();
    const { parts, rows, log } = await contents(reader);
    assertSame({ parts, rows }, expected[2], "after 2 commits");
    assertSame({ log }, expected[SERIES_LENGTH], "the whole log");
    assert.ok(reader.nextSequence > nextSequence);
    assert.equal([reader.load(ActorId("meter", "SM-331"))?.hot].map(textOrNull), [parts.find(([id]) => id === "meter/SM-331")?.[1]]);
    await reader.close();
  });
});

test("a reader writes nothing, and finds no store where none is", async () => {
  await inSeriesFolder(1, async (dir) => {
    const before = listing(dir);
    const reader = await openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true });
    assertSame(await contents(reader), (await expectedContents())[1], "commit 1");
    await rejects(reader.commit(changes({})));
    await rejects(reader.settle("s", Buffer.from("1")));
    await reader.close();
    await refusesAll(reader);
    assert.equal(listing(dir), before);
    assert.instance(await rejects(openLmdbStore({ dir: join(dir, "never"), limits: SERIES_LIMITS, readOnly: true })), NoStore);
  });
  await inTempFolder(async (dir) => {
    assert.instance(await rejects(openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly: true })), NoStore);
    assert.equal(listing(dir), []);
  });
});

/** A process of its own, which commits the rest of the series. */
function child(dir: string): ReturnType<typeof spawn> {
  return spawn(process.execPath, childOf(dir), { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

function childOf(dir: string): readonly string[] {
  return ["--import", "tsx", "test/kit/store_child.ts", dir];
}

async function ended(process: ReturnType<typeof spawn>): Promise<void> {
  assert.equal(await once(process, "close"), [0, null]);
}

/** Opens a store and asks for its actors. */
async function opened({ dir, readOnly }: { readonly dir: string; readonly readOnly: boolean }): Promise<void> {
  const store = await openLmdbStore({ dir, limits: SERIES_LIMITS, readOnly });
  try {
    store.load(ActorId("meter", "A"));
  } finally {
    await store.close();
  }
}

function shorten(path: string): void {
  truncateSync(path, statSync(path).size - 1);
}

function flip(path: string): void {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 4, middle);
  writeFileSync(path, bytes);
}

function replaceAll(path: string, text: string, by: string): void {
  const before = readFileSync(path, "latin1");
  assert.ok(before.includes(text));
  writeFileSync(path, before.replaceAll(text, by), "latin1");
}

function listing(dir: string): readonly (readonly [name: string, bytes: number])[] {
  return readdirSync(dir)
    .filter((name) => name !== "data.mdb-lock") // LMDB's own list of readers.
    .map((name) => [name, statSync(join(dir, name)).size] as const);
}

function sizeOf(dir: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
}

function textOrNull(bytes: Uint8Array | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString();
}
