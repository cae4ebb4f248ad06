import { queryObjects } from "node:v8";
import * as assert from "uvu/assert";
import type { Position } from "../../engine/ids.ts";
import type { Batch, Source } from "../../engine/source.ts";
import type { Bounds } from "../../sources/format.ts";
import { type Order, orderOf, positionsBehind, provenance, readToIdle } from "../kit/source_reading.ts";
import { notRun, type Suite, suite } from "../kit/suite.ts";

/** A source with something to read, and what that is. */
export interface SourceUnderTest {
  /** Makes the source as a restarted process does, `laterMs` after the first time. */
  open(laterMs: number): Source;
  /** The bytes of all its records, in order, of each partition if its batches name one; more than one batch. */
  readonly expected: Order;
  readonly bounds: Bounds;
  /** Makes a source with these records ahead of it, in one partition. Left out: its records are in memory already. */
  readonly flooded?: (records: readonly string[]) => Promise<Source>;
  remove(): Promise<void>;
}

const FLOOD_RECORDS = 6_144;
const FLOOD_RECORD_BYTES = 16_384;
/** By so much at most memory may still grow when a consumer has stopped: less than half of what there is. A fetch of a broker is 8 MB, and there several times. */
const AHEAD_BYTES_MAX = 41_943_040;
/** Time enough to read all of it. */
const STOPPED_MS = 2_000;

