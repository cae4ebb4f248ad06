// timeout: 240 s
import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { FileItem } from "../../admin/files.ts";
import { ask } from "../kit/admin_server.ts";
import { DATA, gridactor, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("files of a running engine");
const LOGS = "maintenance_logs_2025_04.csv";

/** The file, as soon as it is in this state. */
async function fileIn(socket: string, state: FileItem["state"]): Promise<FileItem> {
  for (;;) {
    const { text } = await ask({ url: null, socket }, "/v1/files?source=logs");
    const [item] = JSON.parse(text) as readonly FileItem[];
    if (item?.state === state) return item;
  }
}

test("files are listed with what has become of them, and one in quarantine is read again when somebody asks for it, with a reason", async () => {
  const path = await newTempFolder();
  const landing = join(path, "landing");
  await mkdir(landing);
  await copyFile(join(DATA, "maintenance_csv", LOGS), join(landing, LOGS));
  const source = `{ feed: maintenance, type: landing, location: ${landing}, include: ["*.csv"], format: csv, settle: 0s, poll: 1s, onOverwrite: quarantine }`;
  const config = join(path, "gridactor.yaml");
  await writeFile(config, `version: 1\nname: main\nstate: ./state\nadmin: { http: false }\nsources:\n  logs: ${source}\n`);
  const folder = { path, config, state: join(path, "state"), alerts: "", curated: "" };
  const socket = join(folder.state, "admin.sock");
  const daemon = gridactor(["run"], folder);
  try {
    await daemon.until(({ stderr }) => stderr.includes("asked at"));
    const first = await fileIn(socket, "committed");
    assert.equal([first.source, first.path, first.rows, first.faults], ["logs", LOGS, 150, 0]);

    const [header, ...rows] = (await readFile(join(landing, LOGS), "utf8")).trimEnd().split("\n");
    await writeFile(join(landing, ".new"), [header, ...rows.toReversed(), ""].join("\n"));
    await rename(join(landing, ".new"), join(landing, LOGS));
    assert.is((await fileIn(socket, "quarantined")).error, "overwritten_file");
    const listed = await run(["--json", "files", "--status", "quarantined"], folder);
    assert.equal(
      (JSON.parse(listed.stdout) as readonly FileItem[]).map(({ state }) => state),
      ["quarantined"],
    );

    assert.is((await run(["files", "retry", LOGS], folder)).code, 2, "without --write");
    assert.is((await run(["files", "retry", "no.csv", "--write"], folder)).code, 4);
    const retried = await run(["--json", "files", "retry", LOGS, "--write", "--reason-text", "it was meant"], folder);
    assert.is(retried.code, 0, retried.stderr);
    const read = await fileIn(socket, "committed");
    assert.equal([read.rows, read.faults], [150, 0]);
    const quarantine = await run(["--json", "quarantine", "ls"], folder);
    assert.equal(JSON.parse(quarantine.stdout), [], "its refusal is settled");

    const refused = await run(["accept-gap", "logs", "--write"], folder);
    assert.equal([refused.code, refused.stderr.includes("no partition of logs has stopped at a gap")], [1, true]);
    assert.equal(JSON.parse((await run(["--json", "gaps"], folder)).stdout), []);
  } finally {
    daemon.kill("SIGINT");
    await daemon.ended;
    await removeFolder(path);
  }
});
