import { isIP } from "node:net";
import type { ColumnType } from "../engine/emission.ts";
import { firstSchema, type SchemaSettings } from "../engine/schema.ts";
import { meant, type Report } from "./config_report.ts";
import { type KnownFeed, overriddenActor, parseBlob, schemaSettings } from "./config_resolve.ts";
import type { AddedTypes, ConfigDocument } from "./config_schema.ts";
import type { Finding, KeyPath } from "./finding.ts";
import { parseGlob } from "./glob.ts";

/** What the configuration needs to know of a feed to check what it says about its columns. */
export interface CheckedFeed extends KnownFeed {
  readonly fields: Readonly<Record<string, { readonly column: ColumnType; readonly required: boolean }>>;
  readonly evolution: SchemaSettings;
  /** The curated table of its records, or null. */
  readonly table: string | null;
  /** Not null: it brings captured changes, whose columns may be captured in any order. */
  readonly captured: unknown;
  /** Not null: a snapshot of it may say by absence that a key is gone. */
  readonly absence: unknown;
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
  /** Kinds of actors. */
  readonly kinds: readonly string[];
  /** Regions that the data knows. */
  readonly regions: readonly string[];
  /** Types of sources and sinks beside ours. */
  readonly added?: AddedTypes;
}

/** Checks what one part of the configuration says about another, or about the catalogue. The schema has passed. */
export function referenceFindings(document: ConfigDocument, catalogue: Catalogue, report: Report): readonly Finding[] {
  return [
    ...sourceFindings(document, catalogue.feeds, report),
    ...stageFindings(document, report),
    ...feedFindings(document, catalogue.feeds, report),
    ...ruleFindings(document, catalogue, report),
    ...connectionFindings(document, report),
    ...webhookFindings(document, report),
    ...doorFindings(document, report),
  ];
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
        findings.push(...landingFindings(at, source, connections, report), ...absenceFindings(at("absentMeans"), source, feeds, report));
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
  if (isBlob(source.location)) {
    const blob = parseBlob(source.location);
    if (blob === null) findings.push(report.error("bad_location", at("location"), BLOB));
    else findings.push(...connectionOf(at("location"), blob.connection, "azure-blob", connections, report));
  }
  if (source.cleanSource.mode === "archive" && source.cleanSource.to === null) {
    findings.push(report.error("archive_where", at("cleanSource"), "an archive needs a folder", "add to: <folder>"));
  }
  return [...findings, ...archiveFindings(source, at("cleanSource", "to"), report)];
}

function absenceFindings(
  at: KeyPath,
  { absentMeans, mode, feed }: Landing,
  feeds: readonly CheckedFeed[],
  report: Report,
): readonly Finding[] {
  if (absentMeans === "unknown") return [];
  if (mode !== "snapshot")
    return [report.error("absent_means", at, "only a snapshot says by absence that a key is gone", "set mode: snapshot")];
  const known = feeds.find(({ name }) => name === feed);
  if (known === undefined || known.absence !== null) return [];
  return [report.error("absent_means", at, `a row of ${feed} is no key that could be gone`, "remove absentMeans")];
}

const BLOB = "expected blob:<connection>/<container>/<prefix>";

function isBlob(location: string): boolean {
  return location.startsWith("blob:");
}

