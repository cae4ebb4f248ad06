// timeout: 120 s
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { smartMeter } from "../../actors/feeds/smart_meter.ts";
import { type Metrics, type MetricsOptions, metrics } from "../../admin/metrics.ts";
import { compose } from "../../compose.ts";
import { Counters } from "../../engine/counters.ts";
import { hours } from "../../engine/duration.ts";
import type { StoredBatch } from "../../engine/engine.ts";
import type { Feed } from "../../engine/feed.ts";
import { Position, SourceId } from "../../engine/ids.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { FeedClock } from "../../engine/watermark.ts";
import { alertLines, gridConfig, inGridFolder, ROOT } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";
import { inTempFolder } from "../kit/temp_folder.ts";

const test = suite("metrics");

/** The table of the interfaces: name without `gridactor_` -> type, labels. */
const TABLE: Readonly<Record<string, readonly [type: "counter" | "gauge" | "histogram", ...labels: string[]]>> = {
  records_read_total: ["counter", "feed", "source"],
  records_accepted_total: ["counter", "feed", "source"],
  records_duplicate_total: ["counter", "feed", "source"],
  records_late_total: ["counter", "feed", "source"],
  records_quarantined_total: ["counter", "feed", "reason"],
  source_lag_records: ["gauge", "source"],
  source_watermark_timestamp_seconds: ["gauge", "source"],
  source_up: ["gauge", "source"],
  feed_clock_timestamp_seconds: ["gauge", "feed"],
  actors: ["gauge", "kind"],
  orphans: ["gauge", "kind"],
  actor_cache_hits_total: ["counter", "kind"],
  actor_cache_misses_total: ["counter", "kind"],
  alert_events_total: ["counter", "rule", "severity", "type"],
  alerts_open: ["gauge", "rule", "severity"],
  log_sequence: ["gauge"],
  sink_sequence: ["gauge", "sink"],
  sources_waiting: ["gauge"],
  log_bytes: ["gauge", "stream"],
  sink_retries_total: ["counter", "sink"],
  sink_dead_letters: ["gauge", "sink"],
  turn_seconds: ["histogram"],
  commit_seconds: ["histogram"],
  flush_seconds: ["histogram"],
  batch_records: ["histogram"],
  timers_due_total: ["counter"],
  store_bytes: ["gauge"],
  store_free_disk_bytes: ["gauge"],
  eventloop_delay_seconds: ["histogram"],
  subscribers: ["gauge"],
  admin_request_seconds: ["histogram", "route", "status"],
  files_total: ["counter", "source", "state"],
  build_info: ["gauge", "version", "node"],
};

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

test("exactly the names, types and labels of the table are exported", () =>
  inTempFolder(async (folder) => {
    const measured = metrics(engineWith(folder));
    measured.batch(batchOf({ state: "committed" }));
    measured.request("/v1/alerts", 200, 12);
    measured.loopDelay(3);
    measured.subscribers(1);
    const { types, samples } = parsed(await measured.text());
    const expected = Object.entries(TABLE).map(([name, [type]]) => [`gridactor_${name}`, type]);
    assert.equal([...types].sort(), expected.sort());
    for (const [name, [type, ...labels]] of Object.entries(TABLE)) {
      const suffix = type === "histogram" ? "_count" : "";
      const own = samples.filter((sample) => sample.name === `gridactor_${name}${suffix}`);
      assert.ok(own.length > 0, `${name} has a sample`);
      for (const sample of own) assert.equal(Object.keys(sample.labels).sort(), [...labels].sort(), name);
    }
  }));

