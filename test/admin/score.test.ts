import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { type ScoreQuery, score, scoreText } from "../../admin/score.ts";
import { failureOf } from "../kit/failure.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";
import { type TinyEngine, tinyEngine } from "../kit/tiny_grid.ts";

const test = suite("score");

const read = (id: string, kwh: number, timestamp = "2025-06-15T16:00:00Z") => ({
  event_id: id,
  meter_id: `SM-${id}`,
  timestamp,
  reading_kwh: kwh,
});
const METERS: ScoreQuery = { rules: "meter.near_zero,meter.spike" };

/** Scores against labels given as lines per set. */
async function scored(engine: TinyEngine, truth: Readonly<Record<string, readonly (object | string)[]>>, query: ScoreQuery) {
  let result: Awaited<ReturnType<typeof score>> | null = null;
  await inTempFolder(async (folder) => {
    await write(folder, truth);
    result = await score(engine, folder, query);
  });
  if (result === null) throw new Error("unreachable");
  return result as Awaited<ReturnType<typeof score>>;
}

async function write(folder: string, truth: Readonly<Record<string, readonly (object | string)[]>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "manifest.json"), "{}\n");
  for (const [set, lines] of Object.entries(truth)) {
    const text = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
    await writeFile(join(folder, `${set}.jsonl`), text);
  }
}

test("labels that are all found and nothing else give precision and recall 1", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 0.001), read("b", 0.05), read("c", 50), read("d", 0), read("e", 0.051), read("f", 49.9)]);
  const truth = {
    smart_meter: [
      { id: "a", label: "theft" },
      { id: "b", label: "theft" },
      { id: "c", label: "spike" },
      { id: "c", label: "tampered" },
    ],
    maintenance: [],
  };
  const { rules, passed } = await scored(engine, truth, METERS);
  assert.is(
    JSON.stringify(rules["meter.near_zero"]),
    '{"injected":2,"found":2,"missed":0,"false":0,"repeat":null,"indeterminate":0,"precision":1,"recall":1,"delayP50":null,"missedIds":[],"falseIds":[]}',
  );
  assert.equal([rules["meter.spike"]?.found, passed], [1, true]);
});

test("what is missed and what is false is counted and named, and fails the run", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 0.01), read("b", 5), read("c", 70)]);
  const { rules, passed } = await scored(
    engine,
    {
      smart_meter: [
        { id: "a", label: "theft" },
        { id: "b", label: "theft" },
      ],
    },
    METERS,
  );
  const nearZero = rules["meter.near_zero"];
  assert.equal([nearZero?.injected, nearZero?.found, nearZero?.missed, nearZero?.recall, nearZero?.missedIds], [2, 1, 1, 0.5, ["b"]]);
  const spike = rules["meter.spike"];
  assert.equal([spike?.injected, spike?.false, spike?.precision, spike?.recall, spike?.falseIds], [0, 1, 0, null, ["c"]]);
  assert.is(passed, false);
});

test("either a miss or a false hit alone fails the run", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 5), read("b", 70)]);
  const spikes = { rules: "meter.spike" };
  assert.is((await scored(engine, { smart_meter: [{ id: "b", label: "spike" }] }, spikes)).passed, true);
  assert.is((await scored(engine, { smart_meter: ["a", "b"].map((id) => ({ id, label: "spike" })) }, spikes)).passed, false);
  assert.is((await scored(engine, { smart_meter: [] }, spikes)).passed, false);
});

test("a repeated record counts once, and a late one counts", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 70), read("a", 70), { ...read("b", 5), meter_id: "SM-1" }]);
  await engine.take("smart_meter", [{ ...read("c", 80, "2025-06-15T10:00:00Z"), meter_id: "SM-1" }]);
  const labels = [
    { id: "a", label: "spike" },
    { id: "c", label: "spike" },
  ];
  const { rules } = await scored(engine, { smart_meter: labels }, { rules: "meter.spike" });
  assert.equal([rules["meter.spike"]?.injected, rules["meter.spike"]?.found], [2, 2]);
});

test("only records of the time that is asked for count, on both sides", async () => {
  const engine = tinyEngine();
  const late = read("live", 70, "2025-06-16T00:00:00Z");
  await engine.take("smart_meter", [read("a", 70), read("b", 5, "2025-06-16T01:00:00Z"), late]);
  const truth = {
    smart_meter: [
      { id: "a", label: "spike" },
      { id: "b", label: "spike" },
    ],
  };
  const until = await scored(engine, truth, { rules: "meter.spike", until: "2025-06-16T00:00:00Z" });
  assert.equal([until.rules["meter.spike"]?.injected, until.rules["meter.spike"]?.false, until.passed], [1, 0, true]);
  const since = await scored(engine, truth, { rules: "meter.spike", since: "2025-06-16T00:00:00Z" });
  assert.equal([since.rules["meter.spike"]?.injected, since.rules["meter.spike"]?.missed, since.rules["meter.spike"]?.false], [1, 1, 1]);
});

