import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./grid_folder.ts";
import { newTempFolder } from "./temp_folder.ts";

/** A command of a page, and what the page says that it prints. */
export interface Step {
  readonly command: string;
  /** Lines; one that is `…` alone stands for any. */
  readonly shown: readonly string[];
  /** Where the command and what is shown stand in the page: lines from 0, the end excluded. */
  readonly from: number;
  readonly to: number;
}

/** What a reader needs who has just cloned: all but what is installed, built or made by running. */
const SOURCES = [
  ...["package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json", "gridactor.yaml", "asyncapi.yaml", "README.md"],
  ...["main.ts", "lib.ts", "compose.ts", "daemon.ts", "cluster_daemon.ts", "cluster_commands.ts"],
  ...["library", "engine", "actors", "sources", "sinks", "admin", "cluster", "simulators"],
  ...["bench", "schemas", "contrib", "examples", "data_sources"],
];

/** The terminal of the reader. */
const COLUMNS = 150;

/** A clone as a new user has it, installed, in a new temp folder. Beside it lies an `npx` that does what the real one does, in a tenth of the time. */
export async function newClone(): Promise<string> {
  const folder = join(await newTempFolder(), "gridactor");
  await mkdir(folder);
  for (const name of SOURCES) if (existsSync(join(ROOT, name))) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "../npx"), '#!/bin/sh\n[ "$1" = gridactor ] && shift && exec node dist/main.js "$@"\nexit 1\n', {
    mode: 0o755,
  });
  return folder;
}

/** All commands of a page, in order: lines in its blocks of code that begin with `$ `. */
export function stepsOf(page: string): readonly Step[] {
  const steps: Step[] = [];
  let isCode = false;
  let step: { command: string; shown: string[]; from: number } | null = null;
  const end = (to: number): void => {
    if (step !== null) steps.push({ ...step, shown: trimmed(step.shown), to: to - (step.shown.length - trimmed(step.shown).length) });
    step = null;
  };
  for (const [n, line] of page.split("\n").entries()) {
    if (line.startsWith("```")) {
      end(n);
      isCode = !isCode;
    } else if (isCode && line.startsWith("$ ")) {
      end(n);
      step = { command: line.slice(2), shown: [], from: n };
    } else if (step !== null) step.shown.push(line);
  }
  return steps;
}

/** What a command prints on a terminal of 150 columns without colours, and then on stderr; and how it ended. */
export async function executed(
  command: string,
  folder: string,
): Promise<{ readonly code: number | null; readonly lines: readonly string[] }> {
  const errors = join(folder, "..", "stderr");
  const inTerminal = `stty cols ${COLUMNS}; { ${command}; } 2>'${errors}'`;
  const env = {
    ...process.env,
    NO_COLOR: "1",
    GRIDACTOR__ADMIN__HTTP__PORT: "0",
    PATH: `${join(folder, "..")}:${process.env["PATH"]}`,
  };
  const child = spawn("script", ["-qec", inTerminal, "/dev/null"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // What npm says of itself, and progress, which a slow machine shows, are no answers.
  const warned = readFileSync(errors, "utf8").replaceAll(/^(?:npm (?:warn|notice)|\{.*"event":"engine\.progress").*\n/gm, "");
  return { code, lines: trimmed(`${output.replaceAll("\r\n", "\n")}${warned}`.split("\n").map((line) => line.trimEnd())) };
}

/** Whether a command printed what is shown, but for digests and times. */
export function isAsShown(shown: readonly string[], printed: readonly string[]): boolean {
  const [line, ...rest] = shown;
  if (line === undefined) return printed.length === 0;
  if (line === "…") return printed.some((_, n) => isAsShown(rest, printed.slice(n + 1))) || isAsShown(rest, printed);
  return printed.length > 0 && comparable(line) === comparable(printed[0] ?? "") && isAsShown(rest, printed.slice(1));
}

function comparable(line: string): string {
  return line
    .trimEnd()
    .replaceAll(/\b[0-9a-f]{32}\b/g, "<digest>")
    .replaceAll(/ · \d+(?:\.\d+)? (?:s|ms)$/g, " · <time>");
}

function trimmed(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => line !== "");
  return lines.slice(0, last + 1);
}
