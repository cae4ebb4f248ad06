import { realpathSync } from "node:fs";
import { isIP } from "node:net";
import { sep } from "node:path";
import type { ColumnType } from "../engine/emission.ts";
import { invariant } from "../engine/fault.ts";
import { DEFAULT_LIMITS, type Limits } from "../engine/limits.ts";
import { meant, type Report } from "./config_report.ts";
import { type KnownFeed, parseBlob, parseHints } from "./config_resolve.ts";
import { type ConfigDocument, RESIDENT_ACTORS } from "./config_schema.ts";
import type { Config, HintType, Location, SourceConfig } from "./config_types.ts";
import type { Finding, KeyPath } from "./finding.ts";
import { below, type Glob, globsMeet, parseGlob } from "./glob.ts";

/** What the configuration needs to know of a feed to check what it says about its columns. */
export interface CheckedFeed extends KnownFeed {
  readonly fields: Readonly<Record<string, { readonly column: ColumnType; readonly required: boolean }>>;
}

/** What the configuration needs to know of a rule. */
export interface KnownRule {
  readonly id: string;
  readonly limits: Readonly<Record<string, number>>;
}

/** What a configuration may refer to outside itself. */
export interface Catalogue {
  readonly feeds: readonly CheckedFeed[];
  readonly rules: readonly KnownRule[];
}

/** Transports and outputs that this version runs; all others are for later ones, and valid. */
const RUNS = { sources: ["landing", "simulator"], sinks: ["jsonl", "parquet"] } as const;
/** Limits that are set elsewhere than under `limits`. */
const LIMIT_PATHS: Readonly<Partial<Record<keyof Limits, KeyPath>>> = {
  batchRecords: ["batch", "records"],
  batchBytes: ["batch", "bytes"],
};
const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
const REGIONS = ["NORTH", "SOUTH", "EAST", "WEST", "CENTRAL"];

/** Checks what one part of the configuration says about another, or about the catalogue. The schema has passed. */
export function referenceFindings(document: ConfigDocument, { feeds, rules }: Catalogue, report: Report): readonly Finding[] {
  return [
    ...sourceFindings(document, feeds, report),
    ...stageFindings(document, report),
    ...feedFindings(document, feeds, report),
    ...ruleFindings(document, rules, report),
    ...connectionFindings(document, report),
    ...webhookFindings(document, report),
    ...doorFindings(document, report),
  ];
}

/** Checks that need numbers and absolute paths: no limit raised, no two sources that read the same, no two outputs at one place. */
export function conflictFindings(config: Config, allowRaisedLimits: boolean, report: Report): readonly Finding[] {
  return [
    ...(allowRaisedLimits ? [] : raisedLimits(config, report)),
    ...sharedInputs(config.sources, report),
    ...sharedTopics(config.sources, report),
    ...sharedOutputs(config, report),
  ];
}

/** What is valid, but cannot be run by this version. */
export function unsupportedFindings(config: Config, report: Report): readonly Finding[] {
  const sources = config.sources.flatMap((source) => {
    const path = ["sources", source.id, "type"];
    if (!(RUNS.sources as readonly string[]).includes(source.type)) return [unsupported(path, `sources of type ${source.type}`, report)];
    return source.type === "landing" && source.location.type === "blob"
      ? [unsupported(["sources", source.id, "location"], "blob containers", report)]
      : [];
  });
  const sinks = config.sinks.filter(({ type }) => !(RUNS.sinks as readonly string[]).includes(type));
  return [...sources, ...sinks.map(({ name, type }) => unsupported(["sinks", name, "type"], `sinks of type ${type}`, report))];
}

function unsupported(path: KeyPath, what: string, report: Report): Finding {
  const message = `this version does not run ${what}`;
  return report.warning(
    "unsupported_type",
    path,
    message,
    `it runs sources of type ${RUNS.sources.join(", ")} (local folders) and sinks of type ${RUNS.sinks.join(", ")}`,
  );
}

