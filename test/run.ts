import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { open, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isSet } from "./kit/environment.ts";

// The guard runner behind `npm test`. uvu exits 0 on a throwing hook, on a suite that never ran and on some failed tests, so a file is
// believed only if it exits 0 and says that all of its tests passed. Arguments choose files: a part of the path, or the whole path of any
// one file. The last line is `N passed, N failed`; the exit code is 1 if anything failed or nothing ran.

const ROOT = resolve(import.meta.dirname, "..");
const TSX = import.meta.resolve("tsx");
const FILES_AT_ONCE = 2;
const TIMEOUT_S = 60; // A file may state its own in its first line: `// timeout: 300 s`. TEST_TIMEOUT_S overrides both, for long tiers.

interface Outcome {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly notRun: readonly string[];
}

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly timeoutS: number;
  readonly output: string;
}

const scratch = mkdtempSync(join(tmpdir(), "gridactor-test-"));
const groups = new Set<number>();
process.on("exit", cleanUp); // Detached groups do not hear a Ctrl-C of ours.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

const files = chosen(await testFiles(), process.argv.slice(2));
const outcomes: Outcome[] = [];
const queue = files.values(); // Shared: each loop takes the next file that is left.
await Promise.all(
  Array.from({ length: FILES_AT_ONCE }, async () => {
    for (const file of queue) outcomes.push(await run(file));
  }),
);
conclude(outcomes, isSet(process.env["CI"]));

async function testFiles(): Promise<readonly string[]> {
  const paths = await readdir(join(ROOT, "test"), { recursive: true });
  return paths
    .filter((path) => path.endsWith(".test.ts"))
    .map((path) => `test/${path.replaceAll("\\", "/")}`)
    .sort();
}

function chosen(all: readonly string[], wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) return all;
  const matches = wanted.flatMap((part) => (isFile(part) ? [part] : all.filter((file) => file.includes(part))));
  return [...new Set(matches)];
}

function isFile(path: string): boolean {
  return path.endsWith(".ts") && existsSync(join(ROOT, path));
}

async function run(file: string): Promise<Outcome> {
  const startedMs = performance.now();
  const ending = await ended(file);
  const outcome = judged(file, ending);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (outcome.failed === 0) console.log(`ok    ${file}  (${outcome.passed} passed, ${seconds} s)`);
  else console.log(`FAIL  ${file}  (${complaint(ending)}, ${seconds} s)\n${ending.output}`);
  return outcome;
}

/** Runs one file in a process group of its own. Output goes to a file, so that a stray grandchild cannot keep us waiting on a pipe. */
async function ended(file: string): Promise<Ending> {
  const path = join(scratch, `${file.replaceAll("/", "+")}.log`);
  const timeoutS = await declaredTimeoutS(file);
  const log = await open(path, "a");
  const child = spawn(process.execPath, ["--unhandled-rejections=strict", "--import", TSX, file], {
    cwd: ROOT,
    env: cleanEnvironment(),
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  const group = child.pid;
  if (group !== undefined) groups.add(group);
  let timedOut = false;
  const expire = (): void => {
    timedOut = true;
    killGroup(group);
  };
  const deadline = setTimeout(expire, timeoutS * 1000); // deadline: the hard time-out of a file.
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  clearTimeout(deadline);
  killGroup(group); // What the test started and left running.
  await log.close();
  return { code, signal, timedOut, timeoutS, output: await readFile(path, "utf8") };
}

async function declaredTimeoutS(file: string): Promise<number> {
  const given = Number(process.env["TEST_TIMEOUT_S"]);
  if (given > 0) return given;
  const [line = ""] = (await readFile(join(ROOT, file), "utf8")).split("\n", 1);
  return Number(/^\/\/ timeout: (\d+) s\b/.exec(line)?.[1] ?? TIMEOUT_S);
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, NODE_ENV: _mode, FORCE_COLOR: _color, ...rest } = process.env;
  return { ...rest, NO_COLOR: "1" };
}

function judged(file: string, ending: Ending): Outcome {
  const { total, passed, skips } = summary(ending.output) ?? { total: 0, passed: 0, skips: 0 };
  const notRun = lines(ending.output, "NOT RUN ");
  const titles = lines(ending.output, "SKIPPED ");
  return {
    file,
    passed: Math.max(0, passed - notRun.length), // A test that says it cannot run returns, and uvu takes it for passed.
    failed: complaint(ending) === null ? 0 : Math.max(1, total - passed),
    skipped: skips > titles.length ? [...titles, `SKIPPED ${skips - titles.length} without a title`] : titles,
    notRun,
  };
}

/** What is wrong with the way a file ended, or null. */
function complaint(ending: Ending): string | null {
  if (ending.timedOut) return `killed after ${ending.timeoutS} s`;
  if (ending.code !== 0) return ending.signal === null ? `exit code ${ending.code}` : `ended by ${ending.signal}`;
  const counts = summary(ending.output);
  if (counts === null) return "exit code 0, but not exactly one summary";
  if (counts.total === 0) return "exit code 0, but no test ran";
  return counts.passed === counts.total ? null : `exit code 0, but ${counts.passed} of ${counts.total} passed`;
}

function summary(output: string): { readonly total: number; readonly passed: number; readonly skips: number } | null {
  const found = [...output.matchAll(/^ {2}Total: {5}(\d+)\n {2}Passed: {4}(\d+)\n {2}Skipped: {3}(\d+)$/gm)];
  const [only] = found;
  if (only === undefined || found.length > 1) return null;
  return { total: Number(only[1]), passed: Number(only[2]), skips: Number(only[3]) };
}

function lines(output: string, start: string): readonly string[] {
  return output.split("\n").filter((line) => line.startsWith(start));
}

function conclude(all: readonly Outcome[], isCi: boolean): void {
  const broken = all.filter((outcome) => outcome.failed > 0);
  const notRun = all.flatMap((outcome) => outcome.notRun);
  const passed = all.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failed = all.reduce((sum, outcome) => sum + outcome.failed, 0) + (isCi ? notRun.length : 0);
  console.log();
  for (const { file } of broken) console.log(`FAIL  ${file}`);
  for (const { file, skipped } of all) for (const line of skipped) console.log(`${line}  (${file})`);
  for (const line of notRun) console.log(line);
  if (notRun.length > 0) console.log(`${notRun.length} not run${isCi ? ", which CI counts as failed" : ""}`);
  if (all.length === 0) console.log("no test file matches");
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

function killGroup(group: number | undefined): void {
  if (group === undefined || !groups.delete(group)) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nobody is left in the group.
  }
}

function cleanUp(): void {
  for (const group of groups) killGroup(group);
  rmSync(scratch, { recursive: true, force: true });
}