test("batches, times, files and the size of the state are counted", () =>
  inTempFolder(async (folder) => {
    const options = engineWith(folder);
    const measured = metrics(options);
    options.engine.world.counters.add("feed smart_meter", "read", 7);
    for (const state of ["discovered", "processing", "processing", "committed", "archived"]) measured.batch(batchOf({ state }));
    const value = await valuesOf(measured);
    assert.is(value("records_read_total", { feed: "smart_meter", source: "meters" }), 7);
    assert.equal(
      [value("batch_records_sum"), value("turn_seconds_sum"), value("commit_seconds_sum"), value("flush_seconds_sum")],
      [25, 0.01, 0.02, 0.015],
    );
    const files = ["discovered", "processing", "committed", "archived"].map((state) => value("files_total", { source: "meters", state }));
    assert.equal(files, [1, 1, 1, 1], "a file under way is counted once");
    assert.equal([value("actor_cache_hits_total", { kind: "meter" }), value("actor_cache_misses_total", { kind: "meter" })], [40, 2]);
    assert.is(value("store_bytes"), 1_000);
    assert.equal([value("sources_waiting"), value("log_bytes", { stream: "curated" })], [1, 80]);
    assert.ok((value("store_free_disk_bytes") ?? 0) > 0);
  }));

test("after a drain the open alerts and the events are those of the log", () =>
  inGridFolder(async (folder) => {
    const store = openMemoryStore();
    const engine = await compose({
      config: gridConfig(folder),
      store,
      mode: "drain",
      screen: null,
      onRetry: (source, error) => assert.unreachable(`${source}: ${error.message}`),
      onSinkRetry: () => {},
      onStage: () => {},
      onTrouble: () => {},
      onBatch: (batch) => measured.batch(batch),
    });
    mkdirSync(folder.state, { recursive: true });
    const measured = metrics({ engine, nextSequence: () => store.nextSequence, stateDir: folder.state, version: "0" });
    await engine.run(new AbortController().signal, hours(1));
    const { samples } = parsed(await measured.text());
    await engine.close();
    const events = await alertLines(folder);
    const newest = new Map(events.map((event) => [event.data.alertId, event.data]));
    const open = [...newest.values()].filter(({ status }) => status !== "cleared" && status !== "retracted");
    assert.equal(summed(samples, "gridactor_alerts_open"), counted(open.map(({ rule, severity }) => `${rule} ${severity}`)));
    const types = events.map(({ type, data }) => `${data.rule} ${data.severity} ${type.split(".")[2]}`);
    assert.equal(summed(samples, "gridactor_alert_events_total"), counted(types));
    const value = (name: string, source: string) =>
      samples.find((one) => one.name === `gridactor_${name}` && one.labels["source"] === source)?.value;
    assert.equal([value("source_up", "meters"), value("source_lag_records", "meters")], [1, undefined]);
    assert.ok((value("source_watermark_timestamp_seconds", "meters") ?? 0) > Date.UTC(2025, 5, 15) / 1_000);
    assert.is(value("files_total", "meters"), 1);
  }));

test("no label is an id, and no metric has more series than closed lists allow", () =>
  inTempFolder(async (folder) => {
    const { samples } = parsed(await metrics(engineWith(folder)).text());
    const ids = samples
      .flatMap(({ labels }) => Object.values(labels))
      .filter((label) => /^(?:ALR-|Q-|SM-|TRF-|SUB-|CUST-|TXN-)/.test(label));
    assert.equal(ids, []);
  }));

test("every query of the dashboard and of the alarms names metrics and labels that there are", () => {
  const dashboard = JSON.parse(readFileSync(join(ROOT, "contrib/grafana-dashboard.json"), "utf8")) as {
    readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const rules = parse(readFileSync(join(ROOT, "contrib/prometheus-alarms.yaml"), "utf8")) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  };
  const queries = [
    ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
    ...rules.groups.flatMap((group) => group.rules.map(({ alert, expr }) => [alert, expr] as const)),
  ];
  assert.ok(queries.length > 20);
  for (const [title, query] of queries) assert.equal(unknownIn(query), [], `${title}: ${query}`);
  assert.equal(unknownIn("rate(gridactor_turns_total[5m])"), ["gridactor_turns_total"]);
  assert.equal(unknownIn('sum by (actor) (gridactor_alerts_open{rule="x"})'), ["actor"]);
});

