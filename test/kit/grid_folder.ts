import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { REGIONS } from "../../actors/names.ts";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { loadConfig } from "../../admin/config.ts";
import type { Config } from "../../admin/config_types.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { newTempFolder, removeFolder } from "./temp_folder.ts";

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, "../..");
/** The committed data. */
export const DATA = join(ROOT, "data_sources");
const TSX = import.meta.resolve("tsx");

/** What to change in the shipped configuration: texts that it holds, and what stands there instead. */
export type Changes = Readonly<Record<string, string>>;

/** A folder with the shipped configuration over some data; state and outputs are in it, too. */
export interface GridFolder {
  readonly path: string;
  readonly config: string;
  readonly state: string;
  readonly alerts: string;
  readonly curated: string;
}

/** A new temp folder; `data`: the folder to read. */
export async function newGridFolder(data: string = DATA, changes: Changes = {}): Promise<GridFolder> {
  const path = await newTempFolder();
  const config = join(path, "gridactor.yaml");
  let text = readFileSync(join(ROOT, "gridactor.yaml"), "utf8").replaceAll("location: data_sources", `location: ${data}`);
  text = text.replace("port: 7400", "port: 0"); // A free one: tests run beside each other.
  for (const [before, after] of Object.entries(changes)) {
    if (!text.includes(before)) throw new Error(`the shipped configuration does not hold "${before}"`);
    text = text.replaceAll(before, after);
  }
  writeFileSync(config, text);
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}

/** Does `body` with such a folder, which is removed afterwards. */
export async function inGridFolder(body: (folder: GridFolder) => Promise<void>, data: string = DATA, changes: Changes = {}): Promise<void> {
  const folder = await newGridFolder(data, changes);
  try {
    await body(folder);
  } finally {
    await removeFolder(folder.path);
  }
}

/** The configuration of such a folder, as a running engine gets it. Limits may be raised. */
export function gridConfig({ config }: GridFolder): Config {
  const kinds = GRID.behaviours.map(({ kind }) => kind);
  const catalogue = { feeds: GRID.feeds, rules: RULES, kinds, regions: REGIONS };
  return loadConfig({ path: config, flags: { allowRaisedLimits: true }, env: {}, cwd: ROOT, packageRoot: ROOT, catalogue }).config;
}

/** The alert events that are in the file, in order; none if there is no file. */
export async function alertLines({ alerts }: Pick<GridFolder, "alerts">): Promise<readonly AlertEvent[]> {
  const text = await readFile(alerts, "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AlertEvent);
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the command line. */
export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  /** All of stdout and stderr so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves when the output so far passes `isEnough`; rejects if the process ends before. */
  until(isEnough: (output: { readonly stdout: string; readonly stderr: string }) => boolean): Promise<void>;
  kill(signal: "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGKILL"): void;
  /** Closes our end of its stdout. */
  closeStdout(): void;
}

/** Starts `gridactor` from its sources; with a folder, over its configuration. It has no terminal. */
export function gridactor(args: readonly string[], folder: GridFolder | null = null): Running {
  const where = folder === null ? [] : ["--config", folder.config];
  const child = spawn(process.execPath, ["--import", TSX, join(ROOT, "main.ts"), ...where, ...args], {
    cwd: folder?.path ?? ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { stdout, stderr, pid } = child;
  const seen = { stdout: "", stderr: "" };
  let look = (): void => {};
  for (const name of ["stdout", "stderr"] as const) {
    const stream = name === "stdout" ? stdout : stderr;
    stream.setEncoding("utf8").on("data", (text: string) => {
      seen[name] += text;
      look();
    });
  }
  const ended = once(child, "close").then(([code]): Ending => ({ code: code as number | null, ...seen }));
  return {
    pid: pid ?? 0,
    ended,
    output: () => seen,
    until: (isEnough) =>
      new Promise((enough, reject) => {
        look = () => {
          if (isEnough(seen)) enough();
        };
        look();
        ended.then(({ code, stderr: text }) => reject(new Error(`ended with ${code} before: ${text}`)), reject);
      }),
    kill: (signal) => void child.kill(signal),
    closeStdout: () => stdout.destroy(),
  };
}

/** Runs `gridactor` to its end. */
export function run(args: readonly string[], folder: GridFolder | null = null): Promise<Ending> {
  return gridactor(args, folder).ended;
}
