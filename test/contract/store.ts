import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type ChangedRow, type Commit, ROW_TABLES, type RowTable } from "../../engine/commit.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { ActorId } from "../../engine/ids.ts";
import { PartsDraft } from "../../engine/journal.ts";
import { LogDraft } from "../../engine/log_draft.ts";
import type { Stream } from "../../engine/sink.ts";
import type { Store } from "../../engine/store.ts";
import { suite } from "../kit/suite.ts";

export interface StoreCase {
  readonly name: string;
  /** True: what was committed is there again when the same directory is opened anew. */
  readonly durable: boolean;
  /** Opens a store in a directory that is there and empty, or holds what the last opening left. */
  open(dir: string): Promise<Store>;
}

/** What every store promises, as tests. `load` is asked only about actors not committed since the store was opened. */
export function storeContract({ name, durable, open }: StoreCase): void {
  const test = suite(`store contract: ${name}`);
  let dir = "";
  let store: Store;

  test.before.each(async () => {
    dir = mkdtempSync(join(tmpdir(), "gridactor-store-"));
    store = await open(dir);
  });
  test.after.each(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });

  const reopen = async (): Promise<void> => {
    if (!durable) return;
    await store.close();
    store = await open(dir);
  };

  test("a new store is empty, and its first emission gets number 1", async () => {
    assert.equal(await contents(store), { parts: [], rows: [], log: [], nextSequence: 1 });
    assert.ok(store.storeId.length > 0);
  });

  test("a reopened store has the same identity", async () => {
    const { storeId } = store;
    await reopen();
    assert.is(store.storeId, storeId);
  });

  test("nothing of a commit shows before it resolves, all of it after", async () => {
    const running = store.commit(
      changes({ parts: [part("meter/A", "hot", "warm")], rows: [put("timer", "a", "1")], entries: [entry(1, "e")] }),
    );
    assert.is(store.load(ActorId("meter", "A")), null);
    assert.is(store.get("timer", "a"), null);
    assert.is(store.nextSequence, 1);
    assert.equal(await store.readLog("alerts", 1, 1_000), []);
    await running;
    assert.equal(await contents(store), {
      parts: [["meter/A", "hot", "warm"]],
      rows: [["timer", "a", "1"]],
      log: [[1, "alerts", "e"]],
      nextSequence: 2,
    });
  });

  test("reopened, a store is the same", async () => {
    await store.commit(
      changes({
        parts: [part("meter/B", "hot", null), part("meter/A", null, "warm")],
        rows: [put("fact", "k", "v"), put("sink", "s", "cursor")],
        entries: [entry(1, "one"), entry(2, "two", "curated"), entry(3, "")],
      }),
    );
    const before = await contents(store);
    await reopen();
    assert.equal(await contents(store), before);
    assert.equal(texts(store.load(ActorId("meter", "A"))), [null, "warm"]);
    assert.equal(texts(store.load(ActorId("meter", "B"))), ["hot", null]);
    assert.is(store.load(ActorId("meter", "C")), null);
  });

  test("a part that a commit does not name stays as it is", async () => {
    await store.commit(changes({ parts: [part("meter/A", "hot1", "warm1"), part("meter/B", "hot1", "warm1")] }));
    await store.commit(changes({ parts: [part("meter/A", "hot2", null)] }));
    await reopen();
    await store.commit(changes({ parts: [part("meter/B", null, "warm2")] }));
    const expected = [
      ["meter/A", "hot2", "warm1"],
      ["meter/B", "hot1", "warm2"],
    ];
    assert.equal((await contents(store)).parts, expected);
    await reopen();
    assert.equal((await contents(store)).parts, expected);
    assert.equal(texts(store.load(ActorId("meter", "B"))), ["hot1", "warm2"]);
  });

  test("of an actor that a commit names twice the later image counts", async () => {
    await store.commit(changes({ parts: [part("meter/A", "hot1", "warm1"), part("meter/A", "hot2", null)] }));
    await reopen();
    assert.equal((await contents(store)).parts, [["meter/A", "hot2", "warm1"]]);
  });

  test("an actor none of whose parts changed is as it was, stored or not", async () => {
    await store.commit(changes({ parts: [part("meter/A", "hot", null), part("meter/B", null, null)] }));
    await store.commit(changes({ parts: [part("meter/A", null, null)] }));
    for (const again of [false, true]) {
      if (again) await reopen();
      assert.equal((await contents(store)).parts, [["meter/A", "hot", null]]);
    }
  });

  test("an empty image is an image, not a missing one", async () => {
    await store.commit(changes({ parts: [part("meter/A", "", null)] }));
    await reopen();
    assert.equal((await contents(store)).parts, [["meter/A", "", null]]);
    assert.equal(texts(store.load(ActorId("meter", "A"))), ["", null]);
  });

  test("rows are put, replaced and deleted, each table for itself", async () => {
    await store.commit(changes({ rows: [put("timer", "a", "1"), put("timer", "b", "1"), put("fact", "a", "1")] }));
    await store.commit(changes({ rows: [put("timer", "a", "2"), remove("timer", "b"), remove("timer", "never"), put("feed", "c", "")] }));
    const expected = [
      ["feed", "c", ""],
      ["timer", "a", "2"],
      ["fact", "a", "1"],
    ];
    assert.equal((await contents(store)).rows, expected);
    assert.is(store.get("timer", "b"), null);
    await reopen();
    assert.equal((await contents(store)).rows, expected);
  });

  test("of rows with one key the last in the commit counts", async () => {
    await store.commit(changes({ rows: [put("timer", "a", "1"), remove("timer", "a"), put("timer", "b", "1"), put("timer", "b", "2")] }));
    await store.commit(changes({ rows: [remove("timer", "b"), put("timer", "b", "3")] }));
    assert.equal((await contents(store)).rows, [["timer", "b", "3"]]);
  });

  test("a range holds the keys with its prefix, in the order of their bytes", async () => {
    const keys = ["b", "a/", "a/2", "a/10", "a", "a0", "a/\u{1f50c}", "a/\uffee", "a/é", "a/z", "A/1"];
    await store.commit(changes({ rows: keys.map((key) => put("fact", key, key)) }));
    const expected = ["a/", "a/10", "a/2", "a/z", "a/é", "a/\uffee", "a/\u{1f50c}"];
    assert.equal(rangeKeys(store, "fact", "a/"), expected);
    assert.equal(rangeKeys(store, "fact", "c"), []);
    assert.is(rangeKeys(store, "fact", "").length, keys.length);
    await reopen();
    assert.equal(rangeKeys(store, "fact", "a/"), expected);
  });

  test("a range may begin at any key, there or not, and go either way", async () => {
    await store.commit(changes({ rows: ["a/1", "a/3", "a/5", "b/1"].map((key) => put("fact", key, "v")) }));
    const from = (start: string, backwards: boolean): readonly string[] =>
      [...store.range("fact", "a/", { from: start, backwards })].map(([key]) => key);
    for (let pass = 0; pass < 2; pass += 1) {
      assert.equal(from("a/3", false), ["a/3", "a/5"]);
      assert.equal(from("a/2", false), ["a/3", "a/5"]);
      assert.equal(from("a/6", false), []);
      assert.equal(from("a/3", true), ["a/3", "a/1"]);
      assert.equal(from("a/4", true), ["a/3", "a/1"]);
      assert.equal(from("a/\u{10ffff}", true), ["a/5", "a/3", "a/1"]);
      assert.equal(from("a/0", true), []);
      await reopen();
    }
  });

  test("a range left early does no harm", async () => {
    await store.commit(changes({ rows: [put("fact", "a", "1"), put("fact", "b", "1")] }));
    for (const [key] of store.range("fact", "")) {
      assert.is(key, "a");
      break;
    }
    await store.commit(changes({ rows: [put("fact", "0", "1")] }));
    assert.equal(rangeKeys(store, "fact", ""), ["0", "a", "b"]);
  });

  test("actors come in the order of their bytes, whatever script their ids are in", async () => {
    const keys = ["b", "a", "\u{1f50c}", "\uffee", "é", "मीटर", "aa", "x".repeat(100)];
    await store.commit(changes({ parts: keys.map((key) => part(`meter/${key}`, key, null)) }));
    const expected = ["a", "aa", "b", "x".repeat(100), "é", "मीटर", "\uffee", "\u{1f50c}"].map((key) => [`meter/${key}`, key, null]);
    assert.equal((await contents(store)).parts, expected);
    await reopen();
    await store.commit(changes({ parts: [part("meter/ab", "ab", null)] }));
    expected.splice(2, 0, ["meter/ab", "ab", null]);
    assert.equal((await contents(store)).parts, expected);
    assert.equal(texts(store.load(ActorId("meter", "मीटर"))), ["मीटर", null]);
  });

  test("the log is read from any sequence, each stream in order and without a gap of its own", async () => {
    const numbers = Array.from({ length: 300 }, (_, n) => n + 1);
    const streamOf = (n: number): Stream => (n % 3 === 0 ? "curated" : "alerts");
    for (let n = 0; n < 300; n += 20) {
      await store.commit(
        changes({ entries: numbers.slice(n, n + 20).map((sequence) => entry(sequence, `${sequence}`, streamOf(sequence))) }),
      );
    }
    for (const again of [false, true]) {
      if (again) await reopen();
      for (const stream of ["alerts", "curated"] as const) {
        for (const from of [0, 1, 2, 3, 59, 60, 61, 150, 298, 299, 300]) {
          const expected = numbers.filter((n) => n >= from && streamOf(n) === stream).map((n) => [n, stream, `${n}`]);
          assert.equal(await logOf(store, stream, from, 50), expected, `${stream} from ${from}`);
        }
        assert.equal(await store.readLog(stream, 301, 1_000), []);
      }
    }
  });

  test("a reading of the log gives at least one entry, and about the bytes it is allowed", async () => {
    const big = "x".repeat(1_000);
    await store.commit(changes({ entries: Array.from({ length: 50 }, (_, n) => entry(n + 1, big)) }));
    assert.is((await store.readLog("alerts", 7, 1)).length, 1);
    assert.is((await store.readLog("alerts", 7, 5_000)).length, 5);
    assert.is((await store.readLog("alerts", 7, 1_000_000)).length, 44);
  });

  test("numbers go on after a reopening", async () => {
    await store.commit(changes({ entries: [entry(1, "a"), entry(2, "b", "curated")] }));
    await reopen();
    assert.is(store.nextSequence, 3);
    await store.commit(changes({ entries: [entry(3, "c")] }));
    assert.equal(await logOf(store, "alerts", 1, 1_000), [
      [1, "alerts", "a"],
      [3, "alerts", "c"],
    ]);
  });

  test("an empty commit changes nothing", async () => {
    await store.commit(changes({ parts: [part("meter/A", "hot", null)], entries: [entry(1, "a")] }));
    const before = await contents(store);
    await store.commit(changes({}));
    assert.equal(await contents(store), before);
  });

  test("a big commit is taken whole", async () => {
    const parts = Array.from({ length: 20_000 }, (_, n) =>
      part(`meter/SM-${(n * 7_919) % 20_000}`, `h${n}`.repeat(20), n % 5 === 0 ? `w${n}` : null),
    );
    const entries = Array.from({ length: 20_000 }, (_, n) => entry(n + 1, `e${n}`.repeat(30), "curated"));
    await store.commit(changes({ parts, entries, rows: [put("quarantine", "q", "x".repeat(1_000_000))] }));
    await reopen();
    const stored = await contents(store);
    assert.is(stored.parts.length, 20_000);
    assert.equal(
      new Set(stored.parts.map((row) => row.join())),
      new Set(parts.map(({ id, hot, warm }) => [id, text(hot), text(warm)].join())),
    );
    assert.is(stored.log.length, 20_000);
    assert.is(stored.log[19_999]?.[2], "e19999".repeat(30));
    assert.is(store.get("quarantine", "q")?.length, 1_000_000);
  });

  test("the rows of a commit are taken at once, its blocks may be used again when it is stored, and bytes given out are the reader's own", async () => {
    const value = Buffer.from("before");
    const commit = changes({
      parts: [part("meter/A", "before", "before")],
      rows: [{ table: "fact", key: "k", value }],
      entries: [entry(1, "before")],
    });
    const running = store.commit(commit);
    value.fill("x");
    await running;
    commit.parts.filled.fill("x");
    commit.log.streams.alerts.filled.fill("x");
    store.get("fact", "k")?.fill(0);
    (await store.readLog("alerts", 1, 100))[0]?.bytes.fill(0);
    for (const [, value] of store.range("fact", "")) value.fill(0);
    for (const [, { hot }] of store.actors()) hot?.fill(0);
    const stored = await contents(store);
    assert.equal(stored.parts, [["meter/A", "before", "before"]]);
    assert.equal(stored.rows, [["fact", "k", "before"]]);
    assert.equal(stored.log, [[1, "alerts", "before"]]);
  });

  test("sinks settle while a commit runs, and the last cursor counts", async () => {
    const running = [
      store.settle("parquet", Buffer.from("1")),
      store.commit(changes({ entries: [entry(1, "a")] })),
      store.settle("parquet", Buffer.from("2")),
      store.settle("terminal", Buffer.from("3")),
    ];
    await Promise.all(running);
    const expected = [
      ["sink", "parquet", "2"],
      ["sink", "terminal", "3"],
    ];
    assert.equal((await contents(store)).rows, expected);
    await reopen();
    assert.equal((await contents(store)).rows, expected);
  });

  test("a commit whose numbers do not follow the last one is refused whole, and so is everything after it", async () => {
    await store.commit(changes({ parts: [part("meter/A", "1", null)], entries: [entry(1, "a")] }));
    await rejects(store.commit(changes({ parts: [part("meter/A", "2", null)], entries: [entry(3, "c"), entry(4, "d")] })));
    await refusesAll(store);
    if (!durable) return;
    await reopen();
    const stored = await contents(store);
    assert.equal(stored.parts, [["meter/A", "1", null]]);
    assert.equal(stored.log, [[1, "alerts", "a"]]);
  });

  test("what is cut off a stream is gone with its rows put, the other stream is whole, and the store says where the rest begins", async () => {
    assert.is(store.logStart("alerts"), 1);
    const text = "x".repeat(30_000); // More than a piece holds, where pieces are small.
    for (let n = 1; n <= 9; n += 2) await store.commit(changes({ entries: [entry(n, text), entry(n + 1, "c", "curated")] }));
    const pieces = store.logPieces("alerts");
    const whole = pieces.reduce((sum, { bytes }) => sum + bytes, 0);
    const count = Math.min(2, pieces.length - 1);
    const first = pieces[count]?.first ?? 0;
    if (count > 0) await store.cutLog("alerts", { pieces: pieces.slice(0, count), start: first, rows: [put("open_alert", "a", "kept")] });
    for (const again of [false, true]) {
      if (again) await reopen();
      assert.is(store.logStart("alerts"), first);
      assert.is(store.logStart("curated"), 1);
      const left = [1, 3, 5, 7, 9].filter((n) => n >= first);
      assert.equal(
        (await logOf(store, "alerts", 1, 1_000)).map(([sequence]) => sequence),
        left,
      );
      assert.equal(
        (await logOf(store, "curated", 1, 1_000)).map(([sequence]) => sequence),
        [2, 4, 6, 8, 10],
      );
      assert.equal(rangeKeys(store, "open_alert", ""), count > 0 ? ["a"] : []);
      assert.ok(store.logPieces("alerts").reduce((sum, { bytes }) => sum + bytes, 0) <= whole - count * text.length);
    }
  });

  test("a stream that is cut to its end goes on with the next number", async () => {
    await store.commit(changes({ entries: [entry(1, "a"), entry(2, "b")] }));
    await store.cutLog("alerts", { pieces: store.logPieces("alerts"), start: 3, rows: [] });
    assert.equal(await store.readLog("alerts", 1, 1_000), []);
    await reopen();
    assert.is(store.nextSequence, 3);
    await store.commit(changes({ entries: [entry(3, "c")] }));
    for (const again of [false, true]) {
      if (again) await reopen();
      assert.equal(await logOf(store, "alerts", 1, 1_000), [[3, "alerts", "c"]]);
    }
  });

  test("nothing is cut if something was added to it since that was decided", async () => {
    await store.commit(changes({ entries: [entry(1, "a")] }));
    const pieces = store.logPieces("alerts").map((piece) => ({ ...piece, bytes: piece.bytes - 1 }));
    await store.cutLog("alerts", { pieces, start: 2, rows: [put("open_alert", "a", "kept")] });
    assert.equal(await logOf(store, "alerts", 1, 1_000), [[1, "alerts", "a"]]);
    assert.is(store.logStart("alerts"), 1);
    assert.equal(rangeKeys(store, "open_alert", ""), []);
  });

  test("a cut that would take what lies behind it is a mistake of the caller", async () => {
    await store.commit(changes({ entries: [entry(1, "a"), entry(2, "b")] }));
    assert.instance(await rejects(store.cutLog("alerts", { pieces: store.logPieces("alerts"), start: 4, rows: [] })), BrokenInvariant);
  });

  test("two commits at once are a mistake of the caller", async () => {
    const first = store.commit(changes({ entries: [entry(1, "a")] })).catch(() => undefined);
    assert.instance(await rejects(store.commit(changes({ entries: [entry(2, "b")] }))), BrokenInvariant);
    await first;
    await refusesAll(store);
  });

  test("a closed store refuses everything, and closing waits for what runs", async () => {
    const order: string[] = [];
    const running = store.commit(changes({ rows: [put("fact", "k", "v")] })).then(() => order.push("committed"));
    const closing = store.close().then(() => order.push("closed"));
    await Promise.all([running, closing]);
    assert.equal(order, ["committed", "closed"]);
    await refusesAll(store);
    await store.close();
  });
}

