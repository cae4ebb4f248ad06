// timeout: 300 s
import { readFileSync, writeFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { type AuditRow, auditRows } from "../../engine/command.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { type GridFolder, gridactor, newGridFolder, type Running, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("reload");

const HURRY = { "rate: 3,": "rate: 50,", "type: landing,": "type: landing, settle: 0s,", "reads: open": "reads: open, hosts: []" };
const SPIKE = "meter.spike: { limitKwh: 50, enabled: true, overrides: [] }";

let folder: GridFolder;
let child: Running | null = null;
test.before(async () => {
  folder = await newGridFolder(undefined, HURRY);
});
test.after(async () => {
  child?.kill("SIGKILL"); // Where a test failed.
  await removeFolder(folder.path);
});

test("SIGHUP takes over rules; an invalid configuration changes nothing, and the log says where; what else has changed waits for the next start", async () => {
  const engine = gridactor(["run"], folder);
  child = engine;
  await engine.until(({ stderr }) => stderr.includes('"event":"engine.ready"'));
  change(SPIKE, "meter.spike: { limitKwhs: 5 }");
  engine.kill("SIGHUP");
  await engine.until(({ stderr }) => stderr.includes('"event":"config.refused"'));
  const refused = lines(engine).find(({ event }) => event === "config.refused");
  assert.match(refused?.msg ?? "", /gridactor\.yaml:\d+:\d+: the rule meter\.spike has no limit "limitKwhs"/);

  change("meter.spike: { limitKwhs: 5 }", "meter.spike: { limitKwh: 5 }");
  engine.kill("SIGHUP");
  await engine.until(({ stderr }) => stderr.includes('"event":"config.reloaded"'));
  await engine.until(({ stdout }) => / kWh, limit 5 /.test(stdout));
  change("records: 5000", "records: 4000");
  engine.kill("SIGHUP");
  await engine.until(() => reloads(engine).length === 2);
  assert.match(reloads(engine)[1]?.msg ?? "", /rules are as before; for .*batch.* start it again/);
  engine.kill("SIGTERM");
  assert.is((await engine.ended).code, 0);
  assert.equal(
    (await audited()).map(({ verb, by, result, reason }) => [verb, by, result, reason]),
    [
      ["rules", "configuration", "done", "the configuration was reloaded"],
      ["rules", "configuration", "unchanged", "the configuration was reloaded"],
    ],
  );
});

test("a start with other rules than the state was written with is recorded before the first record", async () => {
  const before = await audited();
  change("meter.spike: { limitKwh: 5 }", SPIKE);
  const { code, stderr } = await run(["run", "--drain", "--quiet"], folder);
  assert.is(code, 0, stderr);
  const after = await audited();
  assert.equal(
    after.slice(before.length).map(({ verb, reason }) => [verb, reason]),
    [["rules", "the configuration had changed at the start"]],
  );
  await run(["run", "--drain", "--quiet"], folder);
  assert.is((await audited()).length, after.length, "the same rules are no news");
});

function change(from: string, to: string): void {
  const text = readFileSync(folder.config, "utf8");
  assert.ok(text.includes(from), from);
  writeFileSync(folder.config, text.replace(from, to));
}

function lines({ output }: Running): readonly { readonly event: string; readonly msg: string }[] {
  return output()
    .stderr.split("\n")
    .slice(0, -1) // The last one may be under way.
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

async function audited(): Promise<readonly AuditRow[]> {
  const store = await openLmdbStore({ dir: folder.state, limits: DEFAULT_LIMITS, readOnly: true });
  try {
    return [...auditRows(store)];
  } finally {
    await store.close();
  }
}

function reloads(engine: Running): readonly { readonly msg: string }[] {
  return lines(engine).filter(({ event }) => event === "config.reloaded");
}
