// timeout: 300 s
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { Summary } from "../../admin/summary.ts";
import { readingLine } from "../../bench/readings.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { decodeQuarantine, type QuarantineRow } from "../../engine/quarantine.ts";
import { DATA, type GridFolder, newGridFolder, ROOT } from "../kit/grid_folder.ts";
import { tool } from "../kit/package_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("crash loop");

const READINGS = 400;
const POISON_AT = 123;
const SIGN = "66613";

let data: string;
test.before(async () => {
  data = await newTempFolder();
  for (const { name } of readdirSync(DATA, { withFileTypes: true }).filter((one) => one.isDirectory())) mkdirSync(join(data, name));
  const lines = Array.from({ length: READINGS }, (_, n) => readingLine(n, 20));
  lines[POISON_AT] = JSON.stringify({ ...JSON.parse(lines[POISON_AT] ?? ""), meter_id: `SM-N-${SIGN}` });
  writeFileSync(join(data, "smart_meter_kafka/smart_meter_stream.json"), `${lines.join("\n")}\n`);
});
test.after(() => removeFolder(data));

test("a record that kills the process three times stands in quarantine after the fourth start, and everything else is applied", async () => {
  await inFolder(async (folder) => {
    for (let start = 1; start <= 3; start += 1) assert.is((await drained(folder)).code, null, `start ${start}`);
    const { code, stdout, stderr } = await drained(folder);
    assert.is(code, 0, stderr);
    assert.match(stderr, /"engine.died".*goes to quarantine/);
    const { smart_meter } = (JSON.parse(stdout) as Summary).feeds;
    assert.equal([smart_meter?.read, smart_meter?.accepted, smart_meter?.quarantined], [READINGS, READINGS - 1, 1]);
    const [row, ...more] = await quarantined(folder);
    assert.equal([row?.reason, more.length], ["crash_loop", 0]);
    assert.match(row?.position ?? "", new RegExp(`^file:[0-9a-f]+/${POISON_AT}$`));
    assert.match(Buffer.from(row?.bytes ?? []).toString(), new RegExp(SIGN));
    const again = await drained(folder);
    assert.is(again.code, 0, again.stderr);
  });
});

test("control: without what was noted in the lives before it the process never gets past the record", async () => {
  await inFolder(async (folder) => {
    for (let start = 1; start <= 4; start += 1) {
      assert.is((await drained(folder)).code, null, `start ${start}`);
      rmSync(join(folder.state, "at_work"));
    }
  });
});

function drained({ config, state, path }: GridFolder): ReturnType<typeof tool> {
  const child = join(ROOT, "test/kit/poison_child.ts");
  return tool(process.execPath, ["--import", import.meta.resolve("tsx"), child, config, state, SIGN], path);
}

async function quarantined({ state }: GridFolder): Promise<readonly QuarantineRow[]> {
  const store = await openLmdbStore({ dir: state, limits: DEFAULT_LIMITS, readOnly: true });
  try {
    return [...store.range("quarantine", "")].map(([, bytes]) => decodeQuarantine(bytes));
  } finally {
    await store.close();
  }
}

async function inFolder(body: (folder: GridFolder) => Promise<void>): Promise<void> {
  const folder = await newGridFolder(data);
  try {
    await body(folder);
  } finally {
    await removeFolder(folder.path);
  }
}
