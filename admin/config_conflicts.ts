import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { invariant } from "../engine/fault.ts";
import { DEFAULT_LIMITS, type Limits } from "../engine/limits.ts";
import type { Report } from "./config_report.ts";
import { RESIDENT_ACTORS } from "./config_schema.ts";
import type { Config, Location, SourceConfig } from "./config_types.ts";
import type { Finding, KeyPath } from "./finding.ts";
import { below, type Glob, globsMeet, parseGlob } from "./glob.ts";

/** Checks that need numbers and absolute paths: no limit raised, no two sources that read the same, no two outputs at one place. */
export function conflictFindings(config: Config, allowRaisedLimits: boolean, report: Report): readonly Finding[] {
  return [
    ...(allowRaisedLimits ? [] : raisedLimits(config, report)),
    ...sharedInputs(config.sources, report),
    ...readArchives(config.sources, report),
    ...sharedTopics(config.sources, report),
    ...sharedOutputs(config, report),
  ];
}

/** Limits that are set elsewhere than under `limits`. */
const LIMIT_PATHS: Readonly<Partial<Record<keyof Limits, KeyPath>>> = {
  batchRecords: ["batch", "records"],
  batchBytes: ["batch", "bytes"],
};
const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];

function raisedLimits({ limits, residentActorsMax, feeds }: Config, report: Report): readonly Finding[] {
  const raised = (at: KeyPath, value: number, max: number): readonly Finding[] => {
    const message = `${at.at(-1)} is raised from ${max} to ${value}`;
    return value <= max ? [] : [report.error("raised_limit", at, message, "lower it, or start with --allow-raised-limits")];
  };
  return [
    ...LIMIT_NAMES.flatMap((name) => raised(LIMIT_PATHS[name] ?? ["limits", name], limits[name], DEFAULT_LIMITS[name])),
    ...raised(["limits", "residentActors"], residentActorsMax, RESIDENT_ACTORS),
    ...[...feeds].flatMap(([name, { futureMs }]) =>
      raised(["feeds", name, "future"], futureMs, Math.max(limits.futureMs, DEFAULT_LIMITS.futureMs)),
    ),
  ];
}

/** Two sources that can read the same file would count its records twice. Links are followed, so that one folder has one name. */
function sharedInputs(sources: readonly SourceConfig[], report: Report): readonly Finding[] {
  const readers = sources.flatMap((source) =>
    source.type === "landing" ? [{ source, globs: source.include.map((each) => placed(source.location, each)) }] : [],
  );
  return readers.flatMap(({ source, globs }, n) => {
    const other = readers.slice(0, n).find((earlier) => globs.some((glob) => earlier.globs.some((each) => globsMeet(glob, each))));
    if (other === undefined) return [];
    const message = `a file can belong to both ${other.source.id} and ${source.id}`;
    return [report.error("shared_files", ["sources", source.id, "include"], message, "make their patterns exclude each other")];
  });
}

/** An archive that a source reads would be archived again, and again. */
function readArchives(sources: readonly SourceConfig[], report: Report): readonly Finding[] {
  const landings = sources.filter((source) => source.type === "landing");
  return landings.flatMap(({ id, cleanSource: { mode, to } }) => {
    if (mode !== "archive" || to === null) return [];
    const archived = placed(to, "*/*/*/**");
    const reader = landings.find(({ location, include }) => include.some((each) => globsMeet(placed(location, each), archived)));
    if (reader === undefined) return [];
    const message = `${reader.id} would read the archive`;
    return [report.error("archive_is_read", ["sources", id, "cleanSource", "to"], message, "name a place that no source reads")];
  });
}

function placed(location: Location, pattern: string): Glob {
  const glob = parseGlob(pattern);
  invariant(typeof glob !== "string", "patterns were checked");
  const folder =
    location.type === "folder" ? realFolder(location.path) : `blob:${location.connection}/${location.container}/${location.prefix}`;
  return below(folder.split(sep).join("/"), glob);
}

function realFolder(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // It is not there yet: the environment layer says so.
  }
}

function sharedTopics(sources: readonly SourceConfig[], report: Report): readonly Finding[] {
  const topics = new Map<string, string>();
  const groups = new Map<string, string>();
  return sources.flatMap((source) => {
    if (source.type !== "kafka" && source.type !== "eventhub") return [];
    const { id, connection } = source;
    const key = source.type === "kafka" ? "topic" : "hub";
    const names = source.type === "kafka" ? source.topics : [source.hub];
    const findings = names.flatMap((name) => {
      const other = topics.get(`${connection}/${name}`);
      topics.set(`${connection}/${name}`, id);
      if (other === undefined) return [];
      return [report.error("shared_topic", ["sources", id, key], `${other} and ${id} read the same ${key}`, "keep one of them")];
    });
    if (source.type === "eventhub") return findings;
    const other = groups.get(`${connection}/${source.group}`);
    groups.set(`${connection}/${source.group}`, id);
    if (other === undefined) return findings;
    const what = `${other} and ${id} are members of the same group`;
    return [...findings, report.error("shared_group", ["sources", id, "group"], what, "give each its own")];
  });
}

/** An output belongs to one writer, and the state directory to the store. */
function sharedOutputs({ stateDir, sinks }: Config, report: Report): readonly Finding[] {
  const taken: { readonly owner: string; readonly path: string }[] = [{ owner: "the state directory", path: stateDir }];
  return sinks.flatMap((sink) => {
    if (sink.type !== "jsonl" && sink.type !== "parquet") return [];
    const other = taken.find(({ path }) => isWithin(path, sink.path) || isWithin(sink.path, path));
    taken.push({ owner: `the sink ${sink.name}`, path: sink.path });
    if (other === undefined) return [];
    return [
      report.error(
        "shared_output",
        ["sinks", sink.name, "path"],
        `${other.owner} and the sink ${sink.name} write to the same place`,
        "give each its own path",
      ),
    ];
  });
}

function isWithin(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
