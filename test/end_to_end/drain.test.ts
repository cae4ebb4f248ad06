// timeout: 120 s
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { EXACT_RULES } from "../../actors/labels.ts";
import { history } from "../../admin/history.ts";
import type { View } from "../../admin/reader.ts";
import { type Score, score } from "../../admin/score.ts";
import type { Summary } from "../../admin/summary.ts";
import { domainOf } from "../../compose.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { kindOf } from "../../engine/ids.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { alertLines, DATA, type GridFolder, gridConfig, newGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("drain of the committed data");

const READ = {
  smart_meter: 500,
  substation_telemetry: 300,
  billing: 400,
  maintenance: 450,
  transformer_master: 530,
  customer_master: 1_000,
  renewable: 450,
};

interface Versions {
  readonly all: number;
  readonly current: number;
}

let folder: GridFolder;
const drains: Summary[] = [];
const versions: Versions[] = [];

test.before(async () => {
  folder = await newGridFolder();
  for (let n = 0; n < 4; n += 1) {
    const { code, stdout, stderr } = await run(["run", "--drain", "--json"], folder);
    assert.is(code, 0, stderr);
    drains.push(JSON.parse(stdout) as Summary);
    versions.push(await reading((view) => transformerVersions(view)));
  }
});
test.after(() => removeFolder(folder.path));

test("every record of the seven feeds is read once and accepted", () => {
  const expected = Object.entries(READ).map(([feed, read]) => [feed, { read, accepted: read, duplicates: 0, late: 0, quarantined: 0 }]);
  assert.equal(first().feeds, Object.fromEntries(expected));
});

test("every actor that the data speak of is there", () => {
  assert.equal(first().actors, { meter: 1_000, customer: 1_000, bill: 240, transformer: 500, substation: 250, plant: 90, region: 5 });
});

test("530 records are 530 versions of transformers, 500 of them current, however often they are drained", () => {
  assert.equal(versions, Array(4).fill({ all: 530, current: 500 }));
});

test("a drain of what has been read reads and writes nothing, and leaves the digest", () => {
  const nothing = { read: 0, accepted: 0, duplicates: 0, late: 0, quarantined: 0 };
  for (const again of drains.slice(1)) {
    assert.equal(again.feeds, Object.fromEntries(Object.keys(READ).map((feed) => [feed, nothing])));
    assert.equal(again.curated, {});
    assert.is(again.digest, first().digest);
    assert.equal([again.actors, again.alerts], [first().actors, first().alerts]);
  }
});

test("every alert event is one line, and every alert is raised once", async () => {
  const events = await alertLines(folder);
  const raised = events.filter(({ type }) => type === "energy.alert.raised.v1");
  assert.is(new Set(events.map(({ id }) => id)).size, events.length);
  assert.is(new Set(raised.map(({ data }) => data.alertId)).size, raised.length);
  const byRule = Object.fromEntries(
    Object.keys(first().alerts).map((rule) => [rule, raised.filter(({ data }) => data.rule === rule).length]),
  );
  assert.equal(byRule, first().alerts);
  assert.is(events.length, first().curated["alerts"]);
});

test("alerts are written in order of their sequence", async () => {
  const sequences = (await alertLines(folder)).map(({ sequence }) => sequence);
  assert.equal(sequences, [...sequences].sort());
});

test("each curated table lists as many rows as were counted, each row once", async () => {
  const tables = (await readdir(folder.curated)).sort();
  assert.equal(tables, Object.keys(first().curated).sort());
  for (const table of tables) {
    const rows = await deltaRows(join(folder.curated, table));
    assert.is(rows.length, first().curated[table], table);
    assert.is(new Set(rows.map((row) => row["_row_id"])).size, rows.length, table);
  }
});

test("every rule that must be exact finds all that was injected and nothing else", async () => {
  const { rules, passed } = await reading((view): Promise<Score> => score(view, join(DATA, "truth")));
  assert.ok(passed);
  for (const rule of EXACT_RULES) {
    const { injected, precision, recall } = rules[rule] ?? { injected: 0, precision: null, recall: null };
    assert.ok(injected > 0, rule);
    assert.equal([precision, recall], [1, 1], rule);
  }
});

function first(): Summary {
  return drains[0] as Summary;
}

async function reading<T>(ask: (view: View) => T | Promise<T>): Promise<T> {
  const config = gridConfig(folder);
  const store = await openLmdbStore({ dir: config.stateDir, limits: config.limits, readOnly: true });
  try {
    const domain = domainOf(config);
    return await ask({ store, domain, decode: emissionDecoder(config.name, domain.tables) });
  } finally {
    await store.close();
  }
}

function transformerVersions(view: View): Versions {
  const transformers = [...view.store.actors()].map(([id]) => id).filter((id) => kindOf(id) === "transformer");
  const rows = transformers.flatMap((id) => history(view, id));
  return { all: rows.length, current: rows.filter(({ isCurrent }) => isCurrent).length };
}
