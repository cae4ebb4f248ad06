import * as assert from "uvu/assert";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { settableClock } from "../../engine/clock.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { Engine, type SourceWiring } from "../../engine/engine.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { EvolutionMode } from "../../engine/schema.ts";
import { SchemaChangeRefused } from "../../engine/schema_change.ts";
import type { Batch } from "../../engine/source.ts";
import type { NewColumns } from "../../engine/survey.ts";
import { recordingSink, type Tape } from "../kit/flaky_sink.ts";
import { suite } from "../kit/suite.ts";

const test = suite("engine and new columns");

const ORIGIN = { source: "command", position: "command:test", arrivedAtMs: Date.UTC(2025, 5, 16) };

function reading(n: number, more: object = {}): object {
  const timestamp = new Date(Date.UTC(2025, 5, 15, 6, n)).toISOString();
  return { reading_id: `r${n}`, plant_id: "REN-SOLAR-001", timestamp, production_mw: 10 + n, ...more };
}

/** A stream without end of these records, in batches of one; what it waits for comes from `more`. */
function stream(name: string, records: readonly object[]): SourceWiring {
  const id = SourceId(name);
  const batch = (record: object, n: number): Batch => ({
    origin: `${name}/`,
    path: null,
    generation: 0,
    records: [{ at: n, arrivedAtMs: ORIGIN.arrivedAtMs, bytes: Buffer.from(JSON.stringify(record)) }],
    resumeAt: new Map([["p", Position(String(n + 1))]]),
    idle: n === records.length - 1,
  });
  return {
    source: {
      id,
      async *read(after, signal) {
        for (let n = Number(after.get("p") ?? 0); n < records.length; n += 1) yield batch(records[n] as object, n);
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      },
    },
    intake: { source: id, feed: "renewable", mode: "delta", origin: "live" },
    stage: 1,
    holdsNext: true,
  };
}

function engineOf(mode: EvolutionMode, sources: readonly SourceWiring[], { onRetry = (_: Error) => {}, onStage = () => {}, ends = false }) {
  const tape: Tape = [];
  const engine = new Engine({
    name: "main",
    domain: GRID,
    rules: new RuleTable(RULES),
    schemas: new Map([["renewable", { mode, inferColumnTypes: true }]]),
    limits: DEFAULT_LIMITS,
    store: openMemoryStore(),
    sources,
    sinks: [{ sink: recordingSink({ name: "tape", tape, cursor: { mark: null } }), stream: "curated" }],
    decode: emissionDecoder("main", GRID.tables),
    clock: { ...settableClock(), sleep: () => new Promise((resolve) => setImmediate(resolve)) },
    random: () => 0,
    onRetry: (_, error) => onRetry(error),
    onStage,
    endsAtNewColumns: ends,
  });
  const rows = () => tape.flatMap((one) => (one.stream === "curated" && one.row.table === "renewable_production" ? [one.row] : []));
  return { engine, ids: () => rows().map(({ cells }) => cells["reading_id"]), rows };
}

test("a stream stops at the record that brings a new column, others go on, and it goes on where it stopped once that is decided", async () => {
  const stopping = new AbortController();
  const held = stream("held", [reading(1), reading(2, { gust: 3 }), reading(3, { gust: 4 })]);
  const other = stream("other", [reading(4), reading(5)]);
  let retries = 0;
  let decided: Promise<unknown> | null = null;
  const { engine, ids, rows } = engineOf("failOnNewColumns", [held, other], {
    onRetry: (error) => {
      assert.match(error.message, /^new columns: gust; decide with gridactor schema approve renewable gust TYPE/);
      retries += 1;
      if (ids().includes("r5")) decided ??= engine.changeSchema({ feed: "renewable", column: "gust", type: "double" }, ORIGIN);
      if (retries > 5_000) stopping.abort();
    },
  });
  const running = engine.run(stopping.signal, 0);
  while (!ids().includes("r3") && !stopping.signal.aborted) await new Promise((resolve) => setImmediate(resolve));
  stopping.abort();
  await running;
  await decided;
  assert.equal([...ids()].sort(), ["r1", "r2", "r3", "r4", "r5"]);
  assert.equal(
    rows()
      .filter(({ cells }) => cells["gust"] !== undefined)
      .map(({ cells }) => cells["gust"]),
    [3, 4],
  );
  await engine.close();
});

test("a drain ends, and names the source that waits with its columns", async () => {
  const stopping = new AbortController();
  const held = stream("held", [reading(1), reading(2, { gust: 3 })]);
  const { engine, ids } = engineOf("failOnNewColumns", [held], { ends: true });
  await engine.run(stopping.signal, 1_000);
  assert.equal(ids(), ["r1"]);
  assert.equal(
    [...engine.stopped].map(([source, { feed, columns }]: readonly [SourceId, NewColumns]) => [source, feed, columns]),
    [["held", "renewable", ["gust"]]],
  );
  await engine.close();
});

test("a decision falls between two batches of a running engine; one that is refused disturbs nothing", async () => {
  const stopping = new AbortController();
  let idles = 0;
  const { engine, rows } = engineOf("rescue", [stream("plants", [reading(1, { gust: 3 })])], {
    onStage: () => {
      idles += 1;
    },
  });
  const running = engine.run(stopping.signal, 1_000);
  while (idles === 0) await new Promise((resolve) => setImmediate(resolve));
  await engine.changeSchema({ feed: "renewable", column: "capacity_mw", type: "string" }, ORIGIN).then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, SchemaChangeRefused),
  );
  assert.is((await engine.changeSchema({ feed: "renewable", column: "gust", type: "double" }, ORIGIN)).amended, 1);
  while (rows().length < 2) await new Promise((resolve) => setImmediate(resolve));
  stopping.abort();
  await running;
  assert.equal(
    rows().map(({ cells, amends }) => [cells["gust"] ?? null, amends !== null]),
    [
      [null, false],
      [3, true],
    ],
  );
  await engine.close();
});
