import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { wallClock } from "../../engine/clock.ts";
import type { Commit } from "../../engine/commit.ts";
import { stateDigest } from "../../engine/digest.ts";
import type { CuratedRow } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine, type SourceWiring } from "../../engine/engine.ts";
import { actorIdFrom, SourceId } from "../../engine/ids.ts";
import { PartsDraft } from "../../engine/journal.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { LogDraft } from "../../engine/log_draft.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RowReviser, revisionRow } from "../../engine/row_reviser.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Batch, Source } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { World } from "../../engine/world.ts";
import type { Arrival, Script } from "../kit/given.ts";
import { customer, given, reading } from "../kit/grid.ts";
import { at } from "../kit/puppets.ts";
import { scriptedSource } from "../kit/scripted_source.ts";
import { suite } from "../kit/suite.ts";

// Rows of readings, whose links become known, or become others, after they were written.
const test = suite("row reviser");

const WORLD = { name: "main", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS };
const MINUTES_A_DAY = 1_440;
const dayOf = (minute: number): string => new Date(at(minute)).toISOString().slice(0, 10);

/** A process that does what is asked for in a store. `stopAfter`: it ends before its n-th commit; `rowsAWindow`: so many rows are held at a time. */
async function revise(store: Store, stopAfter = Number.POSITIVE_INFINITY, rowsAWindow = 100_000): Promise<void> {
  const world = new World(WORLD, store);
  const stop = new AbortController();
  let works = 0;
  const between = async (work: () => Promise<void>): Promise<void> => {
    works += 1;
    if (works >= stopAfter) stop.abort();
    else await work();
  };
  await new RowReviser({ world, store, between, clock: wallClock, room: async () => {}, rowsAWindow }).settle(stop.signal);
}

async function rowsOf(store: Store): Promise<readonly (CuratedRow & { readonly sequence: number })[]> {
  const decode = emissionDecoder("main", GRID.tables);
  const entries = await store.readLog("curated", 1, 100_000_000);
  return entries.flatMap((entry) => {
    const emission = decode("curated", entry);
    return emission.stream === "curated" && emission.row.table === "meter_readings" ? [{ ...emission.row, sequence: entry.sequence }] : [];
  });
}

/** Of each reading, in order of time, what its row says now: the last one of its id. */
async function told(store: Store): Promise<readonly string[]> {
  const latest = new Map((await rowsOf(store)).map((row) => [row.rowId, row]));
  return [...latest.values()]
    .sort((a, b) => Number(a.cells["timestamp"]) - Number(b.cells["timestamp"]))
    .map(({ cells }) => `${cells["link_status"]} ${cells["transformer_id"]}`);
}

async function after(...script: Script): Promise<Store> {
  const { store } = await given().when(...script);
  await revise(store);
  return store;
}

const LINKED = "linked TRF-N-0034";

test("readings that came before their master are linked when it has come, under the same row ids", async () => {
  const early = [reading(0, 1), reading(60, 2)];
  const store = await after(...early, customer("2024-01-01"), reading(120, 3));
  assert.equal(await told(store), [LINKED, LINKED, LINKED]);
  const rows = await rowsOf(store);
  assert.equal(
    rows.map(({ amends }) => amends),
    [null, null, null, rows[0]?.sequence, rows[1]?.sequence],
  );
  assert.equal(
    rows.slice(3).map(({ rowId, cells, position }) => [rowId, cells["reading_kwh"], position]),
    rows.slice(0, 2).map(({ rowId, cells, position }) => [rowId, cells["reading_kwh"], position]),
  );
});

test("a moved customer changes exactly the readings from its day on", async () => {
  const minutes = [0, 1, 2, 3].map((day) => day * MINUTES_A_DAY + 60);
  const moved = customer(dayOf(2 * MINUTES_A_DAY), { transformer_id: "TRF-N-0099" });
  const store = await after(customer("2024-01-01"), ...minutes.map((minute) => reading(minute, 1)), moved);
  assert.equal(await told(store), [LINKED, LINKED, "linked TRF-N-0099", "linked TRF-N-0099"]);
  assert.is((await rowsOf(store)).length, 6);
});

test("a change that moves nobody writes nothing", async () => {
  const store = await after(customer("2024-01-01"), reading(0, 1), customer(dayOf(0), { tariff_category: "COMMERCIAL" }));
  assert.is((await rowsOf(store)).length, 1);
  assert.equal([...store.range("revise", "")], []);
});

