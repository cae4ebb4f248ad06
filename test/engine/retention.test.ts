import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { drain } from "../../engine/drain.ts";
import { days } from "../../engine/duration.ts";
import type { Emission } from "../../engine/emission.ts";
import { Unavailable } from "../../engine/fault.ts";
import { Mark } from "../../engine/ids.ts";
import { keptEntry } from "../../engine/kept_alert.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { piecesToCut, type RetentionOptions, retention } from "../../engine/retention.ts";
import type { Sink, Stream } from "../../engine/sink.ts";
import type { Store } from "../../engine/store.ts";
import { changes } from "../contract/store.ts";
import { alertEmission } from "../kit/emissions.ts";
import { suite } from "../kit/suite.ts";

const test = suite("retention");

const piece = (first: number, bytes: number, writtenAtMs = 0) => ({ first, bytes, writtenAtMs });
const PIECES = [piece(1, 30, days(1)), piece(4, 30, days(2)), piece(8, 30, days(3)), piece(9, 5, days(3))];
const all = (): boolean => true;

test("what is old goes, and what is too much, oldest first, and no further than sinks have come", () => {
  const kept = { keepMs: days(30), sizeBytesMax: 1_000 };
  assert.is(piecesToCut(PIECES, kept, days(3), all), 0);
  assert.is(piecesToCut(PIECES, kept, days(32) + 1, all), 2);
  assert.is(piecesToCut(PIECES, { ...kept, sizeBytesMax: 100 }, days(3), all), 1, "95 bytes are more than 70");
  assert.is(piecesToCut(PIECES, { ...kept, sizeBytesMax: 10 }, days(3), all), 3, "5 bytes are fewer than 7");
  assert.is(
    piecesToCut(PIECES, { ...kept, sizeBytesMax: 1 }, days(99), (n) => n < 2),
    2,
  );
});

test("nothing is cut that a sink lacks: sources wait instead, until it has taken it", async () => {
  const { store, keeper, sink, hears, add, pump } = given({ sizeBytesMax: 1_000 });
  sink.isThere = false;
  await add(8, 100);
  await keeper.look();
  assert.equal(hears, ["the log of alerts is full of what sinks have not taken yet"]);
  assert.is(store.logStart("alerts"), 1);
  const waits = new AbortController();
  let hasRoom = false;
  const room = keeper.room(waits.signal).then(() => {
    hasRoom = true;
  });
  await keeper.look();
  assert.not(hasRoom);
  sink.isThere = true;
  await pump();
  await keeper.look();
  await room;
  assert.equal(hears.at(-1), null);
  assert.equal(sink.taken, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.is(store.logStart("alerts"), 2, "down to 70 percent");
});

test("a wait for room ends with the run", async () => {
  const { keeper, sink, add } = given({ sizeBytesMax: 1_000 });
  sink.isThere = false;
  await add(9, 100);
  const stop = new AbortController();
  const room = keeper.room(stop.signal);
  stop.abort();
  await room;
  assert.ok(keeper.isFull());
  assert.match(keeper.report().waiting ?? "", "the log of alerts is full of what sinks have not taken yet");
});

test("too little free disk makes sources wait, too", async () => {
  const { keeper, hears, disk } = given({});
  disk.freeBytes = 99;
  await keeper.look();
  assert.equal(hears, ["less disk is free than log.minFreeDisk"]);
  disk.freeBytes = 100;
  await keeper.look();
  assert.equal(hears.slice(1), [null]);
});

test("a sink that never holds the log up puts aside what is in the way, and only that", async () => {
  const { store, keeper, sink, hears, add, pump } = given({ sizeBytesMax: 1_000, surrenders: true });
  sink.isThere = false;
  await add(9, 100);
  await keeper.look();
  await pump();
  await keeper.look();
  assert.equal(sink.aside, [1, 2]);
  assert.equal(hears.at(-1), null);
  assert.is(store.logStart("alerts"), 3);
  sink.isThere = true;
  await pump();
  assert.equal(sink.taken, [3, 4, 5, 6, 7, 8, 9]);
});

test("of an alert that is open its newest event is kept when it is cut; of one that is over, none", async () => {
  const { store, keeper, events, pump } = given({ sizeBytesMax: 1 });
  events.push(
    alertEmission(1, { alertId: "ALR-A" }),
    alertEmission(2, { alertId: "ALR-B" }),
    alertEmission(3, { alertId: "ALR-A", count: 2 }),
  );
  await commit(store, events, 10);
  await pump();
  await keeper.look();
  assert.is(store.logStart("alerts"), 4);
  assert.equal(keptIn(store), [
    ["ALR-A", 3],
    ["ALR-B", 2],
  ]);
  events.splice(0, 3, alertEmission(4, { alertId: "ALR-A", status: "cleared" }), alertEmission(5, { alertId: "ALR-B", status: "shelved" }));
  await commit(store, events, 10);
  await pump();
  await keeper.look();
  assert.equal(keptIn(store), [["ALR-B", 5]]);
});

function keptIn(store: Store): readonly (readonly [string, number])[] {
  return [...store.range("open_alert", "")].map(([id, row]) => [id, keptEntry(row).sequence] as const);
}

async function commit(store: Store, events: readonly Emission[], bytes: number): Promise<void> {
  await store.commit(
    changes({ entries: events.map(({ sequence }) => ({ stream: "alerts", sequence, bytes: Buffer.alloc(bytes, sequence) })) }),
  );
}

/** A log of alerts with one sink, that is there or is not. */
function given({ surrenders = false, ...kept }: Partial<RetentionOptions> & { readonly surrenders?: boolean }) {
  const store = openMemoryStore("memory", 1);
  const clock = settableClock();
  const hears: (string | null)[] = [];
  const disk = { freeBytes: 1_000 };
  const sink = { isThere: true, taken: [] as number[], aside: [] as number[] };
  const events: Emission[] = [];
  const decode = (_: Stream, { sequence }: { readonly sequence: number }): Emission =>
    events.find((event) => event.sequence === sequence) ?? alertEmission(sequence, { alertId: `ALR-${sequence}` });
  const target: Sink = {
    name: "sink",
    extents: { records: 1, everyMs: 0 },
    async write(emissions) {
      if (!sink.isThere) throw new Unavailable("sink", new Error("away"));
      sink.taken.push(...emissions.map(({ sequence }) => sequence));
      return Mark("");
    },
    ...(surrenders && {
      async surrender(emissions: readonly Emission[]) {
        sink.aside.push(...emissions.map(({ sequence }) => sequence));
        return Mark("");
      },
    }),
    close: async () => {},
  };
  const loop = drain({ store, sink: target, stream: "alerts", decode, clock, random: () => 0.5 });
  void loop.run(new AbortController().signal);
  const keeper = retention({
    store,
    decode,
    drains: [{ stream: "alerts", drain: loop }],
    freeDiskBytes: async () => disk.freeBytes,
    clock,
    onPressure: (reason) => hears.push(reason),
    keepMs: Number.POSITIVE_INFINITY,
    sizeBytesMax: 1_000,
    freeDiskBytesMin: 100,
    ...kept,
  });
  const add = async (count: number, bytes: number): Promise<void> => {
    for (let n = 1; n <= count; n += 1) await commit(store, [alertEmission(n)], bytes);
  };
  /** Has the drain hand over what it can. */
  const pump = async (): Promise<void> => {
    loop.wake();
    for (let n = 0; n < 100; n += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(30_000);
    }
  };
  return { store, keeper, sink, hears, disk, events, add, pump };
}
