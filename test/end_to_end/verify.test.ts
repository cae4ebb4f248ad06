// timeout: 120 s
import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { openLog } from "../../admin/log.ts";
import type { View } from "../../admin/reader.ts";
import type { Problem } from "../../admin/verify.ts";
import { episodeProblems, outputProblems } from "../../admin/verify_outputs.ts";
import { domainOf } from "../../compose.ts";
import { drainRun } from "../../daemon.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { type GridFolder, gridConfig, inGridFolder } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const test = suite("verifying what a drain has written");

/** Does `body` with the state of a drained folder, which it only looks at. */
function drained(body: (folder: GridFolder, view: View, outputs: () => Promise<readonly Problem[]>) => Promise<void>): Promise<void> {
  return inGridFolder(async (folder) => {
    const config = gridConfig(folder);
    const log = openLog({ level: "error", screen: null, output: { write: () => {}, flushSync: () => {} } });
    await drainRun({ config, log, screen: null, say: () => {} }, new AbortController().signal);
    log.close();
    const store = await openLmdbStore({ dir: folder.state, limits: config.limits, readOnly: true });
    const domain = domainOf(config);
    const view: View = { store, domain, decode: emissionDecoder(config.name, domain.tables) };
    try {
      await body(folder, view, () => outputProblems(view, config.sinks));
    } finally {
      await store.close();
    }
  });
}

const told = (problems: readonly Problem[]): readonly string[] => problems.map(({ code, detail }) => `${code} ${detail}`);

test("files are held against the cursors of their sinks, and alerts against the way that an alert goes", () =>
  drained(async ({ alerts, curated }, view, outputs) => {
    assert.equal([await outputs(), await episodeProblems(view)], [[], []]);
    const whole = readFileSync(alerts);
    const lines = whole.toString().split("\n");
    writeFileSync(alerts, `${whole}{"half`);
    assert.equal(await outputs(), [], "what lies beyond the settled length is cut at the next start");
    truncateSync(alerts, whole.length - 1);
    assert.equal(told(await outputs()), [`sink_file has ${whole.length - 1} bytes of ${whole.length} that were settled`]);
    const other = lines.toSpliced(3, 2, lines[4] ?? "", lines[3] ?? "");
    writeFileSync(alerts, other.join("\n"));
    assert.match(told(await outputs())[0] ?? "", /^sink_file event \d+ stands behind \d+$/);
    const padded = lines.toSpliced(3, 1, "").join("\n");
    writeFileSync(alerts, padded.padEnd(whole.length, " "));
    assert.match(told(await outputs())[0] ?? "", /^sink_file 4 lines of it cannot all be read as events$/);
    writeFileSync(alerts, whole);

    const table = join(curated, "meter_readings");
    const date = readdirSync(table).find((name) => name.startsWith("date=")) ?? "";
    const [part = ""] = readdirSync(join(table, date)).filter((name) => name.endsWith(".parquet"));
    const path = join(table, date, part);
    renameSync(path, `${path}.aside`);
    assert.equal(told(await outputs()), ["sink_file is not there"]);
    renameSync(`${path}.aside`, path);
    const bytes = readFileSync(path);
    truncateSync(path, bytes.length - 1);
    assert.equal(told(await outputs()), [`sink_file has ${bytes.length - 1} bytes, listed with ${bytes.length}`]);
    writeFileSync(path, bytes);
    renameSync(join(table, "_delta_log"), join(table, "_log"));
    assert.match(told(await outputs())[0] ?? "", /is not there/);
  }));

test("an alert whose events do not follow each other is told", () =>
  drained(async (_folder, view) => {
    let events = 0;
    const decode: View["decode"] = (stream, entry) => {
      const emission = view.decode(stream, entry);
      if (emission.stream !== "alerts") return emission;
      events += 1;
      const { event } = emission;
      if (events === 1) return { ...emission, event: { ...event, id: `${event.data.alertId}/2` } };
      return events === 2 ? { ...emission, event: { ...event, type: "energy.alert.updated.v1" } } : emission;
    };
    const problems = await episodeProblems({ ...view, decode });
    assert.ok(told(problems).includes("episode_path begins as revision 2, raised"), told(problems).join("\n"));
    assert.ok(told(problems).includes("episode_path begins as revision 1, updated"), told(problems).join("\n"));
  }));
