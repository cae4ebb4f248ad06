// timeout: 180 s
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readers } from "../../admin/readers.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { ask, opened } from "../kit/admin_server.ts";
import { failureOf } from "../kit/failure.ts";
import { type GridFolder, gridactor, gridConfig, newGridFolder, ROOT, type Running, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("asking a running engine");

const HURRY = { "rate: 3,": "rate: 50,", "rate: 1,": "rate: 50,", "type: landing,": "type: landing, settle: 0s," };
/** Alert events of the committed data. */
const OF_FILES = 247;

let folder: GridFolder;
let daemon: Running;
let url: string;
test.before(async () => {
  folder = await newGridFolder(undefined, HURRY);
  daemon = gridactor(["run"], folder);
  await daemon.until(({ stdout, stderr }) => stderr.includes("asked at") && stdout.split("\n").length > OF_FILES);
  url = /asked at (\S+)/.exec(daemon.output().stderr)?.[1] ?? "";
});
test.after(async () => {
  daemon.kill("SIGKILL"); // Where a test failed.
  await daemon.ended;
  await removeFolder(folder.path);
});

/** The answer; asked again while the machine is too busy for one in time. */
async function answered(path: string): Promise<unknown> {
  for (let tries = 1; ; tries += 1) {
    const { status, text } = await ask({ url, socket: "" }, path);
    if (status === 200) return JSON.parse(text);
    if (status !== 503 || tries === 20) throw new Error(`${path}: ${status} ${text}`);
  }
}

test("actors answer from memory, lists from the state directory, and both know the same", async () => {
  const one = (await answered("/v1/actors/TRF-N-0034")) as { id: string; links: { substation: string } };
  assert.equal([one.id, one.links.substation], ["TRF-N-0034", "substation/SUB-N-012"]);
  assert.is(((await answered("/v1/actors/TRF-N-0034/history")) as unknown[]).length, 2);
  assert.is(((await answered("/v1/count")) as { meter: number }).meter, 1_000);
  const listed = (await answered("/v1/actors?kind=transformer&prefix=trf-n-0034")) as { id: string }[];
  assert.equal(
    listed.map(({ id }) => id),
    ["TRF-N-0034"],
  );
  const { children } = (await answered("/v1/actors/SUB-N-012/tree?depth=1")) as { children: { id: string }[] };
  assert.ok(children.some(({ id }) => id === "TRF-N-0034"));
  const { status, text } = await ask({ url, socket: "" }, "/v1/actors/TRF-N-034");
  assert.equal([status, text.includes('"TRF-N-0034"')], [404, true]);
});

test("alerts stream on while they come", async () => {
  const { sent, response } = await opened({ url, socket: "" }, "/v1/alerts/stream?from=1", { headers: { Accept: "application/x-ndjson" } });
  let lines: readonly string[] = [];
  let text = "";
  for await (const piece of response.setEncoding("utf8")) {
    text += piece;
    lines = text.split("\n").slice(0, -1);
    if (lines.length > OF_FILES + 5) break;
  }
  sent.destroy();
  const sequences = lines.map((line) => (JSON.parse(line) as AlertEvent).sequence);
  assert.equal(sequences, [...new Set(sequences)].sort());
});

test("it is ready, and measured", async () => {
  assert.is((await ask({ url, socket: "" }, "/readyz")).text, "ok\n");
  const { text } = await ask({ url, socket: "" }, "/metrics");
  for (const line of [
    'gridactor_actors{kind="meter"} 1000',
    'gridactor_records_read_total{feed="smart_meter",source="meters"} 500',
    'gridactor_alert_events_total{rule="meter.tampered",severity="major",type="raised"}',
    "gridactor_turn_seconds_bucket",
    "gridactor_log_sequence ",
    'gridactor_sink_sequence{sink="alerts_file"}',
    'gridactor_feed_clock_timestamp_seconds{feed="smart_meter"}',
  ]) {
    assert.ok(text.includes(line), line);
  }
  assert.not.match(text, /SM-N-|ALR-|CUST-/);
});

test("a token is made that only its owner can read; the socket asks for none", async () => {
  const path = join(folder.state, "admin.token");
  assert.equal([statSync(path).mode & 0o777, readFileSync(path, "utf8").trim().length], [0o600, 43]);
  const socket = join(folder.state, "admin.sock");
  assert.is(statSync(socket).mode & 0o777, 0o600);
  assert.is((await ask({ url: null, socket }, "/v1/config")).status, 200);
});

test("the REPL asks the daemon, line by line", async () => {
  const { code, stdout, stderr } = await repl([
    "inspect TRF-N-0034 | json",
    "history TRF-N-0034 | count",
    "inspcet TRF-N-0034",
    "inspect TRF-N-034",
  ]);
  assert.is(code, 4, stderr);
  const [inspection = "", versions] = stdout.split("\n");
  assert.equal([(JSON.parse(inspection) as { kind: string }).kind, versions], ["transformer", "2"]);
  assert.match(stderr, /Did you mean "inspect"\?[\s\S]*Did you mean "TRF-N-0034"/);
  const once = await run(["repl", "-c", "count by kind | json", "-c", "nonsense", "-c", "count", "--bail"], folder);
  assert.equal([once.code, (JSON.parse(once.stdout) as { plant: number }).plant], [2, 90]);
});

test("while the configuration is broken the daemon that runs answers by the one it has, and that is said", async () => {
  const whole = readFileSync(folder.config, "utf8");
  writeFileSync(folder.config, `${whole}nonsense: true\n`);
  try {
    const { code, stdout, stderr } = await run(["count", "--json"], folder);
    assert.equal(
      [code, (JSON.parse(stdout) as { plant: number }).plant, stderr.includes("the running daemon answers")],
      [0, 90, true],
      stderr,
    );
  } finally {
    writeFileSync(folder.config, whole);
  }
});

test("stopping closes the door, and the same is then read from the state directory", async () => {
  daemon.kill("SIGINT");
  assert.is((await daemon.ended).code, 0, daemon.output().stderr);
  assert.not.ok(existsSync(join(folder.state, "admin.sock")));
  const { code, stdout } = await repl(["history TRF-N-0034 | count", "ls transformer TRF-N-0034 | json"]);
  assert.is(code, 0);
  const [versions, listed = ""] = stdout.split("\n");
  assert.equal([versions, (JSON.parse(listed) as { id: string }[])[0]?.id], ["2", "TRF-N-0034"]);
});

test("a question that takes too long is ended with its process, and the next one gets a new one", async () => {
  const config = gridConfig(folder);
  const hurried = readers(config, 1);
  const patient = readers(config, 60_000);
  const never = new AbortController().signal;
  try {
    assert.is((await failureOf(hurried.ask("digest", {}, never))).code, "RETRY");
    assert.match(String((await patient.ask("digest", {}, never)).value), /^[0-9a-f]{32}$/);
    assert.is((await failureOf(patient.ask("count", { by: "nothing" }, never))).code, "USAGE");
    const stop = new AbortController();
    const cancelled = failureOf(patient.ask("digest", {}, stop.signal));
    const next = patient.ask("count", {}, never);
    stop.abort();
    assert.is((await cancelled).code, "RETRY");
    assert.is(((await next).value as { meter: number }).meter, 1_000);
  } finally {
    hurried.close();
    patient.close();
  }
});

/** Runs the REPL with lines as its standard input. */
async function repl(lines: readonly string[]): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, ["--import", import.meta.resolve("tsx"), join(ROOT, "main.ts"), "--config", folder.config, "repl"]);
  const seen = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    seen.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    seen.stderr += text;
  });
  child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  const [code] = await once(child, "close");
  return { code, ...seen };
}