function sourceFindings({ sources, connections }: ConfigDocument, feeds: readonly CheckedFeed[], report: Report): readonly Finding[] {
  const known = feeds.map(({ name }) => name);
  const findings: Finding[] = [];
  for (const [name, source] of Object.entries(sources)) {
    const at = (...keys: readonly string[]): KeyPath => ["sources", name, ...keys];
    if (!known.includes(source.feed)) {
      findings.push(report.error("unknown_feed", at("feed"), `there is no feed "${source.feed}"`, meant(source.feed, known, "feeds")));
    }
    switch (source.type) {
      case "simulator": {
        const feed = { meters: "smart_meter", substations: "substation_telemetry", billing: "billing" }[source.profile];
        if (feed !== source.feed) {
          findings.push(
            report.error(
              "profile_feed",
              at("profile"),
              `the profile ${source.profile} makes records of the feed ${feed}`,
              `set feed: ${feed}`,
            ),
          );
        }
        break;
      }
      case "landing":
        findings.push(...landingFindings(at, source, connections, report));
        break;
      case "kafka":
      case "eventhub":
        findings.push(...connectionOf(at("connection"), source.connection, source.type, connections, report));
    }
  }
  return findings;
}

type Landing = Extract<ConfigDocument["sources"][string], { type: "landing" }>;
type Connections = ConfigDocument["connections"];

function landingFindings(
  at: (...keys: string[]) => KeyPath,
  source: Landing,
  connections: Connections,
  report: Report,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [n, pattern] of source.include.entries()) {
    const glob = parseGlob(pattern);
    if (typeof glob === "string") findings.push(report.error("bad_pattern", at("include", String(n)), glob));
  }
  if (source.location.startsWith("blob:")) {
    const blob = parseBlob(source.location);
    if (blob === null) findings.push(report.error("bad_location", at("location"), "expected blob:<connection>/<container>/<prefix>"));
    else findings.push(...connectionOf(at("location"), blob.connection, "azure-blob", connections, report));
  }
  if (source.absentMeans === "delete" && source.mode !== "snapshot") {
    findings.push(
      report.error("absent_means", at("absentMeans"), "only a snapshot says by absence that a key is gone", "set mode: snapshot"),
    );
  }
  if (source.cleanSource.mode === "archive" && source.cleanSource.to === null) {
    findings.push(report.error("archive_where", at("cleanSource"), "an archive needs a folder", "add to: <folder>"));
  }
  return findings;
}

function connectionOf(at: KeyPath, name: string, type: string, connections: Connections, report: Report): readonly Finding[] {
  const connection = Object.hasOwn(connections, name) ? connections[name] : undefined;
  if (connection === undefined) {
    const fitting = Object.keys(connections).filter((each) => connections[each]?.type === type);
    return [
      report.error(
        "unknown_connection",
        at,
        `there is no connection "${name}"`,
        meant(name, fitting, "connections") ?? `add it under connections, with type: ${type}`,
      ),
    ];
  }
  if (connection.type === type) return [];
  return [report.error("wrong_connection", at, `the connection "${name}" is of type ${connection.type}`, `name one of type ${type}`)];
}

/** A simulator never ends, so a stage behind it would never begin. */
function stageFindings({ sources }: ConfigDocument, report: Report): readonly Finding[] {
  const last = Math.max(0, ...Object.values(sources).map(({ stage }) => stage));
  return Object.entries(sources)
    .filter(([, { type, stage }]) => type === "simulator" && stage < last)
    .map(([name, { stage }]) =>
      report.error(
        "endless_stage",
        ["sources", name, "stage"],
        `a simulator has no end: stages after ${stage} would never start`,
        `set stage: ${last}`,
      ),
    );
}

function feedFindings({ feeds }: ConfigDocument, known: readonly CheckedFeed[], report: Report): readonly Finding[] {
  const names = known.map(({ name }) => name);
  return Object.entries(feeds).flatMap(([name, feed]) => {
    const checked = known.find((each) => each.name === name);
    if (checked === undefined)
      return [report.error("unknown_feed", ["feeds", name], `there is no feed "${name}"`, meant(name, names, "feeds"), "key")];
    const lists = { untracked: feed.history.untracked ?? [], ignored: feed.history.ignored, ignoreNulls: feed.history.ignoreNulls };
    return [
      ...Object.entries(lists).flatMap(([list, columns]) => columnFindings(["feeds", name, "history", list], columns, checked, report)),
      ...columnFindings(["feeds", name, "captureColumns"], feed.captureColumns, checked, report),
      ...precedenceFindings(["feeds", name, "history", "precedence"], feed.history.precedence, report),
      ...hintFindings(["feeds", name, "schemaEvolution", "hints"], feed.schemaEvolution.hints ?? "", checked, report),
    ];
  });
}

