import * as assert from "uvu/assert";
import { settableClock } from "../../engine/clock.ts";
import { drain } from "../../engine/drain.ts";
import type { Emission } from "../../engine/emission.ts";
import { BrokenInvariant } from "../../engine/fault.ts";
import { retry } from "../../engine/retry.ts";
import type { Sink, Stream } from "../../engine/sink.ts";
import type { SinkCursor } from "../../engine/sink_cursor.ts";
import { type ScriptedLog, scriptedLog } from "../kit/scripted_log.ts";
import { seeded } from "../kit/seeded.ts";
import { suite } from "../kit/suite.ts";

/** A sink and the one place it writes to. */
export interface SinkUnderTest {
  readonly name: string;
  readonly stream: Stream;
  emission(sequence: number): Emission;
  /** Opens it as a restarted process does. `passing` is told at each point where a crash would leave something different behind. */
  open(cursor: SinkCursor, passing: (point: string) => void): Promise<Sink>;
  /** The sequences that a reader finds, in the order in which it finds them. */
  seen(): Promise<readonly number[]>;
  /** Removes the place. */
  remove(): Promise<void>;
}

const SEQUENCES = [1, 2, 4, 5, 6, 9, 10, 12, 13, 14]; // The numbers between went to the other stream.
const NOTHING = (): void => {};

/** What every sink promises. `prepare` makes a new place each time. The suite is returned for hooks. */
export function sinkContract(title: string, prepare: () => Promise<SinkUnderTest>) {
  const test = suite(`contract of sinks: ${title}`);

  test("every emission arrives once and in order", () =>
    using(prepare, async (place) => {
      await runUntilDone(place, logOf(place), NOTHING);
      assert.equal(await place.seen(), SEQUENCES);
    }));

  test("what was written before a restart stays, and what comes after it follows", () =>
    using(prepare, async (place) => {
      const log = logOf(place);
      await runUntilDone(place, log, NOTHING);
      log.append(place.emission(15), place.emission(17));
      await runUntilDone(place, log, NOTHING);
      assert.equal(await place.seen(), [...SEQUENCES, 15, 17]);
    }));

  test("an extent that a restarted sink gets again is there once", () =>
    using(prepare, async (place) => {
      const fixed: SinkCursor = { settled: 0, mark: null, pending: 2 };
      const extent = [place.emission(1), place.emission(2)];
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const sink = await place.open(fixed, NOTHING);
        await retry(() => sink.write(extent), { clock: settableClock(), random: () => 0, signal: new AbortController().signal });
        await sink.close();
      }
      assert.equal(await place.seen(), [1, 2]);
    }));

  test("a failure at any point, tried again, leaves neither gap nor repeat", () =>
    atEveryPoint(prepare, "fails", async (place, log, passing) => {
      await runUntilDone(place, log, passing);
      assert.equal(await place.seen(), SEQUENCES);
    }));

  test("a crash at any point leaves a beginning of the stream, and a restart adds the rest once", () =>
    atEveryPoint(prepare, "crashes", async (place, log, passing) => {
      await run(place, log, passing).catch(crashed);
      const { settled } = log.cursor(place.name);
      await (await place.open(log.cursor(place.name), NOTHING)).close();
      const seen = await place.seen();
      assert.equal(seen, SEQUENCES.slice(0, seen.length));
      assert.ok(seen.length >= SEQUENCES.indexOf(settled) + 1, "every settled emission is there");
      await runUntilDone(place, log, passing);
      assert.equal(await place.seen(), SEQUENCES);
    }));

  for (const seed of [1, 2, 3, 4]) {
    test(`crashes and failures in a row leave neither gap nor repeat (seed ${seed})`, () =>
      using(prepare, async (place) => {
        const chance = seeded(seed);
        const passing = (point: string): void => {
          if (chance.chance(8)) crash();
          if (chance.chance(8)) throw new Error(`${point} fails`);
        };
        const log = logOf(place);
        await runUntilDone(
          place,
          crashing(log, () => chance.chance(8) && crash()),
          passing,
        );
        assert.equal(await place.seen(), SEQUENCES);
      }));
  }
  return test;
}

async function using(prepare: () => Promise<SinkUnderTest>, body: (place: SinkUnderTest) => Promise<void>): Promise<void> {
  const place = await prepare();
  try {
    await body(place);
  } finally {
    await place.remove();
  }
}

function logOf(place: SinkUnderTest): ScriptedLog {
  const log = scriptedLog();
  log.append(...SEQUENCES.map(place.emission));
  return log;
}

/** Does `body` once for each point: there the n-th passage fails or crashes, once. It ends with the first n that is never reached. */
async function atEveryPoint(
  prepare: () => Promise<SinkUnderTest>,
  what: "fails" | "crashes",
  body: (place: SinkUnderTest, log: ScriptedLog, passing: (point: string) => void) => Promise<void>,
): Promise<void> {
  for (let at = 1, reached = true; reached; at += 1) {
    reached = false;
    let passages = 0;
    const passing = (point: string): void => {
      passages += 1;
      if (passages !== at) return;
      reached = true;
      if (what === "crashes") crash();
      throw new Error(`${point} fails`);
    };
    await using(prepare, async (place) => {
      const log = logOf(place);
      await body(place, what === "crashes" ? crashing(log, passing) : log, passing);
    });
  }
}

const CRASH = "scripted crash";

function crash(): never {
  throw new BrokenInvariant(CRASH);
}

function crashed(error: unknown): void {
  if (!(error instanceof BrokenInvariant && error.message === CRASH)) throw error;
}

/** A crash may also come before and after a cursor is stored. */
function crashing(log: ScriptedLog, passing: (point: string) => unknown): ScriptedLog {
  return {
    ...log,
    get nextSequence() {
      return log.nextSequence;
    },
    async settle(sink, cursor) {
      passing("settle");
      await log.settle(sink, cursor);
      passing("settled");
    },
  };
}

/** Runs, and starts again after each crash and each failure to open. */
async function runUntilDone(place: SinkUnderTest, log: ScriptedLog, passing: (point: string) => void): Promise<void> {
  for (;;) {
    try {
      return await run(place, log, passing);
    } catch (error) {
      if (!(error instanceof Error && error.name === "Unavailable")) crashed(error);
    }
  }
}

/** One life of a process: opens the sink, hands over the log, closes. */
async function run(place: SinkUnderTest, log: ScriptedLog, passing: (point: string) => void): Promise<void> {
  const sink = await place.open(log.cursor(place.name), passing);
  const stop = new AbortController();
  const loop = drain({ store: log, sink, stream: place.stream, decode: log.decode, clock: settableClock(), random: () => 0 });
  const ended = loop.run(stop.signal);
  try {
    await loop.flush(Number.POSITIVE_INFINITY);
    stop.abort();
    await ended;
  } finally {
    await sink.close();
  }
}
