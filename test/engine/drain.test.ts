import * as assert from "uvu/assert";
import { type SettableClock, settableClock } from "../../engine/clock.ts";
import { type Drain, drain } from "../../engine/drain.ts";
import { seconds } from "../../engine/duration.ts";
import type { Emission } from "../../engine/emission.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { Extents, Sink } from "../../engine/sink.ts";
import { encodeCursor, NO_CURSOR, storedCursor } from "../../engine/sink_cursor.ts";
import type { Store } from "../../engine/store.ts";
import { changes } from "../contract/store.ts";
import { alertEmission, rowEmission } from "../kit/emissions.ts";
import { type Fate, flakySink } from "../kit/flaky_sink.ts";
import { type ScriptedLog, scriptedLog } from "../kit/scripted_log.ts";
import { suite } from "../kit/suite.ts";

const test = suite("drain");
const EXTENTS: Extents = { records: 4, everyMs: seconds(30) };

test("what is in the log is handed over in order, and settled after the write", async () => {
  const log = scriptedLog(2);
  log.append(alertEmission(1), alertEmission(3), alertEmission(4));
  const { writes, loop, stop } = start(log);
  assert.ok(await loop.flush(Number.POSITIVE_INFINITY));
  await stop();
  assert.equal(writes, [[1, 3], [4]]);
  assert.equal(log.settled, [
    { settled: 3, mark: Mark("3"), pending: null },
    { settled: 4, mark: Mark("4"), pending: null },
  ]);
});

test("entries of the other stream are not seen", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), rowEmission(2), alertEmission(3), rowEmission(4));
  const { writes, loop, stop } = start(log);
  await loop.flush(Number.POSITIVE_INFINITY);
  await stop();
  assert.equal(writes, [[1, 3]]);
  assert.is(loop.report().behind, 0);
});

test("a drain goes on after the last settled entry", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), alertEmission(2));
  await log.settle("sink", encodeCursor({ settled: 1, mark: Mark("1"), pending: null }));
  const { writes, loop, stop } = start(log);
  await loop.flush(Number.POSITIVE_INFINITY);
  await stop();
  assert.equal(writes, [[2]]);
});

test("a wake hands over what has come since, without a look at the clock", async () => {
  const log = scriptedLog();
  const { loop, written, stop } = start(log);
  await loop.flush(Number.POSITIVE_INFINITY);
  log.append(alertEmission(1));
  loop.wake();
  assert.equal(await written(), [1]);
  log.append(alertEmission(2));
  loop.wake();
  assert.equal(await written(), [2]);
  await stop();
});

test("a wake that comes while the log is being read is not lost", async () => {
  const log = scriptedLog();
  let onEmptyRead = (): void => {};
  const readLog: ScriptedLog["readLog"] = async (...range) => {
    const entries = await log.readLog(...range);
    if (entries.length === 0) onEmptyRead();
    return entries;
  };
  const { loop, written, stop } = start({ ...log, readLog });
  onEmptyRead = () => {
    onEmptyRead = () => {};
    log.append(alertEmission(1));
    loop.wake();
  };
  assert.equal(await written(), [1]);
  await stop();
});

test("an extent is full at its number of records", async () => {
  const log = scriptedLog(3);
  log.append(...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((sequence) => alertEmission(sequence)));
  const { writes, written, stop } = start(log, { extents: EXTENTS });
  await written();
  await written();
  await stop();
  assert.equal(writes, [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
});

test("an extent that is not full goes when its time has come", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1));
  const { written, writes, loop, clock, stop } = start(log, { extents: EXTENTS });
  await clock.asleep();
  clock.advance(seconds(20));
  log.append(alertEmission(2));
  loop.wake();
  await clock.asleep();
  assert.equal(writes, []);
  clock.advance(seconds(10));
  assert.equal(await written(), [1, 2]);
  await stop();
});

test("a flush does not wait for an extent to be full", async () => {
  const log = scriptedLog();
  log.append(...[1, 2, 3, 4, 5].map((sequence) => alertEmission(sequence)));
  const { writes, loop, stop } = start(log, { extents: EXTENTS });
  assert.ok(await loop.flush(Number.POSITIVE_INFINITY));
  await stop();
  assert.equal(writes, [[1, 2, 3, 4], [5]]);
});

test("the end of an extent is stored before the write and cleared after it", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), alertEmission(2));
  const seen: unknown[] = [];
  const { loop, stop } = start(log, { extents: EXTENTS, onWrite: () => seen.push(log.cursor("sink")) });
  await loop.flush(Number.POSITIVE_INFINITY);
  await stop();
  assert.equal(seen, [{ settled: 0, mark: null, pending: 2 }]);
  assert.equal(log.cursor("sink"), { settled: 2, mark: Mark("2"), pending: null });
});

test("after a crash exactly the fixed extent comes first, though the log has grown", async () => {
  const log = scriptedLog(2);
  log.append(...[1, 2, 4, 5, 6, 7].map((sequence) => alertEmission(sequence)));
  await log.settle("sink", encodeCursor({ settled: 1, mark: Mark("1"), pending: 5 }));
  const { writes, loop, stop } = start(log, { extents: EXTENTS });
  await loop.flush(Number.POSITIVE_INFINITY);
  await stop();
  assert.equal(writes, [
    [2, 4, 5],
    [6, 7],
  ]);
});

