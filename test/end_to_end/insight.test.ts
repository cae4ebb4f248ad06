// timeout: 240 s
import * as assert from "uvu/assert";
import { type GridFolder, gridactor, newGridFolder, type Running, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("why, how far, and what if");

/** Live streams in a hurry, and files that are taken at once. */
const HURRY = { "rate: 3,": "rate: 100,", "type: landing,": "type: landing, settle: 0s," };

let folder: GridFolder;
const started: Running[] = [];
test.before(async () => {
  folder = await newGridFolder(undefined, HURRY);
});
test.after(async () => {
  for (const child of started) child.kill("SIGKILL"); // Where a test failed.
  await removeFolder(folder.path);
});

async function asked(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await run([...args, "--json"], folder);
  assert.is(code, 0, `${args.join(" ")}: ${stderr}`);
  return JSON.parse(stdout);
}

test("a running engine tells its lag, its progress, its messages and its alerts as they come; Ctrl-C says how to go on", async () => {
  const engine = start("run");
  await engine.until(({ stdout }) => stdout.split("\n").length > 250); // So the live streams have begun.

  const lag = (await asked("lag")) as { sources: Record<string, { state: string }>; sinks: Record<string, { lastSuccess: string }> };
  assert.is(lag.sources["meters_live"]?.state, "up");
  assert.match(lag.sinks["alerts_file"]?.lastSuccess ?? "", /^\d{4}-/);
  const progress = (await asked("progress")) as { sequence: number; sources: { name: string; inputRowsPerSecond: number }[] };
  assert.ok(progress.sequence > 4_000);
  assert.ok((progress.sources.find(({ name }) => name === "meters_live")?.inputRowsPerSecond ?? 0) > 0);

  const traced = await run(["trace", "region/NORTH", "--for", "1m", "--limit", "2", "--json"], folder);
  assert.equal([traced.code, traced.stderr], [0, ""]);
  const messages = traced.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; position: string });
  assert.is(messages.length, 2);
  assert.match(messages[0]?.position ?? "", /:/);
  assert.is((await run(["trace", "SM-N-00043", "--for", "1s"], folder)).code, 0); // Whether or not there was a message.
  assert.is((await run(["trace", "SM-N-0004", "--for", "1s"], folder)).code, 4);
  assert.is((await run(["trace", "SM-N-00042", "--for", "11m"], folder)).code, 2);

  const follower = start("alerts", "--follow", "--rule", "meter.spike", "--status", "open");
  await follower.until(({ stdout }) => stdout.includes("meter.spike"));
  follower.kill("SIGINT");
  const { code, stdout, stderr } = await follower.ended;
  assert.is(code, 0, stderr);
  assert.match(stderr, /^resume: gridactor .*alerts --follow --rule meter\.spike --status open --from \d+\n$/);
  const alertId = /ALR-\w{16}/.exec(stdout)?.[0] ?? "";
  const explained = (await asked("explain", alertId)) as {
    rule: string;
    tests: { passed: boolean; decides: string }[];
    evidence: object[];
  };
  assert.is(explained.rule, "meter.spike");
  assert.ok(explained.tests.filter(({ decides }) => decides === "all").every(({ passed }) => passed));
  assert.ok(explained.evidence.length > 0);

  engine.kill("SIGINT");
  assert.is((await engine.ended).code, 0);
});

test("of a stopped engine nothing is traced; the files tell the rest", async () => {
  const traced = await run(["trace", "SM-N-00042", "--for", "1s", "--json"], folder);
  assert.equal([traced.code, traced.stdout], [69, ""]);
  assert.is((JSON.parse(traced.stderr) as { error: { code: string } }).error.code, "UNREACHABLE");
  const { sources } = (await asked("lag")) as { sources: Record<string, { state: null }> };
  assert.is(sources["meters"]?.state, null);
});

test("a backtest says what other limits would have raised, and changes nothing", async () => {
  const before = await run(["digest"], folder);
  const until = "2025-06-15T23:59:02Z"; // What came live is in no file.
  const { rules } = (await asked("backtest", "--until", until, "--set", "rules.meter.spike.limitKwh=80")) as {
    rules: Record<string, object>;
  };
  assert.equal(rules["meter.spike"], { stored: 15, candidate: 6, onlyStored: 9, onlyCandidate: 0 });
  assert.equal(rules["meter.near_zero"], { stored: 25, candidate: 25, onlyStored: 0, onlyCandidate: 0 });
  assert.is((await run(["backtest", "--set", "rules.meter.spike.limitKw=80"], folder)).code, 78);
  assert.is((await run(["backtest", "--set", "limitKwh"], folder)).code, 2);
  assert.is((await run(["digest"], folder)).stdout, before.stdout);
});

test("a bench fails below what is asked of it", async () => {
  const slow = await run(["bench", "--seconds", "1", "--actors", "10", "--min", "999999999", "--json"], folder);
  assert.is(slow.code, 5, slow.stderr);
  assert.ok((JSON.parse(slow.stdout) as { readings: number }).readings >= 5_000);
});

function start(...args: string[]): Running {
  const child = gridactor(args, folder);
  started.push(child);
  return child;
}