test("a change of a bill is named by transaction, positions and operation, in any spelling; a fraud's price is neither found nor false", async () => {
  const engine = tinyEngine();
  const change = {
    transaction_id: "TXN-00000001",
    __$operation: 2,
    __$start_lsn: "0000000a3b5c0010",
    __$seqval: "0b4c6d0008",
    customer_id: "CUST-000123",
    base_amount: 12.5,
    cdc_timestamp: "2025-06-15T10:00:00Z",
  };
  await engine.take("billing", [change, { ...change, transaction_id: "TXN-00000002", base_amount: 900 }]);
  const labels = [{ id: "TXN-00000001@0x0A3B5C0010/0x0B4C6D0008/2", label: "fraud" }];
  const { rules, passed } = await scored(engine, { billing: labels }, { rules: "billing.tiny_amount,billing.unit_price" });
  assert.equal([rules["billing.tiny_amount"]?.found, rules["billing.tiny_amount"]?.false], [1, 0]);
  assert.equal([rules["billing.unit_price"]?.injected, rules["billing.unit_price"]?.found, rules["billing.unit_price"]?.false], [0, 0, 0]);
  assert.is(passed, true);
  const mismatch = await scored(
    engine,
    { billing: [{ ...labels[0], label: "ratio_mismatch" }] },
    { rules: "billing.tiny_amount,billing.unit_price" },
  );
  assert.equal([mismatch.rules["billing.unit_price"]?.found, mismatch.rules["billing.tiny_amount"]?.false, mismatch.passed], [1, 1, false]);
});

test("a changed transformer must have a new version that differs in the named columns and no others", async () => {
  const engine = tinyEngine();
  const first = { status: "ACTIVE", health_index_score: 80, record_effective_date: "2024-01-01" };
  const ids = ["TRF-1", "TRF-2", "TRF-3", "TRF-4"];
  await engine.take(
    "transformer_master",
    ids.map((transformer_id) => ({ ...first, transformer_id })),
  );
  const changed = { ...first, health_index_score: 60, record_effective_date: "2025-06-01" };
  await engine.take(
    "transformer_master",
    ["TRF-1", "TRF-2", "TRF-4"].map((transformer_id) => ({ ...changed, transformer_id })),
  );
  const labels = [
    { id: "TRF-1", label: "changed", columns: ["health_index_score"] },
    { id: "TRF-2", label: "changed", columns: ["health_index_score", "status"] },
    { id: "TRF-3", label: "changed", columns: ["status"] },
  ];
  const version = async (query: ScoreQuery) =>
    (await scored(engine, { transformer_master: labels }, { rules: "transformer.version", ...query })).rules["transformer.version"];
  const all = await version({});
  assert.equal([all?.injected, all?.found, all?.missedIds, all?.falseIds], [3, 1, ["TRF-2", "TRF-3"], ["TRF-4"]]);
  const before = await version({ until: "2025-05-01" });
  assert.equal([before?.injected, before?.false], [1, 0], "TRF-3 has no version of any time");
});

test("truth that is not understood, or names what the log does not hold, ends with code 4", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 70)]);
  const label = { id: "a", label: "spike" };
  const faults: readonly (readonly [string, Readonly<Record<string, readonly (object | string)[]>>])[] = [
    ["an unknown record", { smart_meter: [label, { id: "z", label: "spike" }] }],
    ["an unknown label", { smart_meter: [{ id: "a", label: "theif" }] }],
    ["no JSON", { smart_meter: [label, '{"id":"a"'] }],
    ["an empty line", { smart_meter: [label, "", label] }],
    ["no object", { smart_meter: ["[]"] }],
    ["no id", { smart_meter: [{ label: "spike" }] }],
    ["a number as id", { smart_meter: [{ id: 1, label: "spike" }] }],
    ["an unknown key", { smart_meter: [{ ...label, note: "" }] }],
    ["columns that are no list", { smart_meter: [{ ...label, columns: "status" }] }],
    ["a label twice", { smart_meter: [label, label] }],
    ["a set that nothing is known about", { smart_meter: [label], weather: [] }],
    ["no file for a set", { billing: [] }],
  ];
  for (const [what, truth] of faults) {
    const failed = await failureOf(scored(engine, truth, METERS));
    assert.equal([failed.code, failed.exit], ["NOT_FOUND", 4], what);
  }
  assert.is((await failureOf(score(engine, "/nowhere/truth", METERS))).exit, 4);
});

test("a rule that no label speaks of ends with code 4", async () => {
  const failed = await failureOf(score(tinyEngine(), "/nowhere", { rules: "meter.spke" }));
  assert.equal([failed.exit, failed.candidates], [4, ["meter.spike"]]);
});

test("the table has a dash where there is nothing to say", async () => {
  const engine = tinyEngine();
  await engine.take("smart_meter", [read("a", 0.01), read("b", 5)]);
  const labels = ["a", "b"].map((id) => ({ id, label: "theft" }));
  assert.is(
    scoreText(await scored(engine, { smart_meter: labels }, METERS)),
    [
      "rule             injected  found  missed  false  repeat  indeterminate  precision  recall  delay p50",
      "meter.near_zero         2      1       1      0       –              0      1.000   0.500          –",
      "meter.spike             0      0       0      0       –              0          –       –          –",
      "meter.near_zero missed: b",
      "not passed: precision and recall must be 1.000",
      "",
    ].join("\n"),
  );
});
