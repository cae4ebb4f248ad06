import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine, StoredBatch } from "../engine/engine.ts";
import { fileOf } from "./files.ts";
import { freeBytes } from "./health.ts";

export interface MetricsOptions {
  readonly engine: Pick<Engine, "sourceReports" | "sinkReports" | "logReport"> & {
    readonly world: Pick<Engine["world"], "counters" | "feeds" | "clocks" | "timersFired"> & {
      readonly population: { readonly kinds: ReadonlyMap<string, { hits: number; misses: number }> };
    };
  };
  /** Number that the next entry of the log gets. */
  readonly nextSequence: () => number;
  readonly stateDir: string;
  readonly version: string;
}

/** What is measured, as Prometheus reads it. */
export interface Metrics {
  readonly type: string;
  text(): Promise<string>;
  batch(batch: StoredBatch): void;
  /** `route`: a template, never an address that was asked for. */
  request(route: string, status: number, tookMs: number): void;
  loopDelay(delayMs: number): void;
  subscribers(change: 1 | -1): void;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const RECORDS = [1, 10, 100, 1_000, 5_000, 10_000, 20_000];
const UNDER_WAY_MAX = 10_000;
const COUNTS = { read: "read", accepted: "accepted", duplicates: "duplicate", late: "late" } as const;

/**
 * Makes the registry. Totals that the engine stores (alerts, actors, quarantine) go on over restarts; all others begin at 0. Labels are names of the
 * configuration and words of closed lists, never ids. Per record nothing is done: what a batch has changed is counted when it is stored.
 */
export function metrics({ engine, nextSequence, stateDir, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  const common = { registers: [registry] };
  const ofBatches = [recordCounters(registry, engine), cacheCounters(registry, engine), fileCounters(registry), times(registry)];
  storedMetrics(registry, engine);
  sourceMetrics(registry, engine);
  sinkMetrics(registry, engine);
  diskMetrics(registry, stateDir);
  const delays = histogram(registry, "eventloop_delay_seconds", "How late timers are.", SECONDS);
  const requests = histogram(registry, "admin_request_seconds", "Answering one request.", SECONDS, ["route", "status"]);
  const subscribers = new Gauge({ name: "gridactor_subscribers", help: "Readers of alert streams.", ...common });
  gauge(registry, "log_sequence", "Last number of the log.", (set) => set({}, nextSequence() - 1));
  const build = new Gauge({ name: "gridactor_build_info", help: "Always 1.", labelNames: ["version", "node"], ...common });
  build.set({ version, node: process.versions.node }, 1);
  return {
    type: registry.contentType,
    text: () => registry.metrics(),
    batch(batch) {
      for (const count of ofBatches) count(batch);
    },
    request: (route, status, tookMs) => requests.observe({ route, status }, tookMs / 1_000),
    loopDelay: (delayMs) => delays.observe(delayMs / 1_000),
    subscribers: (change) => subscribers.inc(change),
  };
}

type OfBatch = (batch: StoredBatch) => void;

function times(registry: Registry): OfBatch {
  const turns = histogram(registry, "turn_seconds", "Running one batch through the actors.", SECONDS);
  const commits = histogram(registry, "commit_seconds", "Storing one batch, flushed.", SECONDS);
  const flushes = histogram(registry, "flush_seconds", "The part of it that the disk is waited for.", SECONDS);
  const records = histogram(registry, "batch_records", "Records of one batch.", RECORDS);
  return (batch) => {
    turns.observe(batch.turnMs / 1_000);
    commits.observe(batch.commitMs / 1_000);
    flushes.observe(batch.diskMs / 1_000);
    records.observe(batch.records);
  };
}

/** By source: what the feed's counters have grown by with each batch. */
function recordCounters(registry: Registry, { world }: MetricsOptions["engine"]): OfBatch {
  const names = Object.entries(COUNTS).map(([count, word]) => {
    const name = `gridactor_records_${word}_total`;
    const counter = new Counter({ name, help: `Records: ${word}.`, labelNames: ["feed", "source"], registers: [registry] });
    return [count, counter] as const;
  });
  const seen = new Map([...world.feeds.keys()].map((feed) => [feed, world.counters.group(`feed ${feed}`)]));
  return ({ feed, source }) => {
    const now = world.counters.group(`feed ${feed}`);
    const before = seen.get(feed) ?? {};
    seen.set(feed, now);
    for (const [count, counter] of names) counter.inc({ feed, source }, Math.max(0, (now[count] ?? 0) - (before[count] ?? 0)));
  };
}

/** By kind: actors that were wanted and were in memory, or had to be read from the store. */
function cacheCounters(registry: Registry, { world }: MetricsOptions["engine"]): OfBatch {
  const counter = (name: string, help: string) =>
    new Counter({ name: `gridactor_${name}`, help, labelNames: ["kind"], registers: [registry] });
  const hits = counter("actor_cache_hits_total", "Actors that were wanted, and in memory.");
  const misses = counter("actor_cache_misses_total", "Actors that were wanted, and read from the store.");
  return () => {
    for (const [kind, counts] of world.population.kinds) {
      hits.inc({ kind }, counts.hits);
      misses.inc({ kind }, counts.misses);
      counts.hits = 0;
      counts.misses = 0;
    }
  };
}

/** By source and state: files that have come into it since the start. */
function fileCounters(registry: Registry): OfBatch {
  const labelNames = ["source", "state"];
  const files = new Counter({ name: "gridactor_files_total", help: "Files that came into a state.", labelNames, registers: [registry] });
  const underWay = new Map<string, string>(); // Files that are not done; a source reads one after another.
  return ({ source, resumeAt }) => {
    for (const text of resumeAt.values()) {
      const file = fileOf(source, text);
      if (file === null) continue;
      const key = `${source}\0${file.path}`;
      if (underWay.get(key) === file.state) continue;
      files.inc({ source, state: file.state });
      if (file.state === "processing" && underWay.size < UNDER_WAY_MAX) underWay.set(key, file.state);
      else underWay.delete(key);
    }
  };
}

/** What the store counts. */
function storedMetrics(registry: Registry, { world }: MetricsOptions["engine"]): void {
  const { counters, feeds, population, clocks } = world;
  total(registry, "records_quarantined_total", "Records that could not be processed.", ["feed", "reason"], (inc) => {
    for (const feed of feeds.keys()) {
      for (const [reason, count] of Object.entries(counters.group(`quarantine ${feed}`))) inc({ feed, reason }, count);
    }
  });
  total(registry, "alert_events_total", "Events of alerts.", ["rule", "severity", "type"], (inc) => {
    for (const [rule, severity, counts] of alertCounts(counters, "event")) {
      for (const [type, count] of Object.entries(counts)) inc({ rule, severity, type }, count);
    }
  });
  const open = (set: Set): void => {
    for (const [rule, , counts] of alertCounts(counters, "open")) {
      for (const [severity, count] of Object.entries(counts)) set({ rule, severity }, Math.max(0, count));
    }
  };
  gauge(registry, "alerts_open", "Alerts that are open.", open, ["rule", "severity"]);
  total(registry, "timers_due_total", "Timers that came due.", [], (inc) => inc({}, world.timersFired));
  const byKind = (group: string) => (set: Set) => {
    for (const kind of population.kinds.keys()) set({ kind }, counters.group(group)[kind] ?? 0);
  };
  gauge(registry, "actors", "Actors.", byKind("actor"), ["kind"]);
  gauge(registry, "orphans", "Actors that no master has told of.", byKind("orphan"), ["kind"]);
  const feedClocks = (set: Set): void => {
    for (const [feed, { clockMs }] of clocks) if (Number.isFinite(clockMs)) set({ feed }, clockMs / 1_000);
  };
  gauge(registry, "feed_clock_timestamp_seconds", "Where a feed's clock stands, in event time.", feedClocks, ["feed"]);
}

/** Groups of counters called `<what> <rule>` or `<what> <rule> <severity>`. */
function* alertCounts(counters: MetricsOptions["engine"]["world"]["counters"], what: "event" | "open") {
  for (const group of counters.groups()) {
    const [first, rule = "", severity = ""] = group.split(" ");
    if (first === what) yield [rule, severity, counters.group(group)] as const;
  }
}

function sourceMetrics(registry: Registry, engine: MetricsOptions["engine"]): void {
  const ofSources = (name: string, help: string, value: (report: ReturnType<Engine["sourceReports"]>[number]) => number | null): void => {
    const collect = (set: Set): void => {
      for (const report of engine.sourceReports()) {
        const known = value(report);
        if (known !== null) set({ source: report.source }, known);
      }
    };
    gauge(registry, name, help, collect, ["source"]);
  };
  ofSources("source_lag_records", "Records that the transport says are there and that are not read yet.", ({ behind }) => behind);
  ofSources("source_watermark_timestamp_seconds", "How far a source is, in event time.", ({ watermarkMs }) =>
    watermarkMs === null ? null : watermarkMs / 1_000,
  );
  ofSources("source_up", "1: read, or read to its end; 0: after an outage, until something comes again.", ({ state }) =>
    state === "down" ? 0 : 1,
  );
}

function sinkMetrics(registry: Registry, engine: MetricsOptions["engine"]): void {
  const { counters } = engine.world;
  const ofSinks = (value: "settled" | "retries") => (set: Set) => {
    for (const report of engine.sinkReports()) set({ sink: report.sink }, report[value]);
  };
  gauge(registry, "sink_sequence", "Last number that a sink holds for good.", ofSinks("settled"), ["sink"]);
  total(registry, "sink_retries_total", "Failed writes of a sink.", ["sink"], ofSinks("retries"));
  const waits = (set: Set): void => set({}, engine.logReport()?.waiting == null ? 0 : 1);
  gauge(registry, "sources_waiting", "1: sources wait, because the log is full of what sinks have not taken, or the disk is.", waits, []);
  const logBytes = (set: Set): void => {
    for (const [stream, bytes] of Object.entries(engine.logReport()?.bytes ?? {})) set({ stream }, bytes);
  };
  gauge(registry, "log_bytes", "Size of the log.", logBytes, ["stream"]);
  const deadLetters = (set: Set): void => {
    for (const { sink } of engine.sinkReports()) set({ sink }, counters.group("dead_letter")[sink] ?? 0);
  };
  gauge(registry, "sink_dead_letters", "Events that a sink was refused.", deadLetters, ["sink"]);
}

function diskMetrics(registry: Registry, stateDir: string): void {
  const measured = (name: string, help: string, bytes: () => Promise<number>): void => {
    new Gauge({
      name: `gridactor_${name}`,
      help,
      registers: [registry],
      async collect() {
        this.set(await bytes());
      },
    });
  };
  measured("store_bytes", "Size of the state.", () => sizeBytes(stateDir));
  measured("store_free_disk_bytes", "Free space for the state.", () => freeBytes(stateDir));
}

/** Of the files in a folder; one that goes away meanwhile counts no more. */
async function sizeBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name)).then(({ size }) => size, isGone)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function isGone(error: unknown): number {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
  throw error;
}

type Set = (labels: Readonly<Record<string, string>>, value: number) => void;

function histogram(registry: Registry, name: string, help: string, buckets: number[], labelNames: string[] = []): Histogram {
  return new Histogram({ name: `gridactor_${name}`, help, buckets, labelNames, registers: [registry] });
}

function gauge(registry: Registry, name: string, help: string, collect: (set: Set) => void, labelNames: readonly string[] = []): void {
  new Gauge({
    name: `gridactor_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => this.set(labels, value));
    },
  });
}

/** A counter that is kept elsewhere. */
function total(registry: Registry, name: string, help: string, labelNames: readonly string[], collect: (inc: Set) => void): void {
  new Counter({
    name: `gridactor_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      collect((labels, value) => this.inc(labels, value));
    },
  });
}