/** A folder has its archive in a folder; a container in a container that the same signature opens, since the server copies. */
function archiveFindings({ location, cleanSource: { to } }: Landing, at: KeyPath, report: Report): readonly Finding[] {
  if (to === null || (!isBlob(location) && !isBlob(to))) return [];
  const from = parseBlob(location);
  const archive = parseBlob(to);
  if (isBlob(to) && archive === null) return [report.error("bad_location", at, BLOB)];
  if (from?.connection === archive?.connection) return [];
  const fix = from === null ? "name a folder" : `blob:${from.connection}/<container>/<prefix>`;
  return [report.error("archive_elsewhere", at, "files are archived where they came from", fix)];
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
    const lists = {
      untracked: feed.history.untracked ?? [],
      ignored: feed.history.ignored ?? [],
      ignoreNulls: feed.history.ignoreNulls ?? [],
    };
    return [
      ...Object.entries(lists).flatMap(([list, columns]) => columnFindings(["feeds", name, "history", list], columns, checked, report)),
      ...precedenceFindings(["feeds", name, "history", "precedence"], feed.history.precedence, report),
      ...hintFindings(["feeds", name, "schemaEvolution", "hints"], checked, feed, report),
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

/** The engine itself judges hints when it starts; here it is asked beforehand. */
function hintFindings(at: KeyPath, checked: CheckedFeed, feed: ConfigDocument["feeds"][string], report: Report): readonly Finding[] {
  try {
    firstSchema(checked, schemaSettings(feed));
    return [];
  } catch (error) {
    return [report.error("bad_hint", at, error instanceof Error ? error.message : String(error))];
  }
}

function ruleFindings({ rules }: ConfigDocument, catalogue: Catalogue, report: Report): readonly Finding[] {
  const ids = catalogue.rules.map(({ id }) => id);
  return Object.entries(rules).flatMap(([id, { enabled: _, overrides, ...limits }]) => {
    const rule = catalogue.rules.find((each) => each.id === id);
    if (rule === undefined) {
      const fix = meant(id, ids, "rules") ?? "all of them: gridactor schema rules";
      return [report.error("unknown_rule", ["rules", id], `there is no rule "${id}"`, fix, "key")];
    }
    return [...limitFindings(["rules", id], limits, rule, report), ...overrideFindings(rule, overrides, catalogue, report)];
  });
}

type Overrides = ConfigDocument["rules"][string]["overrides"];

function overrideFindings(rule: KnownRule, overrides: Overrides, { kinds, regions }: Catalogue, report: Report): readonly Finding[] {
  const seen = new Set<string>();
  return overrides.flatMap(({ region, tariff, actor, ...limits }, n) => {
    const at = ["rules", rule.id, "overrides", String(n)];
    const scope = JSON.stringify([region, tariff, actor]);
    const isRepeated = seen.has(scope);
    seen.add(scope);
    const findings = [...limitFindings(at, limits, rule, report)];
    if (region === undefined && tariff === undefined && actor === undefined) {
      findings.push(report.error("override_scope", at, "an override is for a region, a tariff or an actor", "name one of them"));
    } else if (isRepeated) {
      findings.push(report.error("duplicate_override", at, "the same is overridden twice", "put the limits together"));
    }
    if (actor !== undefined && overriddenActor(rule.id, actor, kinds) === null) {
      findings.push(
        report.error(
          "bad_actor",
          [...at, "actor"],
          `"${actor}" names no kind of actor`,
          `write <kind>/${actor.slice(actor.indexOf("/") + 1)}; kinds: ${kinds.join(", ")}`,
        ),
      );
    }
    if (region !== undefined && !regions.includes(region)) {
      findings.push(
        report.warning("unknown_region", [...at, "region"], `the data has no region "${region}"`, meant(region, regions, "regions")),
      );
    }
    return findings;
  });
}

function limitFindings(
  at: KeyPath,
  given: Readonly<Record<string, unknown>>,
  { id, limits }: KnownRule,
  report: Report,
): readonly Finding[] {
  const known = Object.keys(limits);
  return Object.entries(given).flatMap(([name, value]) => {
    if (known.includes(name)) {
      const shipped = limits[name] ?? 0;
      if (typeof value !== "number" || value >= 0 || shipped < 0) return []; // What is measured below zero may have such a limit.
      return [
        report.error("negative_limit", [...at, name], `${name} of the rule ${id} cannot be ${value}`, `0 or more; shipped: ${shipped}`),
      ];
    }
    const fix = known.length === 0 ? "it has none" : meant(name, known, "its limits");
    return [report.error("unknown_limit", [...at, name], `the rule ${id} has no limit "${name}"`, fix, "key")];
  });
}

function connectionFindings({ connections, sinks, cluster }: ConfigDocument, report: Report): readonly Finding[] {
  const ofSinks = Object.entries(sinks).flatMap(([name, sink]) => {
    return sink.type === "kafka" ? connectionOf(["sinks", name, "connection"], sink.connection, "kafka", connections, report) : [];
  });
  const ofCluster = cluster === undefined ? [] : connectionOf(["cluster", "connection"], cluster.connection, "kafka", connections, report);
  return [
    ...Object.entries(connections).flatMap(([name, connection]) => credentialFindings(name, connection, report)),
    ...ofSinks,
    ...ofCluster,
  ];
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
      const { sas, credential, endpoint } = connection;
      const isEither = (sas === undefined) !== (credential === undefined);
      return [
        ...(isEither ? [] : [report.error("one_credential", at, "expected either sas or credential", null, "key")]),
        ...(endpoint === undefined || isSafe(endpoint)
          ? []
          : [report.error("bad_url", [...at, "endpoint"], "expected https", "https://host")]),
      ];
    }
  }
}

/** Whether others cannot read what is sent: with TLS, or on this machine. */
function isSafe(endpoint: string): boolean {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : null;
  return url?.protocol === "https:" || (url?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname));
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