function columnFindings(at: KeyPath, columns: readonly string[], { name, fields }: CheckedFeed, report: Report): readonly Finding[] {
  return columns.flatMap((column, n) => {
    if (Object.hasOwn(fields, column)) return [];
    return [
      report.error(
        "unknown_column",
        [...at, String(n)],
        `the feed ${name} has no column "${column}"`,
        meant(column, Object.keys(fields), "columns"),
      ),
    ];
  });
}

function precedenceFindings(at: KeyPath, precedence: readonly string[], report: Report): readonly Finding[] {
  if (new Set(precedence).size === 3 && precedence.length === 3) return [];
  return [report.error("bad_value", at, "expected snapshot, delta and cdc, each once, low to high")];
}

const HINT_COLUMN: Readonly<Record<HintType, ColumnType["type"]>> = {
  bigint: "long",
  double: "double",
  boolean: "boolean",
  string: "string",
  json: "string",
  date: "date",
  timestamp: "timestamp",
};

function hintFindings(at: KeyPath, text: string, { name, fields }: CheckedFeed, report: Report): readonly Finding[] {
  const hints = parseHints(text);
  if (typeof hints === "string") return [report.error("bad_hint", at, hints)];
  return hints.flatMap(({ column, type }) => {
    const field = Object.hasOwn(fields, column) ? fields[column] : undefined;
    if (field?.required !== true || field.column.type === HINT_COLUMN[type]) return [];
    return [
      report.error(
        "hint_contradicts",
        at,
        `${column} is a required ${field.column.type} of the feed ${name}, not ${type}`,
        `leave out ${column}`,
      ),
    ];
  });
}

function ruleFindings({ rules }: ConfigDocument, known: readonly KnownRule[], report: Report): readonly Finding[] {
  const ids = known.map(({ id }) => id);
  return Object.entries(rules).flatMap(([id, { enabled: _, overrides, ...limits }]) => {
    const rule = known.find((each) => each.id === id);
    if (rule === undefined)
      return [
        report.error(
          "unknown_rule",
          ["rules", id],
          `there is no rule "${id}"`,
          meant(id, ids, "rules") ?? "all of them: gridactor schema rules",
          "key",
        ),
      ];
    const seen = new Set<string>();
    const ofOverrides = overrides.flatMap(({ region, tariff, actor, ...own }, n) => {
      const at = ["rules", id, "overrides", String(n)];
      const scopes = Object.entries({ region, tariff, actor }).filter(([, value]) => value !== undefined);
      const scope = scopes.map(([name, value]) => `${name} ${value}`).join(", ");
      const found = limitFindings(at, Object.keys(own), rule, report);
      if (scopes.length !== 1)
        return [...found, report.error("override_scope", at, "an override is for one region, one tariff or one actor", "name exactly one")];
      if (seen.has(scope))
        return [...found, report.error("duplicate_override", at, `${scope} is overridden twice`, "put the limits together")];
      seen.add(scope);
      if (region === undefined || REGIONS.includes(region)) return found;
      return [
        ...found,
        report.warning(
          "unknown_region",
          [...at, "region"],
          `no region of the data is called "${region}"`,
          meant(region, REGIONS, "regions"),
        ),
      ];
    });
    return [...limitFindings(["rules", id], Object.keys(limits), rule, report), ...ofOverrides];
  });
}

function limitFindings(at: KeyPath, names: readonly string[], { id, limits }: KnownRule, report: Report): readonly Finding[] {
  const known = Object.keys(limits);
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    const fix = known.length === 0 ? "it has none" : meant(name, known, "its limits");
    return [report.error("unknown_limit", [...at, name], `the rule ${id} has no limit "${name}"`, fix, "key")];
  });
}

function connectionFindings({ connections, sinks }: ConfigDocument, report: Report): readonly Finding[] {
  const ofSinks = Object.entries(sinks).flatMap(([name, sink]) => {
    return sink.type === "kafka" ? connectionOf(["sinks", name, "connection"], sink.connection, "kafka", connections, report) : [];
  });
  return [...Object.entries(connections).flatMap(([name, connection]) => credentialFindings(name, connection, report)), ...ofSinks];
}

