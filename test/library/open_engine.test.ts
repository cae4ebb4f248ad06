// timeout: 120 s
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import {
  ActorId,
  type AlertEvent,
  type Behaviour,
  type CommandError,
  ConfigError,
  type Engine,
  type EngineOptions,
  feed,
  instant,
  Mark,
  number,
  openEngine,
  Position,
  type Rule,
  type Sink,
  type Source,
  text,
} from "../../lib.ts";
import { type GridFolder, newGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("library");

/** Over the shipped configuration; `grid` is drained once. */
let folder: GridFolder;
let grid: Engine;

test.before(async () => {
  folder = await newGridFolder();
  grid = await openEngine({ config: folder.config, log: "error" });
});
test.after(() => removeFolder(folder.path));

test("nothing can be asked of a state that is not there yet", async () => {
  await rejects("UNREACHABLE", () => grid.inspect("SM-N-00042"));
  await rejects("UNREACHABLE", () => grid.subscribe()[Symbol.asyncIterator]().next());
});

test("a drain sums up, and a second one has nothing to read", async () => {
  const first = await grid.drain();
  assert.equal([first.feeds["smart_meter"]?.read, first.actors["meter"], first.alerts["meter.spike"]], [500, 1_000, 15]);
  const second = await grid.drain();
  assert.equal([second.feeds["smart_meter"]?.read, second.digest], [0, first.digest]);
});

test("actors and their versions are asked of a stopped engine's directory", async () => {
  assert.is((await grid.inspect("trf-n-0034")).state.status, "UNDER_MAINTENANCE");
  assert.is((await grid.inspect("TRF-N-0034", { asOf: "2025-05-01" })).state.status, "ACTIVE");
  assert.equal(
    (await grid.history("TRF-N-0034")).map(({ version, validFrom }) => [version, validFrom]),
    [
      [1, "2024-01-01"],
      [2, "2025-06-01"],
    ],
  );
  await rejects("NOT_FOUND", () => grid.inspect("TRF-N-9999"));
});

test("a running engine is asked and followed, starts once, and stops", async () => {
  await grid.start();
  await rejects("REFUSED", () => grid.start());
  await rejects("REFUSED", () => grid.drain());
  assert.is((await grid.inspect("TRF-N-0034")).id, "TRF-N-0034");
  assert.is((await grid.inspect("TRF-N-0034", { asOf: "2025-05-01" })).state.status, "ACTIVE");
  const events = await taken(grid.subscribe({ from: 0, severity: "major+", under: "region/NORTH" }), 2);
  for (const { data } of events)
    assert.ok(["major", "critical"].includes(data.severity) && data.path.includes(ActorId("region", "NORTH")), data.alertId);
  const after = Number(events[0]?.sequence);
  const next = await taken(grid.subscribe({ after, severity: "major+", under: "NORTH" }), 1);
  assert.is(next[0]?.id, events[1]?.id, "who goes on behind an event gets the next one");
  await rejects("USAGE", () => grid.subscribe({ severity: "bad" })[Symbol.asyncIterator]().next());
  await grid.stop();
  await grid.stop();
  assert.is((await grid.history("TRF-N-0034")).length, 2);
});

test("a place that the log does not hold is told to who wants to know, and else ends the iteration", async () => {
  await grid.start();
  try {
    await rejects("NOT_FOUND", () => grid.subscribe({ from: 10_000_000 })[Symbol.asyncIterator]().next());
    const gaps: unknown[] = [];
    const [event] = await taken(
      grid.subscribe({ from: 10_000_000, onGap: ({ requested, firstAvailable }) => gaps.push([requested, firstAvailable]) }),
      1,
    );
    assert.equal([gaps, Number(event?.sequence) >= 1], [[[10_000_000, 1]], true]);
  } finally {
    await grid.stop();
  }
});

test("an iteration ends when the engine stops", async () => {
  await grid.start();
  const waiting = taken(grid.subscribe({ rule: "transformer.overheating", origin: "replay" }), 1);
  await grid.stop();
  assert.equal(await waiting, []);
});

test("a wrong configuration is refused with its findings, and nothing is made", () =>
  inTempFolder(async (path) => {
    const config = join(path, "gridactor.yaml");
    writeFileSync(config, "version: 1\nsources: { probes: { feed: prob, type: probes, every: 3 } }\n");
    const error = await openEngine({ config, ...probes() }).then(
      () => null,
      (failed: unknown) => failed,
    );
    assert.instance(error, ConfigError);
    assert.equal(
      (error as ConfigError).findings.map(({ code, path: key, line, fix }) => [code, key, line, fix]),
      [["unknown_feed", "sources.probes.feed", 2, 'did you mean "probe"?']],
    );
  }));

test("names that the grid uses cannot be added", async () => {
  const { config } = folder;
  for (const extension of [
    { actors: [{ ...probe, kind: "meter" }] },
    { feeds: [{ ...probeFeed, name: "smart_meter" }] },
    { rules: [{ ...tooHot, id: "meter.spike" }] },
    { sources: { kafka: () => source([]) } },
    { sinks: { webhook: () => never } },
    { tables: [{ name: "alerts", feed: null, columns: {} }] },
  ] satisfies Partial<EngineOptions>[]) {
    const error = await openEngine({ config, ...extension }).then(
      () => null,
      (failed: unknown) => failed,
    );
    assert.instance(error, TypeError, Object.keys(extension)[0]);
  }
});

test("an added source gets its options, placeholders replaced, and goes on where it was; so does an added sink", () =>
  inTempFolder(async (path) => {
    const config = probeConfig(path);
    const seen: unknown[] = [];
    const taken: string[] = [];
    const extension = (temperatures: readonly number[]) => ({
      ...probes(temperatures, (options, after) => seen.push([options, after])),
      sinks: {
        list: (options: object, { mark }: { readonly mark: Mark | null }) => ({
          name: "list",
          async write(emissions: readonly { readonly sequence: number; readonly stream: string }[]) {
            taken.push(
              `${JSON.stringify(options)} from ${mark}: ${emissions.map(({ stream, sequence }) => `${stream} ${sequence}`).join(", ")}`,
            );
            return Mark(`at ${emissions.at(-1)?.sequence}`);
          },
          close: async () => {},
        }),
      },
    });
    const env = { PROBE_KEY: "s3cret" };
    await runToEnd(await openEngine({ config, env, ...extension([20, 90]) }));
    await runToEnd(await openEngine({ config, env, ...extension([20, 90, 95, 10]) }));
    assert.equal(seen, [
      [{ key: "s3cret", every: 3 }, null],
      [{ key: "s3cret", every: 3 }, "2"],
    ]);
    assert.equal(taken, ['{"to":"me"} from null: alerts 2', '{"to":"me"} from at 2: alerts 6']);
  }));

test("rules that are added take limits from the configuration, and rows go to a table with added columns", () =>
  inTempFolder(async (path) => {
    const more = "  rows: { type: list, stream: curated }\nrules: { probe.too_hot: { limitC: 95 } }\n";
    const rows: unknown[] = [];
    const list: Sink = {
      ...never,
      async write(emissions) {
        for (const emission of emissions)
          if (emission.stream === "curated" && emission.row.table === "probe") rows.push(emission.row.cells);
        return Mark("");
      },
    };
    const engine = await openEngine({ config: probeConfig(path, more), env: { PROBE_KEY: "x" }, ...probes([20, 90, 96]), sinks: { list } });
    await runToEnd(engine);
    const { state, episodes, counts, clock } = await engine.inspect("probe/P1");
    const raised = episodes.map(({ rule, startsAt }) => [rule, startsAt]);
    assert.equal([state.attributes, counts.accepted], [{ hottestC: 96 }, 3]);
    assert.equal([raised, clock], [[["probe.too_hot", "2025-06-15T08:02:00Z"]], { probe: "2025-06-15T08:02:00Z" }]);
    assert.equal(rows.at(-1), { id: "r2", probe: "P1", at: Date.UTC(2025, 5, 15, 8, 2), temp_c: 96, doubled_c: 192 });
  }));

test("a source that breaks fails the engine: `ended` rejects, and what was stored stays", () =>
  inTempFolder(async (path) => {
    const extension = probes([20, 90]);
    const broken = { ...extension, sources: { probes: () => source([20], new Error("no such thing")) }, sinks: { list: () => never } };
    const engine = await openEngine({ config: probeConfig(path), env: { PROBE_KEY: "x" }, log: "silent", ...broken });
    await engine.start();
    const failure = await engine.ended.then(
      () => null,
      (error: unknown) => error,
    );
    assert.is((failure as Error).message, "no such thing");
    assert.is((await engine.inspect("probe/P1")).counts.accepted, 1);
  }));

test("a state that was written in another shape is not read: the start ends with what to do, and nothing is changed", () =>
  inTempFolder(async (path) => {
    const config = probeConfig(path);
    const common = { config, env: { PROBE_KEY: "x" }, log: "silent" } as const;
    const before = { ...probes([20, 90]), sinks: { list: () => never } };
    await runToEnd(await openEngine({ ...common, ...before }));
    const others: readonly Partial<EngineOptions>[] = [
      { actors: [{ ...probe, version: 2 }] },
      {
        actors: [
          { ...probe, initial: () => ({ hottestC: 0, list: [], more: 1 }) } as Behaviour<object, ReturnType<typeof probeFeed.message>>,
        ],
      },
      { tables: [{ name: "probe", feed: "probe", columns: { doubled_c: { type: "string" } } }] },
      { actors: [{ ...probe, clocks: [] }] },
    ];
    for (const other of others) {
      const engine = await openEngine({ ...common, ...before, ...other });
      for (const ask of [() => engine.start(), () => engine.drain(), () => engine.inspect("probe/P1")]) {
        const error = await ask().then(
          () => null,
          (failed: unknown) => failed,
        );
        assert.equal([(error as CommandError).code, (error as CommandError).exit], ["CONFIG", 78]);
        assert.match((error as CommandError).message, /of shape .*, and this program reads|of the table probe/);
        assert.match((error as CommandError).hint ?? "", /run the version that wrote it, or give a new --state/);
      }
    }
    const without = await run(["inspect", "SM-N-00042", "--state", join(path, "state")]);
    assert.is(without.code, 78);
    assert.match(without.stderr, /kind probe which this program does not know/);
    const again = await openEngine({ ...common, ...before, ...probes([20, 90, 91]) });
    await runToEnd(again);
    assert.is((await again.inspect("probe/P1")).counts.accepted, 3);
  }));

test("kinds may come to a state", () =>
  inTempFolder(async (path) => {
    const config = probeConfig(path);
    const common = { config, env: { PROBE_KEY: "x" }, log: "silent", sinks: { list: () => never } } as const;
    await runToEnd(await openEngine({ ...common, ...probes([20]) }));
    const extension = probes([20, 90]);
    await runToEnd(await openEngine({ ...common, ...extension, actors: [...extension.actors, { ...probe, kind: "another" }] }));
    const engine = await openEngine({ ...common, ...extension });
    await rejects("CONFIG", () => engine.start());
  }));

// Something to be watched. ----------------------------------------------------------------------------------------------------------------

const probeFeed = feed({
  name: "probe",
  latenessMs: 0,
  fields: { id: text, probe: text, at: instant, temp_c: number() },
  eventTimeMs: (row) => row.at,
  dedupKey: (row) => row.id,
  actors: (row) => [ActorId("probe", row.probe)],
  message: (row) => ({ type: "probed", atMs: row.at, tempC: row.temp_c }) as const,
});

const tooHot: Rule = {
  ...{ id: "probe.too_hot", version: 1, family: "heat", severity: "major", metric: "temp_c", unit: "°C" },
  limits: { limitC: 80 },
};

const probe: Behaviour<{ hottestC: number; list: readonly number[] }, ReturnType<typeof probeFeed.message>> = {
  kind: "probe",
  version: 1,
  initial: () => ({ hottestC: 0, list: [] }),
  receive(state, { atMs, tempC }, out) {
    state.hottestC = Math.max(state.hottestC, tempC);
    const { limitC = 0 } = out.limits("probe.too_hot");
    out.observe("probe.too_hot", { holds: tempC >= limitC, atMs, value: tempC, limit: limitC });
    out.curate("probe", { doubled_c: 2 * tempC });
  },
};

const never: Sink = {
  name: "never",
  write: async () => Mark(""),
  close: async () => {},
};

/** Ends behind the last sample: so does an engine that has no other source. */
function source(temperatures: readonly number[], failure: Error | null = null, heard: (after: string | null) => void = () => {}): Source {
  return {
    id: "probes",
    async *read(after) {
      const from = after.get("all") ?? null;
      heard(from);
      const records = temperatures.map((tempC, n) => {
        const atMs = Date.UTC(2025, 5, 15, 8, n);
        return { at: n, arrivedAtMs: atMs, bytes: Buffer.from(JSON.stringify({ id: `r${n}`, probe: "P1", at: atMs, temp_c: tempC })) };
      });
      const resumeAt = new Map([["all", Position(String(records.length))]]);
      yield { origin: "probes:", path: null, generation: 0, records: records.slice(Number(from ?? 0)), resumeAt, idle: true };
      if (failure !== null) throw failure;
    },
  };
}

function probes(temperatures: readonly number[] = [], heard: (options: object, after: string | null) => void = () => {}) {
  return {
    actors: [probe],
    feeds: [probeFeed],
    rules: [tooHot],
    tables: [{ name: "probe", feed: "probe", columns: { doubled_c: { type: "double" } } }],
    sources: { probes: (options: object) => source(temperatures, null, (after) => heard(options, after)) },
  } as const satisfies Partial<EngineOptions>;
}

function probeConfig(folder: string, more = ""): string {
  const config = join(folder, "gridactor.yaml");
  writeFileSync(
    config,
    `version: 1
sources: { probes: { feed: probe, type: probes, key: "\${env:PROBE_KEY}", every: 3 } }
sinks:
  list: { type: list, stream: alerts, to: me }
${more}`,
  );
  return config;
}

async function runToEnd(engine: Engine): Promise<void> {
  await engine.start();
  await engine.ended;
}

async function taken(events: AsyncIterable<AlertEvent>, count: number): Promise<readonly AlertEvent[]> {
  const found: AlertEvent[] = [];
  for await (const event of events) if (found.push(event) === count) break;
  return found;
}

async function rejects(code: CommandError["code"], ask: () => Promise<unknown>): Promise<void> {
  const error = await ask().then(
    () => null,
    (failed: unknown) => failed,
  );
  assert.is((error as CommandError | null)?.code, code);
}
