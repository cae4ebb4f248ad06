// timeout: 400 s
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { QuarantineItem } from "../../admin/quarantine.ts";
import { ask } from "../kit/admin_server.ts";
import { type GridFolder, gridactor, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("quarantine of a running engine");

test("records are taken again or dropped, several with one command, and stay in the list of all", () =>
  inTempFolder(async (path) => {
    const folder = folderWith(path, ["no json 1", "no json 2", "no json 3"]);
    const daemon = gridactor(["run"], folder);
    try {
      const socket = join(folder.state, "admin.sock");
      await daemon.until(({ stdout, stderr }) => (stdout + stderr).includes("stage 2 is read"));
      const list = async (query: string): Promise<readonly QuarantineItem[]> =>
        JSON.parse((await ask({ url: null, socket }, `/v1/quarantine${query}`)).text) as readonly QuarantineItem[];
      const [first, second, third] = await list("");
      const ids = [first?.id ?? "", second?.id ?? ""];
      assert.is((await run(["quarantine", "drop", ...ids], folder)).code, 2, "a change has to be allowed");
      const dropped = await run(["--json", "quarantine", "drop", ...ids, "--write", "--reason-text", "known"], folder);
      assert.is(dropped.code, 0, dropped.stderr);
      const again = await run(["--json", "quarantine", "retry", third?.id ?? "", "--write"], folder);
      const item = JSON.parse(again.stdout) as QuarantineItem;
      assert.equal([again.code, item.attempts, item.status], [0, 2, "open"], "it is as bad as before");
      assert.equal(
        (await list("?all=true")).map(({ id, status }) => [id, status]),
        [
          [first?.id, "dropped"],
          [second?.id, "dropped"],
          [third?.id, "open"],
        ],
      );
      assert.is((await list("")).length, 1);
      assert.is((await run(["quarantine", "drop", ids[0] ?? "", "--write"], folder)).code, 1, "it is settled");
    } finally {
      daemon.kill("SIGINT");
      await daemon.ended;
    }
  }));

function folderWith(path: string, lines: readonly string[]): GridFolder {
  mkdirSync(join(path, "in"));
  writeFileSync(join(path, "in/readings.json"), `${lines.map((line) => `${line}\n`).join("")}`);
  const source = `{ feed: smart_meter, type: landing, location: in, include: ["*.json"], format: jsonl, settle: 0s }`;
  const config = join(path, "gridactor.yaml");
  writeFileSync(config, ["version: 1", "admin: { http: false }", `sources: { meters: ${source} }`].join("\n"));
  return { path, config, state: join(path, "state"), alerts: join(path, "alerts.jsonl"), curated: join(path, "curated") };
}