function credentialFindings(name: string, connection: Connections[string], report: Report): readonly Finding[] {
  const at = ["connections", name];
  switch (connection.type) {
    case "kafka": {
      if (connection.sasl === undefined || connection.tls !== false) return [];
      return [report.error("sasl_without_tls", [...at, "sasl"], "without TLS others can read the password", "add tls: true")];
    }
    case "eventhub": {
      const { connectionString, namespace, credential } = connection;
      const byName = namespace !== undefined && credential !== undefined;
      const isEither = connectionString === undefined ? byName : namespace === undefined && credential === undefined;
      return isEither
        ? []
        : [report.error("one_credential", at, "expected either connectionString, or namespace and credential", null, "key")];
    }
    case "azure-blob": {
      const isEither = (connection.sas === undefined) !== (connection.credential === undefined);
      return isEither ? [] : [report.error("one_credential", at, "expected either sas or credential", null, "key")];
    }
  }
}

function webhookFindings({ sinks }: ConfigDocument, report: Report): readonly Finding[] {
  return Object.entries(sinks).flatMap(([name, sink]) => {
    if (sink.type !== "webhook") return [];
    const at = ["sinks", name, "url"];
    const url = URL.canParse(sink.url) ? new URL(sink.url) : null;
    if (url === null) return [report.error("bad_url", at, "expected a URL", "https://host/path")]; // Not quoted: webhook URLs hold secrets.
    if (url.protocol === "https:" || (url.protocol === "http:" && sink.allowHosts.includes(url.hostname))) return [];
    return [report.error("bad_url", at, "expected https", `https, or name ${url.hostname} in allowHosts`)];
  });
}

function doorFindings({ admin: { http } }: ConfigDocument, report: Report): readonly Finding[] {
  if (http === false || isLoopback(http.host)) return [];
  const at = ["admin", "http", "host"];
  const findings: Finding[] = [];
  const missing = [...(Object.keys(http.tokens).length === 0 ? ["tokens"] : []), ...(http.tls === undefined ? ["tls"] : [])];
  if (missing.length > 0) {
    findings.push(
      report.error(
        "open_door",
        at,
        `others can reach ${http.host}: it needs tokens and tls`,
        `add ${missing.join(" and ")}, or bind 127.0.0.1`,
      ),
    );
  }
  if (http.reads === "open") {
    findings.push(
      report.error(
        "open_reads",
        ["admin", "http", "reads"],
        `others can reach ${http.host}: reads need a token there`,
        "remove reads: open",
      ),
    );
  }
  if (["0.0.0.0", "::"].includes(http.host) && http.hosts.length === 0) {
    findings.push(
      report.warning("no_hosts", at, "requests are answered only if they name a bound address or one of hosts", "add hosts: [<name>]"),
    );
  }
  return findings;
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function raisedLimits({ limits, residentActorsMax, feeds }: Config, report: Report): readonly Finding[] {
  const raised = (at: KeyPath, value: number, max: number): readonly Finding[] => {
    const message = `${at.at(-1)} is raised from ${max} to ${value}`;
    return value <= max ? [] : [report.error("raised_limit", at, message, "lower it, or start with --allow-raised-limits")];
  };
  return [
    ...LIMIT_NAMES.flatMap((name) => raised(LIMIT_PATHS[name] ?? ["limits", name], limits[name], DEFAULT_LIMITS[name])),
    ...raised(["limits", "residentActors"], residentActorsMax, RESIDENT_ACTORS),
    ...Object.entries(feeds).flatMap(([name, { futureMs }]) =>
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
  return sources.flatMap((source) => {
    if (source.type !== "kafka" && source.type !== "eventhub") return [];
    const place = `${source.connection}/${source.topic}`;
    const other = topics.get(place);
    topics.set(place, source.id);
    const key = source.type === "kafka" ? "topic" : "hub";
    if (other === undefined) return [];
    return [
      report.error("shared_topic", ["sources", source.id, key], `${other} and ${source.id} read the same ${key}`, "keep one of them"),
    ];
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