/** Everything a store holds, as text: what equality of stores means. */
export interface Contents {
  readonly parts: readonly (readonly [id: string, hot: string | null, warm: string | null])[];
  readonly rows: readonly (readonly [table: RowTable, key: string, value: string])[];
  readonly log: readonly (readonly [sequence: number, stream: Stream, text: string])[];
  readonly nextSequence: number;
}

export async function contents(store: Store): Promise<Contents> {
  const log = [...(await logOf(store, "alerts", 1, 10_000)), ...(await logOf(store, "curated", 1, 10_000))];
  return {
    parts: [...store.actors()].map(([id, { hot, warm }]) => [id, text(hot), text(warm)]),
    rows: ROW_TABLES.flatMap((table) => [...store.range(table, "")].map(([key, value]) => [table, key, text(value) as string] as const)),
    log: log.sort(([a], [b]) => a - b),
    nextSequence: store.nextSequence,
  };
}

/** Reads a stream to its end, each time on from the last entry. */
export async function logOf(
  store: Pick<Store, "readLog">,
  stream: Stream,
  from: number,
  bytesMax: number,
): Promise<(readonly [sequence: number, stream: Stream, text: string])[]> {
  const log: (readonly [number, Stream, string])[] = [];
  for (let next = from; ; ) {
    const entries = await store.readLog(stream, next, bytesMax);
    if (entries.length === 0) return log;
    for (const { sequence, bytes } of entries) log.push([sequence, stream, text(bytes) as string]);
    next = (entries.at(-1)?.sequence as number) + 1;
  }
}

