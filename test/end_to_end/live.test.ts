// timeout: 120 s
import * as assert from "uvu/assert";
import { alertLines, type GridFolder, gridactor, newGridFolder, type Running, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("live run");

/** Live streams in a hurry, and files that are taken at once. */
const HURRY = { "rate: 3,": "rate: 50,", "rate: 1,": "rate: 50,", "type: landing,": "type: landing, settle: 0s," };
/** Alert events of the committed data. */
const OF_FILES = 247;
const STOP_WITHIN_MS = 5_000;

let folder: GridFolder;
const started: Running[] = [];
test.before(async () => {
  folder = await newGridFolder(undefined, HURRY);
});
test.after(async () => {
  for (const child of started) child.kill("SIGKILL"); // Where a test failed.
  await removeFolder(folder.path);
});

test("a run shows alerts of five rules and more, answers beside itself, keeps others out, and stops at once", async () => {
  const first = start();
  await shown(first, OF_FILES + 1); // So the live streams have begun.

  const second = await run(["run", "--json"], folder);
  assert.is(second.code, 75, second.stderr);
  assert.is(second.stdout, "");
  assert.is((JSON.parse(second.stderr) as { error: { code: string } }).error.code, "RETRY");

  const { code, stdout, stderr } = await run(["inspect", "SM-N-00042", "--json"], folder);
  assert.equal([code, stderr], [0, ""]);
  assert.is((JSON.parse(stdout) as { kind: string }).kind, "meter");

  await stopped(first);
  const rules = new Set((await alertLines(folder)).map(({ data }) => data.rule));
  const seen = [...rules].filter((rule) => first.output().stdout.includes(rule));
  assert.ok(seen.length >= 5, `${seen}`);
});

test("a run that is started again goes on where it stopped, and repeats no alert", async () => {
  const before = await alertLines(folder);
  assert.ok(before.length > OF_FILES);
  const again = start();
  await shown(again, 1);
  await stopped(again);
  const after = await alertLines(folder);
  assert.equal(after.slice(0, before.length), before);
  assert.ok(after.length > before.length);
  const sequences = after.map(({ sequence }) => sequence);
  assert.equal(sequences, [...sequences].sort());
  assert.is(new Set(after.map(({ id }) => id)).size, after.length);
});

function start(): Running {
  const child = gridactor(["run"], folder);
  started.push(child);
  return child;
}

/** Waits until so many more alerts have been shown. */
function shown(child: Running, alerts: number): Promise<void> {
  return child.until(({ stdout }) => stdout.split("\n").length > alerts);
}

async function stopped(child: Running): Promise<void> {
  child.kill("SIGINT");
  const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS); // deadline: it must have stopped by itself by then.
  const { code, stderr } = await child.ended;
  clearTimeout(deadline);
  assert.is(code, 0, stderr);
  assert.not.match(stderr, /Warning|"level":"(?:warn|error|fatal)"/);
}
