// timeout: 300 s
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { transformer } from "../../actors/transformer.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { alertLines, DATA, type Ending, type GridFolder, gridactor, newGridFolder, run } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { removeFolder } from "../kit/temp_folder.ts";

const test = suite("command line");

interface ErrorLine {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null; readonly candidates: readonly string[] };
}

/** Drained once; commands that only read share it. */
let folder: GridFolder;
let empty: GridFolder;

test.before(async () => {
  folder = await newGridFolder();
  empty = await newGridFolder();
  const { code, stderr } = await run(["run", "--drain", "--quiet"], folder);
  assert.is(code, 0, stderr);
});
test.after(async () => {
  await removeFolder(folder.path);
  await removeFolder(empty.path);
});

test("an unknown verb, flag or value ends with 2", async () => {
  for (const args of [
    ["inspekt", "SM-N-00042"],
    ["digest", "--loud"],
    ["alerts", "--limit", "few"],
  ]) {
    const { code, stdout } = await run(args, folder);
    assert.equal([code, stdout], [2, ""], args.join(" "));
  }
});

test("with --json a usage error is one line of JSON", async () => {
  for (const args of [["--json"], ["digest", "--loud", "--json"], ["alerts", "--since", "yesteryear", "--json"]]) {
    assert.is(errorOf(await run(args, folder), 2).code, "USAGE", args.join(" "));
  }
  const { message, candidates } = errorOf(await run(["inspekt", "SM-N-00042", "--json"], folder), 2);
  assert.equal([message, candidates], ["unknown command 'inspekt'", ["inspect"]]);
});

test("an actor that does not exist ends with 4 and names those that do", async () => {
  const error = errorOf(await run(["inspect", "SM-N-0042", "--json"], folder), 4);
  assert.is(error.code, "NOT_FOUND");
  assert.ok(error.candidates.includes("SM-N-00042"), `${error.candidates}`);
  const { code, stdout, stderr } = await run(["history", "TRF-N-034"], folder);
  assert.equal([code, stdout], [4, ""]);
  assert.match(stderr, /^error: .*Did you mean "TRF-N-0034"/);
});

test("what there is to know about states and alerts is printed", async () => {
  const states = JSON.parse((await run(["schema", "states", "--json"], folder)).stdout);
  assert.equal(
    states.find(({ kind }: { kind: string }) => kind === "transformer"),
    { kind: "transformer", version: transformer.version, actors: 500 },
  );
  const alert = JSON.parse((await run(["schema", "alert"], folder)).stdout);
  assert.is(alert.$id, "urn:gridactor:alert:1");
});

test("an answer is one JSON value on stdout, and stderr stays empty", async () => {
  const { code, stdout, stderr } = await run(["inspect", "TRF-N-0034", "--json"], folder);
  assert.equal([code, stderr, stdout.trimEnd().includes("\n")], [0, "", false]);
  assert.is((JSON.parse(stdout) as { id: string }).id, "TRF-N-0034");
});

test("without a state every question ends with 69 and a next step", async () => {
  for (const args of [["digest"], ["inspect", "SM-N-00042"], ["history", "TRF-N-0034"], ["alerts"], ["quarantine", "ls"]]) {
    const error = errorOf(await run([...args, "--json"], empty), 69);
    assert.equal([error.code, typeof error.hint], ["UNREACHABLE", "string"], args.join(" "));
  }
});

test("a bad configuration ends with 78, also for those who only ask", async () => {
  const config = join(empty.path, "bad.yaml");
  writeFileSync(config, "version: 1\nsources: { meters: { feed: smart_meters, type: landing } }\n");
  for (const args of [["run", "--drain"], ["digest"], ["check"]]) {
    const { code, stdout, stderr } = await run([...args, "--config", config]);
    assert.is(code, 78, `${args.join(" ")}: ${stderr}`);
    assert.match(stdout + stderr, /bad\.yaml:2:\d+: error: missing key "location"/, "file, line, column, key");
    assert.equal(readdirSync(empty.path).sort(), ["bad.yaml", "gridactor.yaml"], "nothing was started");
  }
  assert.is(errorOf(await run(["digest", "--config", config, "--json"]), 78).code, "CONFIG");
  assert.is(errorOf(await run(["digest", "--config", join(empty.path, "none.yaml"), "--json"]), 78).code, "CONFIG");
});

test("alerts from a number on are JSON lines: every event of the file, and only those from there", async () => {
  const events = await alertLines(folder);
  assert.equal(await alertsFrom("1"), events);
  const { sequence } = events[100] as AlertEvent;
  assert.equal(await alertsFrom(String(Number(sequence))), events.slice(100));
});

test("a pipe that nobody reads any more ends a command with 0", async () => {
  const child = gridactor(["alerts", "--from", "1", "--json"], folder);
  child.closeStdout();
  const { code, stderr } = await child.ended;
  assert.equal([code, stderr], [0, ""]);
});

test("a history keeps to the limit: the newest versions, and a word on stderr", async () => {
  const { code, stdout, stderr } = await run(["history", changedTransformer(), "--limit", "1", "--json"], folder);
  assert.equal([code, stderr], [0, "1 of 2; add --limit 2\n"]);
  assert.equal(
    (JSON.parse(stdout) as { version: number }[]).map(({ version }) => version),
    [2],
  );
});

test("dimensions are exported: 530 versions, 500 of them in force on a date", async () => {
  const file = join(folder.path, "dim.csv");
  const { code, stdout } = await run(["export", "dim_transformer", "--to", file, "--json"], folder);
  assert.equal([code, JSON.parse(stdout)], [0, { table: "dim_transformer", to: file, rows: 530 }]);
  assert.is(readFileSync(file, "utf8").trimEnd().split("\n").length, 531);
  const asOf = await run(["export", "dim_transformer", "--to", "-", "--as-of", "2025-06-02"], folder);
  assert.equal([asOf.code, asOf.stdout.trimEnd().split("\n").length], [0, 500]);
});

test("actors are counted, histories verified and linted", async () => {
  assert.equal(JSON.parse((await run(["count", "--by", "link", "--json"], folder)).stdout), { linked: 2_500, orphan: 0 });
  assert.equal(JSON.parse((await run(["verify", "--json"], folder)).stdout), { ok: true, checked: 1_740, problems: [] });
  assert.equal((await run(["lint", "--json"], folder)).stdout, "[]\n");
});

/** One that the delta file has changed. */
function changedTransformer(): string {
  const [label = ""] = readFileSync(join(DATA, "truth/transformer_master.jsonl"), "utf8").split("\n");
  return (JSON.parse(label) as { id: string }).id;
}

async function alertsFrom(sequence: string): Promise<readonly AlertEvent[]> {
  const { code, stdout, stderr } = await run(["alerts", "--from", sequence, "--json"], folder);
  assert.equal([code, stderr], [0, ""]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as AlertEvent);
}

/** The error of a command that was to end so: stdout is empty, stderr one line of JSON. */
function errorOf({ code, stdout, stderr }: Ending, expected: number): ErrorLine["error"] {
  assert.equal([code, stdout], [expected, ""], stderr);
  assert.is(stderr.trimEnd().includes("\n"), false, stderr);
  return (JSON.parse(stderr) as ErrorLine).error;
}