test("a fixed extent that the log no longer holds ends the process", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1));
  await log.settle("sink", encodeCursor({ settled: 0, mark: null, pending: 2 }));
  const { ended } = start(log, { extents: EXTENTS });
  assert.instance(await ended.catch((error: unknown) => error), BrokenInvariant);
});

test("an outage is tried again with the same emissions and counted", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), alertEmission(2));
  const { writes, loop, clock, stop } = start(log, { fates: ["unavailable", "unavailable"] });
  const flushed = loop.flush(seconds(3_600));
  for (let pause = 0; pause < 2; pause += 1) {
    await settledDown();
    clock.advance(seconds(1));
  }
  assert.ok(await flushed);
  assert.equal(writes, [[1, 2]]);
  assert.equal(loop.report(), { sink: "sink", settled: 2, behind: 0, lastSuccess: seconds(2), retries: 2 });
  await stop();
});

test("a stop in the middle of an outage ends the loop and leaves the rest in the log", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), alertEmission(2));
  const { loop, clock, ended, stop } = start(log, { extents: EXTENTS, fates: Array<Fate>(99).fill("unavailable") });
  const flushed = loop.flush(seconds(3));
  await settledDown();
  clock.advance(seconds(3));
  assert.not(await flushed);
  await stop();
  await ended;
  assert.equal(log.cursor("sink"), { settled: 0, mark: null, pending: 2 });
  assert.is(loop.report().behind, 2);
});

test("anything but an outage ends the process and answers those who wait", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1));
  const { loop, ended } = start(log, { fates: ["broken"] });
  const [flushed, error] = await Promise.all([loop.flush(Number.POSITIVE_INFINITY), ended.catch((cause: unknown) => cause)]);
  assert.not(flushed);
  assert.instance(error, BrokenInvariant);
  assert.not(await loop.flush(Number.POSITIVE_INFINITY));
});

test("a store keeps the cursor for the next start", async () => {
  const store = openMemoryStore();
  const entries = [1, 2, 3].map((sequence) => ({ stream: "alerts" as const, sequence, bytes: Buffer.from("event") }));
  await store.commit(changes({ entries }));
  const { writes, loop, stop } = start({
    ...scriptedLog(),
    ...fromStore(store),
    decode: (_stream, { sequence }) => alertEmission(sequence),
  });
  await loop.flush(Number.POSITIVE_INFINITY);
  await stop();
  assert.equal(writes, [[1, 2, 3]]);
  assert.equal(storedCursor(store, "sink"), { settled: 3, mark: Mark("3"), pending: null });
  assert.equal(storedCursor(store, "another"), NO_CURSOR);
});

test("what is flushed but not handed over is behind", async () => {
  const log = scriptedLog();
  log.append(alertEmission(1), alertEmission(2), rowEmission(3));
  const { loop, clock, stop } = start(log, { extents: EXTENTS });
  assert.is(loop.report().behind, 3, "not read yet: the numbers of both streams count");
  await clock.asleep();
  assert.is(loop.report().behind, 2);
  await stop();
});

/** The part of a store that a drain works with. */
function fromStore(store: Store): Pick<ScriptedLog, "get" | "nextSequence" | "readLog" | "settle"> {
  return {
    get: store.get,
    nextSequence: store.nextSequence,
    readLog: store.readLog,
    settle: store.settle,
  };
}

interface Started {
  readonly loop: Drain;
  readonly ended: Promise<void>;
  readonly clock: SettableClock;
  /** The sequences of each write that succeeded. */
  readonly writes: readonly (readonly number[])[];
  /** The next write that nobody has waited for yet. */
  written(): Promise<readonly number[]>;
  /** Fires the signal and waits for the end of the loop. */
  stop(): Promise<void>;
}

interface StartOptions {
  readonly extents?: Extents;
  readonly fates?: readonly Fate[];
  readonly onWrite?: () => void;
}

function start(log: ScriptedLog, { extents, fates = [], onWrite = () => {} }: StartOptions = {}): Started {
  const writes: number[][] = [];
  const unread: number[][] = [];
  let waiter: ((write: number[]) => void) | null = null;
  const inner: Sink = {
    name: "sink",
    ...(extents === undefined ? {} : { extents }),
    async write(emissions: readonly Emission[]) {
      onWrite();
      const write = emissions.map(({ sequence }) => sequence);
      writes.push(write);
      if (waiter === null) unread.push(write);
      else waiter(write);
      waiter = null;
      return Mark(String(write.at(-1)));
    },
    close: async () => {},
  };
  const clock = settableClock();
  const stopping = new AbortController();
  const loop = drain({ store: log, sink: flakySink(inner, fates), stream: "alerts", decode: log.decode, clock, random: () => 1 });
  const ended = loop.run(stopping.signal);
  const stop = (): Promise<void> => {
    stopping.abort();
    return ended;
  };
  const written = async (): Promise<readonly number[]> => unread.shift() ?? new Promise((resolve) => (waiter = resolve));
  return { loop, ended, clock, writes, written, stop };
}

/** Lets every promise that can settle do so. */
function settledDown(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
