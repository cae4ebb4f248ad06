import { growsByItself } from "../engine/schema.ts";
import type { CheckedFeed } from "./config_references.ts";
import type { Report } from "./config_report.ts";
import type { ConfigDocument } from "./config_schema.ts";
import type { Config, SinkConfig, SourceConfig } from "./config_types.ts";
import type { Finding, KeyPath } from "./finding.ts";

/** What this version runs. All else that the schema knows is valid, and for a later one. */
const RUNS = {
  sources: ["landing", "simulator", "kafka", "eventhub"],
  sinks: ["jsonl", "parquet", "kafka", "webhook"],
  precedence: "snapshot, delta, cdc",
};
const TYPES = `it runs sources of type ${RUNS.sources.join(", ")} and sinks of type ${RUNS.sinks.join(", ")}`;

/** What is valid, but cannot be run by this version: warnings, which refuse a run. */
export function unsupportedFindings(
  document: ConfigDocument,
  config: Config,
  feeds: readonly CheckedFeed[],
  report: Report,
): readonly Finding[] {
  const unless = (isRun: boolean, path: KeyPath, what: string, fix: string): readonly Finding[] => {
    return isRun ? [] : [report.warning("unsupported", path, `this version does not run ${what}`, fix)];
  };
  return [
    ...config.sources.flatMap((source) => ofSource(source, unless)),
    ...config.sinks.flatMap((sink) => ofSink(sink, unless)),
    ...Object.entries(document.feeds).flatMap(([name, feed]) =>
      ofFeed(
        feeds.find((known) => known.name === name),
        feed,
        config,
        unless,
      ),
    ),
    ...ofCluster(document, config, unless),
  ];
}

type Unless = (isRun: boolean, path: KeyPath, what: string, fix: string) => readonly Finding[];

function ofSource(source: SourceConfig, unless: Unless): readonly Finding[] {
  const at = ["sources", source.id];
  if (source.type === "added") return []; // Whoever added the type runs it.
  return unless(RUNS.sources.includes(source.type), [...at, "type"], `sources of type ${source.type}`, TYPES);
}

/** A shard's state is a function of its mailbox: what else could change it is not run, nor are doors of a node. */
function ofCluster(document: ConfigDocument, { cluster, sources, http }: Config, unless: Unless): readonly Finding[] {
  if (cluster === null) return [];
  const isFolder = cluster.snapshots === null || !(document.cluster?.snapshots ?? "").startsWith("blob:");
  return [
    ...unless(http === null, ["admin", "http"], "HTTP on a node of a cluster", "set admin: { http: false }; ask a shard by --state"),
    ...unless(isFolder, ["cluster", "snapshots"], "snapshots in a container", "name a folder that all nodes reach"),
    ...sources.flatMap((source) => {
      const at = (key: string): KeyPath => ["sources", source.id, key];
      if (source.type === "landing")
        return unless(source.absentMeans === "unknown", at("absentMeans"), "absentMeans: delete in a cluster", "absentMeans: unknown");
      const isStopped = source.type === "added" || source.type === "simulator" || source.onGap === "stop";
      return unless(isStopped, at("onGap"), "onGap: accept in a cluster", "onGap: stop");
    }),
    ...Object.entries(document.feeds).flatMap(([name, { schemaEvolution }]) =>
      unless(
        schemaEvolution.mode !== "failOnNewColumns",
        ["feeds", name, "schemaEvolution", "mode"],
        "failOnNewColumns in a cluster",
        "mode: rescue",
      ),
    ),
  ];
}

function ofSink({ name, type }: SinkConfig, unless: Unless): readonly Finding[] {
  if (type === "added") return [];
  return unless(RUNS.sinks.includes(type), ["sinks", name, "type"], `sinks of type ${type}`, TYPES);
}

function ofFeed(
  known: CheckedFeed | undefined,
  feed: ConfigDocument["feeds"][string],
  { feeds, limits }: Config,
  unless: Unless,
): readonly Finding[] {
  if (known === undefined) return [];
  const { name, table } = known;
  const at = ["feeds", name];
  const { mode = "rescue" } = feed.schemaEvolution;
  const keepsColumns = table !== null || !growsByItself({ mode });
  const isCaptured = feed.captureColumns.length === 0 || known.captured !== null;
  const isUsualFuture = feeds.get(name)?.futureMs === limits.futureMs;
  const isUsualOrder = feed.history.precedence.join(", ") === RUNS.precedence;
  return [
    ...unless(keepsColumns, [...at, "schemaEvolution", "mode"], "new columns in histories", "mode: rescue keeps them in _rescued_data"),
    ...unless(isUsualOrder, [...at, "history", "precedence"], "another precedence", `it is ${RUNS.precedence}`),
    ...unless(isCaptured, [...at, "captureColumns"], `an order of captured columns for ${name}`, "only billing brings captured changes"),
    ...unless(isUsualFuture, [...at, "future"], "a future of its own for one feed", "set limits.futureMs"),
  ];
}
