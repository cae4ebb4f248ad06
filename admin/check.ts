import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ConfigOptions, inspectConfig, type LoadedConfig } from "./config.ts";
import type { Config, LandingConfig } from "./config_types.ts";
import { type Finding, type FindingSource, formatFindings, type KeyPath, type Layer } from "./finding.ts";
import type { Screen } from "./format.ts";
import { globsMeet, literal, parseGlob } from "./glob.ts";
import { sizeText } from "./size.ts";

export interface CheckOptions extends ConfigOptions {
  /** False (`--no-environment`): nothing outside the file is looked at. */
  readonly environment: boolean;
  /** `--deny-warnings`: they count as errors. */
  readonly denyWarnings: boolean;
  /** Asks what is outside this machine: brokers, hubs, containers. Left out: it is not asked. */
  readonly reach?: (config: Config) => Promise<readonly Unreached[]>;
}

/** Something outside this machine that does not answer, or is not there. `path`: the key that names it. */
export interface Unreached {
  readonly code: "unreachable" | "no_topic";
  readonly path: KeyPath;
  readonly message: string;
}

/** The answer of `check`. `layer` is the one that failed, else the last one gone through. */
export interface CheckAnswer {
  readonly ok: boolean;
  readonly layer: Layer;
  readonly findings: readonly Finding[];
}

export interface Check {
  readonly answer: CheckAnswer;
  readonly source: FindingSource;
  /** 0 or 78. */
  readonly exit: number;
}

/** Goes through syntax, schema, references and environment, and stops at the first that has errors. Changes nothing. */
export async function checkConfig(options: CheckOptions): Promise<Check> {
  const { layer, findings, source, loaded } = inspectConfig(options);
  if (loaded === null || !options.environment) return conclude(layer, findings, source, options);
  return conclude("environment", [...findings, ...(await environmentFindings(loaded, options))], source, options);
}

/** The answer for people. */
export function formatCheck({ answer, source }: Check, screen: Screen | null): string {
  const findings = formatFindings(answer.findings, source, screen);
  if (!answer.ok) return `${findings}${source.file} is refused: ${answer.layer}\n`;
  return `${findings}${source.file} is valid: ${LAYERS.slice(0, LAYERS.indexOf(answer.layer) + 1).join(", ")}\n`;
}

const LAYERS: readonly Layer[] = ["syntax", "schema", "references", "environment"];
const EXIT_REFUSED = 78;
const ENTRIES_MAX = 10_000;
const NEVER_READ = /^[._~]|\.(?:tmp|part|partial|crdownload)$/;

function conclude(layer: Layer, findings: readonly Finding[], source: FindingSource, { denyWarnings }: CheckOptions): Check {
  const ok = !findings.some(({ level }) => level === "error" || denyWarnings);
  return { answer: { ok, layer, findings }, source, exit: ok ? 0 : EXIT_REFUSED };
}

async function environmentFindings({ config, at }: LoadedConfig, { reach }: CheckOptions): Promise<readonly Finding[]> {
  const unreached = reach?.(config) ?? Promise.resolve([]);
  const ofSources = config.sources.map((source) => (source.type === "landing" ? landingFindings(source, at) : []));
  const outputs = config.sinks.flatMap((sink) =>
    sink.type === "jsonl" || sink.type === "parquet" ? [{ path: dirname(sink.path), key: ["sinks", sink.name, "path"] }] : [],
  );
  const folders = [{ path: config.stateDir, key: ["state"] }, ...outputs];
  const ofOutputs = folders.map(({ path, key }) => outputFindings(path, key, config.log.minFreeDiskBytes, at));
  const local = (await Promise.all([...ofSources, ...ofOutputs])).flat();
  const remote = (await unreached).map(({ code, path, message }) => at.error(code, path, message, FIXES[code]));
  return [...local, ...remote];
}

type At = LoadedConfig["at"];

const FIXES: Readonly<Record<Unreached["code"], string>> = {
  unreachable: "start it, or correct its address or credentials; --no-environment does not ask",
  no_topic: "make it, or correct its name",
};

async function landingFindings({ id, location, include }: LandingConfig, at: At): Promise<readonly Finding[]> {
  if (location.type === "blob") return [];
  const key = ["sources", id, "location"];
  const found = await stat(location.path).catch(() => null);
  if (found === null) return [at.error("no_folder", key, `there is no folder ${location.path}`, "make it, or correct the location")];
  if (!found.isDirectory())
    return [at.error("no_folder", key, `${location.path} is no folder`, "name the folder, and the file under include")];
  const files = await filesBelow(location.path);
  if (files === null) return [at.error("unreadable_folder", key, `${location.path} cannot be read`, "allow this user to read it")];
  const globs = include.map(parseGlob).filter((glob) => typeof glob !== "string");
  if (files.some((file) => globs.some((glob) => globsMeet(glob, literal(file))))) return [];
  return [at.warning("no_files", ["sources", id, "include"], `no file in ${location.path} matches yet`)];
}

/** Paths below a folder that a landing zone may read, relative to it, with `/`. Null: it cannot be listed. */
async function filesBelow(root: string): Promise<readonly string[] | null> {
  const files: string[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined && files.length < ENTRIES_MAX; folder = folders.pop()) {
    const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => null);
    if (entries === null && folder === "") return null;
    for (const entry of entries ?? []) {
      if (NEVER_READ.test(entry.name)) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile()) files.push(path);
    }
  }
  return files;
}

/** An output's folder can be made and written, and the disk has room. */
async function outputFindings(path: string, key: KeyPath, minFreeBytes: number, at: At): Promise<readonly Finding[]> {
  const folder = await nearestExisting(path);
  const isWritable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable)
    return [at.error("not_writable", key, `${folder} cannot be written`, "allow this user to write it, or name another place")];
  if (!(await stat(folder)).isDirectory()) return [at.error("not_writable", key, `${folder} is no folder`, "name another place")];
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= minFreeBytes) return [];
  const message = `${sizeText(freeBytes)} are free in ${folder}, less than log.minFreeDisk (${sizeText(minFreeBytes)})`;
  return [at.error("disk_full", key, message, "make room, or name another disk")];
}

async function nearestExisting(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const exists = await stat(at).then(
      () => true,
      () => false,
    );
    if (exists || at === dirname(at)) return at;
  }
}
