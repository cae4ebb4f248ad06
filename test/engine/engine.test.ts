import * as assert from "uvu/assert";
import { type SettableClock, settableClock } from "../../engine/clock.ts";
import { CommandRefused } from "../../engine/command.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine, type EngineOptions, type SourceWiring } from "../../engine/engine.ts";
import { actorIdFrom, Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { decodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Sink } from "../../engine/sink.ts";
import type { Batch, Source } from "../../engine/source.ts";
import type { Store } from "../../engine/store.ts";
import { flakySink, recordingSink, type Tape } from "../kit/flaky_sink.ts";
import { at, type Order, PUPPET_RULES, PUPPETS, tick } from "../kit/puppets.ts";
import { suite } from "../kit/suite.ts";

const test = suite("engine");

interface Wanted {
  readonly stage?: number;
  readonly holdsNext?: boolean;
  /** Batches, each of one record that makes its puppet append a row of this text. */
  readonly texts: readonly string[];
  /** After the batches: end, say that there is no more and wait for the signal, or throw. */
  readonly finally?: "ends" | "waits" | "breaks";
  readonly onRead?: () => void;
  /** What it waits for before its first batch. */
  readonly begin?: Promise<void>;
}

function wiring(name: string, wanted: Wanted): SourceWiring {
  const { stage = 1, holdsNext = true, texts, finally: end = "ends", onRead = () => {}, begin } = wanted;
  const id = SourceId(name);
  const source: Source = {
    id,
    async *read(after, signal) {
      onRead();
      await begin;
      for (let n = Number(after.get("p") ?? 0); n < texts.length; n += 1) {
        yield batch(name, n, [["row", texts[n] as string]], end === "waits" && n === texts.length - 1);
      }
      if (end === "breaks") throw new Error("bug in a source");
      if (end === "waits") await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    },
  };
  return { source, intake: { source: id, feed: "ticks", mode: "delta", origin: "live" }, stage, holdsNext };
}

function batch(name: string, n: number, orders: readonly Order[], idle: boolean): Batch {
  const { record } = tick(n, { id: `${name}${n}`, actor: name, orders });
  const records = [{ at: n, arrivedAtMs: at(n), bytes: Buffer.from(JSON.stringify(record)) }];
  return { origin: `${name}/`, path: null, generation: 0, records, resumeAt: new Map([["p", Position(String(n + 1))]]), idle };
}

interface Running {
  readonly engine: Engine;
  readonly tape: Tape;
  readonly store: Store;
  readonly stages: number[];
  texts(): readonly unknown[];
}

function engineOf(
  sources: readonly SourceWiring[],
  {
    store = openMemoryStore(),
    clock = settableClock(),
    onStage = () => {},
    onBatch = () => {},
    isSinkDead = false,
    resend,
    ...others
  }: Partial<Pick<EngineOptions, "store" | "clock" | "onStage" | "onBatch" | "log" | "stallMs">> & {
    readonly isSinkDead?: boolean;
    readonly resend?: NonNullable<Sink["resend"]>;
  } = {},
): Running {
  const tape: Tape = [];
  const stages: number[] = [];
  const sink = flakySink(
    recordingSink({ name: "tape", tape, cursor: { mark: null } }),
    Array(isSinkDead ? 100_000 : 0).fill("unavailable"),
  );
  const options: EngineOptions = {
    ...others,
    name: "main",
    domain: PUPPETS,
    rules: new RuleTable(PUPPET_RULES),
    schemas: new Map(),
    limits: DEFAULT_LIMITS,
    store,
    sources,
    sinks: [{ sink: resend === undefined ? sink : { ...sink, resend }, stream: "curated" }],
    decode: emissionDecoder("main", PUPPETS.tables),
    clock,
    random: () => (isSinkDead ? 1 : 0),
    onRetry: () => {},
    onStage: (stage) => {
      stages.push(stage);
      onStage(stage);
    },
    onBatch,
  };
  const texts = (): readonly unknown[] => tape.map((one) => (one.stream === "curated" ? one.row.cells["text"] : null));
  return { engine: new Engine(options), tape, store, stages, texts };
}

/** Lets time pass until the run is over, for a day at most. */
async function driven(clock: SettableClock, run: Promise<void>): Promise<void> {
  let isOver = false;
  const ended = run.then(() => {
    isOver = true;
  });
  for (let passedMs = 0; !isOver && passedMs < 86_400_000; passedMs += 1_000) {
    clock.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ended;
}

const forever = (): AbortSignal => new AbortController().signal;

test("stages are read one after another, and the sinks have everything when it ends", async () => {
  const running = engineOf([
    wiring("c", { stage: 2, texts: ["c0", "c1"] }),
    wiring("a", { stage: 1, texts: ["a0", "a1"] }),
    wiring("b", { stage: 1, texts: ["b0"] }),
  ]);
  await running.engine.run(forever(), 1_000);
  assert.equal(running.texts(), ["a0", "a1", "b0", "c0", "c1"]);
  assert.equal(running.stages, [1, 2]);
  assert.equal(
    running.engine.sinkReports().map(({ settled, behind }) => [settled, behind]),
    [[5, 0]],
  );
  await running.engine.close();
});

test("a run that is to end by itself gives up when its log is full and no sink gets further; the next one has the rest", async () => {
  const store = openMemoryStore();
  const clock = settableClock();
  const texts = Array.from({ length: 20 }, (_, n) => `a${n}`.padEnd(100));
  const hears: (string | null)[] = [];
  const log = {
    keepMs: Number.POSITIVE_INFINITY,
    sizeBytesMax: 2_500,
    freeDiskBytesMin: 0,
    freeDiskBytes: async () => 1,
    onPressure: (reason: string | null) => void hears.push(reason),
  };
  const first = engineOf([wiring("a", { texts })], { store, clock, log, stallMs: 300_000, isSinkDead: true });
  await driven(clock, first.engine.run(forever(), 300_000));
  assert.equal(hears, ["the log of curated is full of what sinks have not taken yet"]);
  const applied = store.nextSequence - 1;
  assert.ok(applied > 0 && applied < 20, `${applied} batches`);
  assert.equal(
    first.engine.sinkReports().map(({ settled }) => settled),
    [0],
  );
  const second = engineOf([wiring("a", { texts })], { store, clock, log });
  await driven(clock, second.engine.run(forever(), 300_000));
  assert.equal(second.texts(), texts);
  await second.engine.close();
});

test("a dead letter is sent again before it is settled; what is refused stays, and what nobody can send again is said", async () => {
  const letter: QuarantineRow = {
    id: "Q-5T8M2C0ZKE7WD1RA",
    feed: "alerts",
    source: "tape",
    position: "log:7",
    reason: "dead_letter",
    field: null,
    error: "it answers 400",
    actor: null,
    eventTimeMs: null,
    arrivedAtMs: 1,
    sizeBytes: 2,
    attempts: 1,
    status: "open",
    bytes: Buffer.from("{}"),
  };
  const retry = { verb: "quarantine retry", args: { id: letter.id }, by: "tester", reason: null, key: "once", arrivedAtMs: 0 };
  const statusIn = (store: Store): string => decodeQuarantine(store.get("quarantine", letter.id) ?? new Uint8Array()).status;
  const sent: number[] = [];
  let isTaken = false;
  const { engine, store } = engineOf([], {
    resend: async ({ sequence }) => {
      sent.push(sequence);
      if (!isTaken) throw new Error("it answers 500");
    },
  });
  await engine.quarantine(letter);
  await engine.quarantine(letter); // A crash may have it written twice: it counts once.
  assert.equal(engine.world.counters.group("dead_letter"), { tape: 1 });
  assert.instance(await engine.command(retry).catch((error: unknown) => error), CommandRefused);
  assert.is(statusIn(store), "open");
  isTaken = true;
  assert.equal((await engine.command(retry)).row.detail, { id: letter.id, status: "retried" });
  assert.ok((await engine.command(retry)).isRepeat);
  assert.equal([sent, statusIn(store)], [[7, 7], "retried"]);
  await engine.quarantine(letter); // Nor does a decision on it fall.
  assert.is(statusIn(store), "retried");
  await engine.close();
  const mute = engineOf([]);
  await mute.engine.quarantine(letter);
  assert.instance(await mute.engine.command(retry).catch((error: unknown) => error), CommandRefused);
  await mute.engine.close();
});

test("a source that goes on holds the next one until it has nothing more to read", async () => {
  const stopping = new AbortController();
  const running = engineOf(
    [wiring("a", { texts: ["a0", "a1"], finally: "waits" }), wiring("b", { stage: 2, texts: ["b0"], finally: "waits" })],
    {
      onStage: (stage) => {
        if (stage === 2) stopping.abort();
      },
    },
  );
  await running.engine.run(stopping.signal, 0);
  assert.equal(running.texts(), ["a0", "a1", "b0"]);
  assert.equal(running.stages, [1, 2]);
});

test("sources that hold the next one look for their beginning all at once, and are still applied one after another", async () => {
  let isLastRead = (): void => {};
  const lastRead = new Promise<void>((resolve) => {
    isLastRead = resolve;
  });
  const running = engineOf([
    wiring("a", { texts: ["a0", "a1"], begin: lastRead }), // Waits for the last one, which is therefore read before its turn.
    wiring("b", { texts: ["b0", "b1"] }),
    wiring("c", { stage: 2, texts: ["c0", "c1"], onRead: isLastRead }),
  ]);
  await running.engine.run(forever(), 1_000);
  assert.equal(running.texts(), ["a0", "a1", "b0", "b1", "c0", "c1"]);
});

test("what a source found before its turn is not applied once the engine is told to stop", async () => {
  const stopping = new AbortController();
  const running = engineOf([
    wiring("a", { texts: ["a0"], finally: "waits" }),
    wiring("b", { texts: ["b0"], onRead: () => stopping.abort(), holdsNext: true }),
  ]);
  await running.engine.run(stopping.signal, 0);
  assert.not(running.texts().includes("b0"));
});

test("what was stored is not read again by the next engine", async () => {
  const store = openMemoryStore();
  await engineOf([wiring("a", { texts: ["a0"] })], { store }).engine.run(forever(), 1_000);
  const running = engineOf([wiring("a", { texts: ["a0", "a1"] })], { store });
  await running.engine.run(forever(), 1_000);
  assert.equal(running.texts(), ["a1"]); // Nor does the sink get again what it has.
  assert.is(running.engine.world.counters.group("feed ticks")["read"], 2);
});

test("a store that fails rejects run, and nothing is committed after it", async () => {
  const inner = openMemoryStore();
  let commits = 0;
  const store: Store = {
    ...inner,
    nextSequence: 1,
    async commit() {
      commits += 1;
      throw new Error("disk full");
    },
  };
  const sources = ["a", "b", "c"].map((name) => wiring(name, { texts: ["0", "1"], holdsNext: false }));
  assert.is(await outcome(engineOf(sources, { store }).engine.run(forever(), 1_000)), "disk full");
  await settledDown();
  assert.is(commits, 1);
});

test("a bug in a source rejects run, whether it holds the next or not, and leaves no rejection unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    for (const holdsNext of [true, false]) {
      const sources = [
        wiring("a", { texts: ["a0"], finally: "breaks", holdsNext }),
        wiring("b", { stage: 2, texts: ["b0"], finally: "waits" }),
      ];
      assert.is(await outcome(engineOf(sources).engine.run(forever(), 1_000)), "bug in a source");
    }
    await settledDown();
  } finally {
    process.off("unhandledRejection", note);
  }
  assert.equal(unhandled, []);
});