/** Names of metrics, and of labels of these, that a query of Prometheus has and that are not exported. */
function unknownIn(query: string): readonly string[] {
  const names = [...query.matchAll(/gridactor_\w+/g)].map(([name]) => name);
  const known = names.map((name) => [name, TABLE[name.replace("gridactor_", "").replace(/_(?:bucket|sum|count)$/, "")]] as const);
  const labels = known.flatMap(([, entry]) => entry?.slice(1) ?? []);
  const used = [
    ...[...query.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
      list.split(",").map((name) => name.trim()),
    ),
    ...[...query.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = ""]) => [...list.matchAll(/(\w+)\s*(?:=|!)/g)].map(([, name = ""]) => name)),
  ];
  const given = ["le", "job", "instance", ...labels];
  return [
    ...known.filter(([, entry]) => entry === undefined).map(([name]) => name),
    ...used.filter((name) => name !== "" && !given.includes(name)),
  ];
}

/** An engine that has seen one of everything. */
function engineWith(folder: string): MetricsOptions {
  writeFileSync(join(folder, "data"), Buffer.alloc(1_000));
  const counters = new Counters();
  counters.add("quarantine smart_meter", "bad_json", 1);
  counters.add("event meter.spike major", "raised", 2);
  counters.add("open meter.spike", "major", 1);
  const clock = new FeedClock("smart_meter", 0);
  clock.clockMs = 5_000;
  const clocks = new Map([["smart_meter", clock]]);
  const feeds = new Map<string, Feed>([["smart_meter", smartMeter]]);
  return {
    engine: {
      world: { counters, clocks, feeds, timersFired: 3, population: { kinds: new Map([["meter", { hits: 40, misses: 2 }]]) } },
      sourceReports: () => [{ source: SourceId("meters"), feed: "smart_meter", state: "up", behind: 4, watermarkMs: 6_000 }],
      sinkReports: () => [{ sink: "alerts_file", settled: 9, behind: 1, lastSuccess: null, retries: 1 }],
      logReport: () => ({ waiting: "the log of curated is full", bytes: { alerts: 3, curated: 80 }, sizeBytesMax: 100 }),
    },
    nextSequence: () => 11,
    stateDir: folder,
    version: "0.1.0",
  };
}

function batchOf({ state }: { readonly state: string }): StoredBatch {
  const file = { path: "a.json", sizeBytes: 1, contentId: "c", etag: null, state, rows: 1, faults: 0, row: 1, error: null };
  const resumeAt = new Map([["a.json", Position(JSON.stringify(file))]]);
  return { source: SourceId("meters"), feed: "smart_meter", records: 5, turnMs: 2, commitMs: 4, diskMs: 3, resumeAt };
}

function parsed(text: string): { readonly types: readonly (readonly [name: string, type: string])[]; readonly samples: readonly Sample[] } {
  const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type] as const);
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = "", labels = "", value = ""]) => ({
    name,
    labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = "", text = ""]) => [label, text])),
    value: Number(value),
  }));
  return { types, samples };
}

async function valuesOf(measured: Metrics): Promise<(name: string, labels?: Readonly<Record<string, string>>) => number | undefined> {
  const { samples } = parsed(await measured.text());
  return (name, labels = {}) => {
    const found = samples.find(
      (one) => one.name === `gridactor_${name}` && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
    );
    return found === undefined ? undefined : Math.round(found.value * 1e6) / 1e6;
  };
}

function summed(samples: readonly Sample[], name: string): Readonly<Record<string, number>> {
  const own = samples.filter((sample) => sample.name === name && sample.value > 0);
  const entries = own.map(
    ({ labels, value }) =>
      [[labels["rule"], labels["severity"], labels["type"]].filter((word) => word !== undefined).join(" "), value] as const,
  );
  return Object.fromEntries([...entries].sort());
}

function counted(words: readonly string[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort());
}
