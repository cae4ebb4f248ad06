// timeout: 180 s
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { ask } from "../kit/admin_server.ts";
import { alertLines, type GridFolder, gridactor, newGridFolder, type Running, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("changing a running engine");

const HURRY = { "type: landing,": "type: landing, settle: 0s," };
const OF_FILES = 247;

let folder: GridFolder;
let daemon: Running;
let socket: string;
/** Alerts that are open and do not end by themselves: nobody sends records of their day any more. */
let open: readonly AlertEvent[];

test.before(async () => {
  folder = await newGridFolder(undefined, HURRY);
  daemon = gridactor(["run"], folder);
  socket = join(folder.state, "admin.sock");
  await daemon.until(({ stdout, stderr }) => stderr.includes("asked at") && stdout.split("\n").length > OF_FILES);
  const { text } = await ask({ url: null, socket }, "/v1/alerts?status=open&rule=transformer.alarm_code&limit=1000");
  open = (JSON.parse(text) as readonly AlertEvent[]).filter(({ data }) => data.flags.includes("latched"));
});
test.after(async () => {
  daemon.kill("SIGKILL"); // Where a test failed.
  await daemon.ended;
  await removeFolder(folder.path);
});

function alertAt(n: number): string {
  const alertId = open[n]?.data.alertId;
  if (alertId === undefined) throw new Error(`only ${open.length} alerts are latched`);
  return alertId;
}

test("without --write a verb that changes something is a usage error, and names the flag", async () => {
  const { code, stderr } = await run(["ack", alertAt(0)], folder);
  assert.equal([code, stderr.includes(`gridactor ack ${alertAt(0)} --write`)], [2, true], stderr);
});

/** A change over the socket: what the command line does, without its process. */
async function post(path: string, body: object): Promise<{ readonly status: number; readonly value: unknown }> {
  const headers = { "Content-Type": "application/json" };
  const { status, text } = await ask({ url: null, socket }, path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status, value: JSON.parse(text) as unknown };
}

test("an acknowledged alert says so once, however often it is acknowledged", async () => {
  const first = await run(["--json", "ack", alertAt(0), "--write", "--reason-text", "seen at the desk"], folder);
  assert.is(first.code, 0, first.stderr);
  const event = JSON.parse(first.stdout) as AlertEvent;
  assert.equal([event.type, event.data.status, event.data.alertId], ["energy.alert.acknowledged.v1", "acknowledged", alertAt(0)]);
  assert.ok(event.data.evidence[0]?.position.startsWith("command:"), event.data.evidence[0]?.position);
  assert.equal(await post(`/v1/alerts/${alertAt(0)}/ack`, {}), { status: 200, value: event });
});

test("a latched alert ends by --resolve, and is then over", async () => {
  const { status, value } = await post(`/v1/alerts/${alertAt(1)}/ack`, { resolve: true });
  assert.equal([status, (value as AlertEvent).data.status], [200, "cleared"]);
  assert.equal((await post(`/v1/alerts/${alertAt(1)}/ack`, {})).status, 403);
  assert.equal((await post("/v1/alerts/ALR-0000000000000000/ack", {})).status, 404);
});

test("an alert is shelved for some time of its own clock, longer than 8 h only by force", async () => {
  assert.equal((await post(`/v1/alerts/${alertAt(2)}/shelve`, { for: "9h" })).status, 400);
  const { code, stdout } = await run(["--json", "repl", "--write", "-c", `shelve ${alertAt(2)} for 9h force`], folder);
  const event = JSON.parse(stdout) as AlertEvent;
  assert.equal([code, event.type, event.data.status], [0, "energy.alert.shelved.v1", "shelved"]);
});

test("every change is in the audit, with who, what, why and what came of it, and is a line of the log", async () => {
  const { stdout } = await run(["export", "audit", "--to", "-"], folder);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  assert.equal(
    rows.map(({ number, verb, result }) => [number, verb, result]),
    [
      [1, "ack", "done"],
      [2, "ack", "unchanged"],
      [3, "ack", "done"],
      [4, "shelve", "done"],
    ],
  );
  assert.is((await ask({ url: null, socket }, "/v1/export/audit")).text, stdout, "the same over HTTP");
  const csv = await ask({ url: null, socket }, "/v1/export/transformer?format=csv");
  assert.equal([csv.status, csv.headers["content-type"], csv.text.split("\n").length], [200, "text/csv; charset=utf-8", 502]);
  assert.match(csv.text, /^id,kind,status,open_alerts,clock,attributes,latest,rolling,counts\nTRF-/);
  const unknown = await ask({ url: null, socket }, "/v1/export/transformers");
  assert.equal([unknown.status, unknown.text.includes('"candidates":["transformer"]')], [404, true], unknown.text);
  assert.is((await ask({ url: null, socket }, "/v1/export/audit?asOf=2025-01-01")).status, 400);
  assert.is((await ask({ url: null, socket }, "/v1/export/audit?format=parquet")).status, 400);
  assert.is(rows[0]?.["reason"], "seen at the desk");
  assert.ok(typeof rows[0]?.["by"] === "string" && rows[0]["by"] !== "");
  assert.ok(String(rows[3]?.["args"]).includes(alertAt(2)));
  assert.ok(daemon.output().stderr.includes("admin.write"));
});

test("sinks get the events of changes like all others, and a stopped engine is not changed: 69", async () => {
  daemon.kill("SIGINT");
  assert.is((await daemon.ended).code, 0);
  const types = (await alertLines(folder))
    .filter(({ data }) => [0, 1, 2].map(alertAt).includes(data.alertId))
    .map(({ type }) => type.split(".")[2]);
  assert.equal(types.filter((type) => type !== "raised" && type !== "updated").sort(), ["acknowledged", "cleared", "shelved"]);
  const { code, stderr } = await run(["ack", alertAt(2), "--write"], folder);
  assert.equal([code, stderr.includes("gridactor run")], [69, true], stderr);
});
