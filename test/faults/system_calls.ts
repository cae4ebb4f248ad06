import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { leftOut, notRun } from "../kit/suite.ts";

const ROOT = resolve(import.meta.dirname, "../..");

/** One call of the system that a process made, as it was seen to end. Times are microseconds. */
export interface SystemCall {
  readonly name: string;
  readonly beganUs: number;
  readonly endedUs: number;
  /** Texts are decoded; a descriptor is `{ fd, path }`. */
  readonly args: readonly Argument[];
  /** What it returned; for a descriptor its number. */
  readonly result: number;
}

export type Argument = string | Buffer | { readonly fd: number; readonly path: string };

export interface Watched {
  readonly calls: readonly SystemCall[];
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Whether a process can be watched here. If not, the running test says so and must return: it did not run where strace is missing, and is skipped where
 * the machine forbids to trace, which nobody can mend by installing something.
 */
export function canWatch(name: string): boolean {
  const tried = spawnSync("strace", ["-o", "/dev/null", "true"], { encoding: "utf8" });
  if (tried.error !== undefined) notRun(name, "no strace (apt-get install strace)");
  else if (tried.status !== 0) leftOut(name, `strace may not trace here: ${tried.stderr.trim()}`);
  return tried.error === undefined && tried.status === 0;
}

const TRACED = "openat,lseek,pwrite64,write,pwritev,writev,fsync,fdatasync,ftruncate,rename,link,unlink";

/** Runs a program of the tests to its end, and returns all it said to the disk, in the order in which it began to. */
export async function watched(program: string, args: readonly string[]): Promise<Watched> {
  const scratch = mkdtempSync(join(tmpdir(), "gridactor-trace-"));
  try {
    const options = ["-ff", "-ttt", "-T", "-y", "-xx", "-s", "100000000", "-e", `trace=${TRACED}`, "-o", join(scratch, "calls")];
    const ended = await traced(options, program, args);
    const lines = readdirSync(scratch).flatMap((name) => readFileSync(join(scratch, name), "latin1").split("\n"));
    const calls = lines.flatMap(parsed).sort((a, b) => a.beganUs - b.beganUs);
    return { ...ended, calls };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Runs a program of the tests whose `nth` call of that name fails, and all later ones if `forEver`. */
export function failing(
  { call, nth, error, forEver }: { readonly call: string; readonly nth: number; readonly error: string; readonly forEver: boolean },
  program: string,
  args: readonly string[],
): Promise<Omit<Watched, "calls">> {
  const inject = `inject=${call}:error=${error}:when=${nth}${forEver ? "+" : ""}`;
  return traced(["-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", inject], program, args);
}

async function traced(options: readonly string[], program: string, args: readonly string[]): Promise<Omit<Watched, "calls">> {
  const command = [...options, process.execPath, "--import", "tsx", program, ...args];
  const child = spawn("strace", command, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

// Lines: `1795521710.005084 pwrite64(27<\x2f..>, "\x02..", 4096, 8192) = 4096 <0.000120>` ---------------------------------------------------

const LINE = /^(\d+\.\d+) (\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(?: [A-Z]+ \([^)]*\))?(?: <(\d+\.\d+)>)?$/;
const ARGUMENT = /(-?\w+)<([^>]*)>|"((?:\\x[0-9a-f]{2})*)"|\{iov_base="((?:\\x[0-9a-f]{2})*)", iov_len=\d+\}|([^,[\]{}"]+)/g;

function parsed(line: string): readonly SystemCall[] {
  const found = LINE.exec(line);
  if (found === null) return [];
  const [, began = "0", name = "", args = "", result = "0", took = "0"] = found;
  const beganUs = Math.round(Number(began) * 1e6);
  return [{ name, beganUs, endedUs: beganUs + Math.round(Number(took) * 1e6), args: argumentsOf(args), result: Number(result) }];
}

function argumentsOf(text: string): readonly Argument[] {
  return [...text.matchAll(ARGUMENT)].flatMap(([, fd, path, quoted, base, word]): Argument[] => {
    if (fd !== undefined) return [{ fd: Number(fd), path: decoded(path ?? "").toString() }];
    const bytes = quoted ?? base;
    if (bytes !== undefined) return [decoded(bytes)];
    const trimmed = (word ?? "").trim();
    return trimmed === "" ? [] : [trimmed];
  });
}

function decoded(escaped: string): Buffer {
  return Buffer.from(escaped.replaceAll("\\x", ""), "hex");
}
