import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { Unavailable } from "../../engine/fault.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { type PumpOptions, pump } from "../../engine/pump.ts";
import type { Batch, Source } from "../../engine/source.ts";
import { suite } from "../kit/suite.ts";

const ID = SourceId("meters");

const test = suite("pump");

interface Pumped {
  readonly applied: number[];
  readonly retries: string[];
  readonly options: PumpOptions;
  idles: number;
}

/** What a read does after so many batches in all: nothing more, or an error. */
function pumped(read: Source["read"], apply: (n: number) => Promise<void> = async () => {}): Pumped {
  let stored = 0;
  const seen: Pumped = {
    applied: [],
    retries: [],
    idles: 0,
    options: {
      source: { id: ID, read },
      intake: { source: ID, feed: "smart_meter", mode: "delta", origin: "live" },
      positions: () => new Map([["p", Position(String(stored))]]),
      async apply(_, batch) {
        const n = Number(batch.resumeAt.get("p"));
        await apply(n);
        seen.applied.push(n);
        stored = n;
      },
      onIdle: () => {
        seen.idles += 1;
      },
      onRetry: (error) => seen.retries.push(error.message),
      clock: { ...settableClock(), sleep: async () => {} },
      random: () => 0,
    },
  };
  return seen;
}

function batch(n: number, idle = false): Batch {
  return { origin: "o/", path: null, generation: 0, records: [], resumeAt: new Map([["p", Position(String(n))]]), idle };
}

const after = (positions: ReadonlyMap<string, Position>): number => Number(positions.get("p"));

test("batches are applied in order, and the pump ends with its source", async () => {
  const seen = pumped(async function* () {
    yield batch(1);
    yield batch(2, true);
    yield batch(3, true);
  });
  await pump(seen.options, new AbortController().signal);
  assert.equal(seen.applied, [1, 2, 3]);
  assert.is(seen.idles, 2);
});

test("an outage ends the reading; it begins again behind the last stored position", async () => {
  let outages = 3;
  const seen = pumped(async function* (positions) {
    for (let n = after(positions) + 1; n <= 6; n += 1) {
      if (n % 2 === 0 && outages-- > 0) throw new Unavailable("broker", new Error("gone"));
      yield batch(n);
    }
  });
  await pump(seen.options, new AbortController().signal);
  assert.equal(seen.applied, [1, 2, 3, 4, 5, 6]);
  assert.is(seen.retries.length, 3);
});

test("the source is told what is stored, after it is", async () => {
  const seen = pumped(async function* () {
    yield batch(1);
    yield batch(2);
  });
  const told: [number, number][] = [];
  const source: Source = { ...seen.options.source, stored: (positions) => told.push([after(positions), seen.applied.length]) };
  await pump({ ...seen.options, source }, new AbortController().signal);
  assert.equal(told, [
    [1, 1],
    [2, 2],
  ]);
});

test("it reads one batch ahead of the store, and no further", async () => {
  const read: number[] = [];
  const gates: (() => void)[] = [];
  const seen = pumped(
    async function* () {
      for (let n = 1; n <= 4; n += 1) {
        read.push(n);
        yield batch(n);
      }
    },
    () => new Promise((resolve) => gates.push(resolve)),
  );
  const running = pump(seen.options, new AbortController().signal);
  for (let n = 1; n <= 4; n += 1) {
    await settledDown();
    assert.equal(read.length, Math.min(4, n + 1));
    gates.shift()?.();
  }
  await running;
});

test("a commit that fails rejects at once, though the source is still waiting for its next batch", async () => {
  const seen = pumped(
    async function* () {
      yield batch(1);
      await new Promise(() => {});
    },
    () => Promise.reject(new Error("disk full")),
  );
  await rejects(pump(seen.options, new AbortController().signal), "disk full");
});

test("what is no outage rejects at once, from the source and from the store", async () => {
  const broken = pumped(async function* () {
    yield batch(1);
    throw new TypeError("bug");
  });
  await rejects(pump(broken.options, new AbortController().signal), "bug");
  assert.equal(broken.applied, [1]);
  const unstored = pumped(
    async function* () {
      yield batch(1);
    },
    () => Promise.reject(new Error("disk full")),
  );
  await rejects(pump(unstored.options, new AbortController().signal), "disk full");
  assert.equal([broken.retries, unstored.retries], [[], []]);
});

test("the signal ends it, between batches and in the middle of an outage; the source is closed", async () => {
  const stopping = new AbortController();
  let closed = false;
  const seen = pumped(
    async function* () {
      try {
        for (let n = 1; ; n += 1) yield batch(n);
      } finally {
        closed = true;
      }
    },
    async (n) => {
      if (n === 3) stopping.abort();
    },
  );
  await pump(seen.options, stopping.signal);
  assert.equal(seen.applied, [1, 2, 3]);
  assert.ok(closed);
  const out = new AbortController();
  const outage = pumped(async function* () {
    yield* [];
    throw new Unavailable("broker", new Error("gone"));
  });
  await pump({ ...outage.options, onRetry: () => out.abort() }, out.signal);
  assert.equal(outage.applied, []);
});

async function rejects(promise: Promise<void>, message: string): Promise<void> {
  const [result] = await Promise.allSettled([promise]);
  assert.is(result?.status === "rejected" ? (result.reason as Error).message : "resolved", message);
}

/** Lets every promise that can settle do so. */
function settledDown(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