test("in whatever order readings and masters come, rows say the same in the end", async () => {
  const items = [
    reading(0, 1),
    reading(2 * MINUTES_A_DAY, 2),
    customer("2024-01-01"),
    customer(dayOf(MINUTES_A_DAY), { transformer_id: "TRF-N-0099" }),
  ];
  const expected = [LINKED, "linked TRF-N-0099"];
  const orders = items.flatMap((a) => items.flatMap((b) => items.flatMap((c) => items.map((d) => [a, b, c, d]))));
  for (const order of orders.filter((one) => new Set(one).size === items.length)) assert.equal(await told(await after(...order)), expected);
});

test("what is done twice, or was stopped anywhere, is as if it had been done once", async () => {
  for (let stopAfter = 1; stopAfter <= 4; stopAfter += 1) {
    const { store } = await given().when(reading(0, 1), reading(60, 2), customer("2024-01-01"));
    await revise(store, stopAfter);
    await revise(store);
    await revise(store);
    assert.equal(await told(store), [LINKED, LINKED]);
    assert.is((await rowsOf(store)).length, 4);
    assert.equal([...store.range("revise", "")], []);
  }
});

/** How many rows are looked at again between one look at the log and the next. */
function windowsOf(store: Store): { readonly store: Store; readonly rows: number[] } {
  const rows = [0];
  const counting = Object.assign(Object.create(store) as Store, {
    readLog: (...args: Parameters<Store["readLog"]>) => {
      const isLook = args[2] > 1;
      if (!isLook) rows.push((rows.pop() ?? 0) + 1);
      else if (rows.at(-1) !== 0) rows.push(0);
      return store.readLog(...args);
    },
  });
  return { store: counting, rows };
}

test("no more rows are held at a time than allowed, and each says in the end what it would say if all were held", async () => {
  const moved = customer(dayOf(2 * MINUTES_A_DAY), { transformer_id: "TRF-N-0099" });
  const minutes = Array.from({ length: 100 }, (_, n) => n * 60);
  const script = [
    ...minutes.map((minute) => reading(minute, 1)),
    customer("2024-01-01"),
    moved,
    ...minutes.map((n) => reading(6_000 + n, 1)),
  ];
  const expected = await told(await after(...script));
  assert.is(new Set(expected).size, 2);
  for (const rowsAWindow of [1, 7, 64, 100, 101, 199, 200, 201]) {
    const { store } = await given().when(...script);
    const windows = windowsOf(store);
    await revise(windows.store, Number.POSITIVE_INFINITY, rowsAWindow);
    assert.is(Math.max(...windows.rows), Math.min(rowsAWindow, 200));
    assert.is(windows.rows.length, Math.ceil(200 / rowsAWindow));
    assert.equal(await told(store), expected);
    assert.is((await rowsOf(store)).length, 300, "only the rows that came before their master are written again, once");
    assert.equal([...store.range("revise", "")], []);
  }
});

test("a row that was written again before is revised as it stands, whichever window its first word lies in", async () => {
  const minutes = Array.from({ length: 20 }, (_, n) => n * 60);
  const { store } = await given().when(...minutes.map((minute) => reading(minute, 1)), customer("2024-01-01"));
  await revise(store, Number.POSITIVE_INFINITY, 6);
  assert.is((await rowsOf(store)).length, 40);
  const world = new World(WORLD, store);
  const asks = [...new Set((await rowsOf(store)).map(({ actor }) => actor ?? ""))].map((actor) =>
    revisionRow(actorIdFrom(actor), "meter_readings", store.nextSequence),
  );
  await store.commit({ parts: new PartsDraft(), log: emptyDraft(world.nextSequence), rows: asks });
  await revise(store, Number.POSITIVE_INFINITY, 6);
  assert.is((await rowsOf(store)).length, 40, "they say already what they would say now");
});

function emptyDraft(sequence: number): LogDraft {
  const log = new LogDraft();
  log.clear(sequence);
  return log;
}

/**
 * A run that ends by itself: readings, then masters that say otherwise, then readings again. `delay`: what each look at the log and each batch waits,
 * in turns of the loop; `rowsAWindow`: so many rows are held at a time.
 */