/** What a commit is made of, piece by piece. */
export interface Changes {
  readonly parts: readonly ChangedParts[];
  readonly rows: readonly ChangedRow[];
  readonly entries: readonly ChangedEntry[];
}

export interface ChangedParts {
  readonly id: ActorId;
  readonly hot: Uint8Array | null;
  readonly warm: Uint8Array | null;
}

export interface ChangedEntry {
  readonly stream: Stream;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** A commit of these changes; numbers of entries follow one another. */
export function changes({ parts = [], rows = [], entries = [] }: Partial<Changes>): Commit {
  const draft = new PartsDraft();
  for (const { id, hot, warm } of parts) draft.add(Buffer.from(id), hot, warm);
  const log = new LogDraft();
  log.clear(entries[0]?.sequence ?? 1);
  for (const { stream, sequence, bytes } of entries) {
    assert.is(sequence, log.next);
    log.open(stream).bytes(bytes);
    log.close(stream);
  }
  return { parts: draft, log, rows };
}

export function part(id: string, hot: string | null, warm: string | null): ChangedParts {
  const slash = id.indexOf("/");
  return { id: ActorId(id.slice(0, slash), id.slice(slash + 1)), hot: bytes(hot), warm: bytes(warm) };
}

export function put(table: RowTable, key: string, value: string): ChangedRow {
  return { table, key, value: Buffer.from(value) };
}

export function entry(sequence: number, value: string, stream: Stream = "alerts"): ChangedEntry {
  return { stream, sequence, bytes: Buffer.from(value) };
}

/** Once a commit has failed the outcome is unknown: nothing may be read or written until a restart. */
export async function refusesAll(store: Store): Promise<void> {
  assert.throws(() => store.load(ActorId("meter", "A")));
  assert.throws(() => store.get("fact", "k"));
  assert.throws(() => [...store.range("fact", "")]);
  assert.throws(() => [...store.actors()]);
  await rejects(store.commit(changes({})));
  await rejects(store.settle("s", Buffer.from("1")));
  await rejects(store.readLog("alerts", 1, 1));
  await rejects(store.cutLog("alerts", { pieces: [], start: 2, rows: [] }));
}

export async function rejects(work: Promise<unknown>): Promise<Error> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.instance(error, Error, "it should have failed");
  return error as Error;
}

function remove(table: RowTable, key: string): ChangedRow {
  return { table, key, value: null };
}

function rangeKeys(store: Store, table: RowTable, prefix: string): readonly string[] {
  return [...store.range(table, prefix)].map(([key]) => key);
}

function bytes(value: string | null): Buffer | null {
  return value === null ? null : Buffer.from(value);
}

function text(value: Uint8Array | null): string | null {
  return value === null ? null : Buffer.from(value).toString();
}

function texts(parts: ReturnType<Store["load"]>): readonly (string | null)[] | null {
  return parts === null ? null : [text(parts.hot), text(parts.warm)];
}