/** What every source promises. `prepare` makes a new one each time. `missing`: what this machine lacks to run it, or null. */
export function sourceContract(title: string, prepare: () => Promise<SourceUnderTest>, missing: string | null = null): Suite {
  const whole = suite(`contract of sources: ${title}`);
  const test = (promise: string, body: () => Promise<void>): void =>
    whole(promise, () => (missing === null ? body() : notRun(`${title}: ${promise}`, missing)));

  test("all records come, once and in order, as they were", () =>
    using(prepare, async ({ open, expected }) => {
      const batches = await readToIdle(open(0));
      assert.equal(orderOf(batches), expected);
      assert.ok(batches.length > 2, "more than one batch, or a restart shows nothing");
    }));

  test("the positions of any batch give the records behind it, and no other", () =>
    using(prepare, async ({ open, expected }) => {
      const batches = await readToIdle(open(0));
      for (let taken = 0; taken <= batches.length; taken += 1) {
        const before = batches.slice(0, taken);
        const after = await readToIdle(open(1_000_000), positionsBehind(before));
        assert.equal(orderOf([...before, ...after]), expected, `behind batch ${taken}`);
      }
    }));

  test("a record that comes again has the provenance and arrival of the first time, if anything of its partition was stored", () =>
    using(prepare, async ({ open }) => {
      const batches = await readToIdle(open(0));
      const all = provenance(batches);
      for (let taken = 1; taken <= batches.length; taken += 1) {
        const before = batches.slice(0, taken);
        const known = positionsBehind(before);
        const after = await readToIdle(open(1_000_000), known);
        const again = after.filter(({ path, resumeAt }) => [...resumeAt.keys()].some((partition) => known.has(partition)) || path === null);
        for (const record of provenance(again))
          assert.ok(
            all.some((one) => JSON.stringify(one) === JSON.stringify(record)),
            record.from,
          );
      }
    }));

  test("it remembers nothing but what it is given", () =>
    using(prepare, async ({ open, expected }) => {
      const source = open(0);
      assert.equal(orderOf(await readToIdle(source)), expected);
      assert.equal(orderOf(await readToIdle(source)), expected);
    }));

  test("no batch is larger than its bounds", () =>
    using(prepare, async ({ open, bounds }) => {
      for (const { records } of await readToIdle(open(0))) {
        const bytes = records.reduce((sum, record) => sum + record.bytes.length, 0);
        assert.ok(records.length <= bounds.records);
        assert.ok(bytes <= bounds.bytes || records.length === 1);
      }
    }));

  test("the signal ends it between any two batches, without an error", () =>
    using(prepare, async ({ open, expected }) => {
      const count = (await readToIdle(open(0))).length;
      for (let taken = 0; taken < count; taken += 1) {
        const stop = new AbortController();
        const batches = open(0).read(new Map(), stop.signal)[Symbol.asyncIterator]();
        const before: Batch[] = [];
        for (let n = 0; n < taken; n += 1) before.push((await batches.next()).value);
        stop.abort();
        await endOf(batches); // It may hand over what it had in hand.
        assert.ok(isBeginning(orderOf(before), expected));
      }
    }));

  test("the signal ends it within 2 s while it waits for more", () =>
    using(prepare, async ({ open }) => {
      const stop = new AbortController();
      const batches = open(0).read(new Map(), stop.signal)[Symbol.asyncIterator]();
      while (!((await batches.next()).value?.idle ?? true));
      const ended = endOf(batches);
      stop.abort();
      await within(2_000, ended);
    }));

  test("while its consumer has stopped its memory does not grow with what lies ahead, and then it goes on", () =>
    using(prepare, async ({ flooded }) => {
      if (flooded === undefined) return;
      const texts = Array.from({ length: FLOOD_RECORDS }, (_, n) => `{"n":${n},"x":"${"x".repeat(FLOOD_RECORD_BYTES)}"}`);
      const stop = new AbortController();
      const batches = (await flooded(texts)).read(new Map(), stop.signal)[Symbol.asyncIterator]();
      let taken = 0;
      while (taken === 0) taken += ((await batches.next()).value as Batch).records.length;
      const before = heldBytes();
      const next = batches.next(); // As the pump does: one batch is stored while the next one is read.
      await new Promise((resolve) => setTimeout(resolve, STOPPED_MS)); // deadline: so long nobody asks for more.
      const heldMore = heldBytes() - before;
      assert.ok(heldMore < AHEAD_BYTES_MAX, `${heldMore} bytes more are held`);
      for (let batch: Batch = (await next).value; ; batch = (await batches.next()).value) {
        for (const { bytes } of batch.records) assert.is(Buffer.from(bytes).toString(), texts[taken++]);
        if (batch.idle || taken === texts.length) break;
      }
      assert.is(taken, texts.length);
      stop.abort();
      await endOf(batches);
    }));

  test("after an end it begins again where it is told to, whoever stopped reading", () =>
    using(prepare, async ({ open, expected }) => {
      const source = open(0);
      const taken: Batch[] = [];
      let known: ReadonlyMap<string, Position> = new Map();
      for (let isMore = true; isMore; ) {
        isMore = false;
        for await (const batch of source.read(known, new AbortController().signal)) {
          taken.push(batch);
          known = positionsBehind([batch], known);
          source.stored?.(batch.resumeAt);
          isMore = !batch.idle;
          if (batch.records.length > 0 || batch.idle) break; // The reader goes away.
        }
      }
      assert.equal(orderOf(taken), expected);
    }));

  return whole;
}

class Nothing {}

/** Of this process, on the heap and beside it, after what is not held has gone. */
function heldBytes(): number {
  queryObjects(Nothing); // It collects garbage first.
  const { heapUsed, external } = process.memoryUsage(); // Buffers are a part of the second.
  return heapUsed + external;
}

async function endOf(batches: AsyncIterator<Batch>): Promise<void> {
  while ((await batches.next()).done !== true);
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(() => reject(new Error(`not within ${limitMs} ms`)), limitMs); // deadline: what is promised.
  });
  await Promise.race([work, late]).finally(() => clearTimeout(deadline));
}

/** Whether these records, of every partition, are the first of those. */
function isBeginning(some: Order, all: Order): boolean {
  return Object.entries(some).every(([partition, texts]) => {
    const whole = all[partition] ?? [];
    return texts.every((text, n) => text === whole[n]);
  });
}

async function using(prepare: () => Promise<SourceUnderTest>, body: (source: SourceUnderTest) => Promise<void>): Promise<void> {
  const source = await prepare();
  try {
    await body(source);
  } finally {
    await source.remove();
  }
}