async function run(
  delay: (n: number) => number,
  rowsAWindow = 100_000,
): Promise<{ readonly rows: readonly unknown[]; readonly digest: string; readonly most: number }> {
  const memory = openMemoryStore();
  let [waits, looks, most] = [0, 0, 0];
  const waiting = async (): Promise<void> => {
    waits += 1;
    for (let n = delay(waits); n > 0; n -= 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const store = Object.assign(Object.create(memory) as Store, {
    readLog: async (...args: Parameters<Store["readLog"]>) => {
      looks += 1;
      await waiting();
      return memory.readLog(...args);
    },
    commit: async (commit: Commit) => {
      most = Math.max(most, looks);
      looks = 0;
      await memory.commit(commit);
    },
  });
  const readings = (from: number): readonly Arrival[] => Array.from({ length: 700 }, (_, n) => reading((from + n) * 60, n % 5));
  const masters = [3, 9, 15, 21].map((day) => customer(dayOf(day * MINUTES_A_DAY), { transformer_id: `TRF-N-00${10 + day}` }));
  const parts = [readings(0), masters, readings(700)];
  const sources = parts.map((arrivals, n): SourceWiring => {
    const source = SourceId(`part${n}`);
    const batches = Array.from({ length: Math.ceil(arrivals.length / 10) }, (_, k) => batchOf(arrivals.slice(k * 10, k * 10 + 10), k));
    const played = scriptedSource({ id: source, batches });
    async function* read(...args: Parameters<Source["read"]>): AsyncGenerator<Batch, void> {
      for await (const batch of played.read(...args)) {
        await waiting();
        yield batch;
      }
    }
    const feed = arrivals[0]?.feed ?? "";
    return { source: { id: source, read }, intake: { source, feed, mode: "delta", origin: "live" }, stage: n, holdsNext: true };
  });
  const engine = new Engine({
    ...WORLD,
    store,
    sources,
    sinks: [],
    decode: emissionDecoder("main", GRID.tables),
    clock: wallClock,
    random: () => 0.5,
    stallMs: 3_600_000,
    rowsAWindow,
    onRetry: () => {},
    onStage: () => {},
  });
  await engine.run(new AbortController().signal, 1_000);
  const rows = (await rowsOf(memory)).map(({ sequence, rowId, amends, cells }) => [sequence, rowId, amends, cells["transformer_id"]]);
  return { rows, digest: stateDigest(memory), most };
}

/** What each row says in the end, by row id. */
function lastWords(rows: readonly unknown[]): readonly (readonly [id: unknown, transformer: unknown])[] {
  return (rows as readonly (readonly unknown[])[]).map(([, id, , transformer]) => [id, transformer]);
}

function batchOf(arrivals: readonly Arrival[], n: number): Batch {
  const records = arrivals.map(({ record }, k) => ({
    at: n * 10 + k,
    arrivedAtMs: at(365 * MINUTES_A_DAY),
    bytes: Buffer.from(JSON.stringify(record)),
  }));
  return { origin: "script/", path: null, generation: 0, records, resumeAt: new Map(), idle: false };
}

test("what a run writes again, and under which numbers, follows from its batches, however long disk and sources take", async () => {
  const quick = await run(() => 0);
  assert.ok(quick.rows.length > 1_900, "most rows have come twice");
  for (const delay of [(n: number) => (n * 7) % 5, (n: number) => (n % 50 === 0 ? 200 : 0), () => 3]) assert.equal(await run(delay), quick);
  assert.ok(quick.most <= 501, "no batch waits for more than one look and the rows of one step");
  const narrow = await run(() => 0, 90);
  assert.is.not(JSON.stringify(narrow.rows), JSON.stringify(quick.rows), "the bound was reached");
  for (const delay of [(n: number) => (n * 7) % 5, (n: number) => (n % 50 === 0 ? 200 : 0)]) assert.equal(await run(delay, 90), narrow);
  assert.equal(new Map(lastWords(narrow.rows)), new Map(lastWords(quick.rows)));
});

test("while the log is full nothing is written again", async () => {
  const { store } = await given().when(reading(0, 1), reading(60, 2), customer("2024-01-01"));
  const stop = new AbortController();
  const room = async (signal: AbortSignal): Promise<void> => {
    stop.abort();
    assert.ok(signal.aborted);
  };
  const world = new World(WORLD, store);
  await new RowReviser({ world, store, clock: wallClock, between: (work) => work(), room }).settle(stop.signal);
  assert.equal(await told(store), ["pending null", "pending null"]);
});