test("who looks between two batches sees in memory what is stored, and nothing else", async () => {
  const store = openMemoryStore();
  const looks: Promise<unknown>[] = [];
  const slow: Store = {
    ...store,
    get nextSequence() {
      return store.nextSequence;
    },
    commit: async (commit) => {
      looks.push(engine.look(seen)); // While memory is ahead of the store.
      await settledDown();
      await store.commit(commit);
    },
  };
  const { engine } = engineOf([wiring("a", { texts: ["a0", "a1", "a2"] }), wiring("b", { texts: ["b0"] })], { store: slow });
  const seen = () => {
    const stored = [...store.actors()];
    for (const [id, parts] of stored) assert.equal(engine.world.population.parts(id), parts, id);
    return [stored.length, store.nextSequence];
  };
  await engine.run(forever(), 1_000);
  assert.equal(await Promise.all(looks), [
    [1, 2],
    [1, 3],
    [1, 4],
    [2, 5],
  ]);
  assert.is(engine.world.population.parts(actorIdFrom("puppet/none")), null);
  await engine.close();
});

test("each stored batch is told, and where the engine is in its life", async () => {
  const batches: string[] = [];
  const { engine } = engineOf([wiring("a", { texts: ["a0", "a1"] })], {
    onBatch: ({ source, feed, records }) => void batches.push(`${source} ${feed} ${records} ${engine.phase}`),
  });
  assert.is(engine.phase, "starting");
  await engine.run(forever(), 1_000);
  assert.equal(batches, ["a ticks 1 running", "a ticks 1 running"]);
  assert.equal([engine.phase, engine.busyMs], ["stopping", 0]);
  await engine.close();
});

test("an engine that is told to stop before it starts reads nothing", async () => {
  let reads = 0;
  const running = engineOf([
    wiring("a", { texts: ["a0"], onRead: () => (reads += 1) }),
    wiring("b", { stage: 2, texts: ["b0"], onRead: () => (reads += 1) }),
  ]);
  await running.engine.run(AbortSignal.abort(), 1_000);
  assert.ok(reads <= 1);
  assert.equal(running.stages, []);
});

async function outcome(promise: Promise<void>): Promise<string> {
  const [result] = await Promise.allSettled([promise]);
  return result?.status === "rejected" ? (result.reason as Error).message : "resolved";
}

/** Lets every promise that can settle do so. */
function settledDown(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
