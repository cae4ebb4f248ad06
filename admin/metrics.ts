import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine, StoredBatch } from "../engine/engine.ts";
import { freeBytes } from "./health.ts";

export interface MetricsOptions {
  readonly engine: Pick<Engine, "world" | "sinkReports">;
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
const COUNTS = { read: "read", accepted: "accepted", duplicates: "duplicate", late: "late" } as const;

/** Makes the registry. Totals that the engine stores go on over restarts; those with a source begin at 0. */
export function metrics({ engine, nextSequence, stateDir, version }: MetricsOptions): Metrics {
  const registry = new Registry();
  const common = { registers: [registry] };
  const records = recordCounters(registry, engine);
  storedMetrics(registry, engine);
  sinkMetrics(registry, engine);
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name: `gridactor_${name}`, help, buckets, ...common });
  const turns = histogram("turn_seconds", "Running one batch through the actors.", SECONDS);
  const commits = histogram("commit_seconds", "Storing one batch, flushed.", SECONDS);
  const batches = histogram("batch_records", "Records of one batch.", RECORDS);
  const delays = histogram("eventloop_delay_seconds", "How late timers are.", SECONDS);
  const requests = new Histogram({
    name: "gridactor_admin_request_seconds",
    help: "Answering one request.",
    labelNames: ["route", "status"],
    buckets: SECONDS,
    ...common,
  });
  const subscribers = new Gauge({ name: "gridactor_subscribers", help: "Readers of alert streams.", ...common });
  gauge(registry, "log_sequence", "Last number of the log.", (set) => set({}, nextSequence() - 1));
  new Gauge({
    name: "gridactor_store_free_disk_bytes",
    help: "Free space for the state.",
    ...common,
    async collect() {
      this.set(await freeBytes(stateDir));
    },
  });
  const build = new Gauge({ name: "gridactor_build_info", help: "Always 1.", labelNames: ["version", "node"], ...common });
  build.set({ version, node: process.versions.node }, 1);
  return {
    type: registry.contentType,
    text: () => registry.metrics(),
    batch(batch) {
      turns.observe(batch.turnMs / 1_000);
      commits.observe(batch.commitMs / 1_000);
      batches.observe(batch.records);
      records(batch);
    },
    request: (route, status, tookMs) => requests.observe({ route, status }, tookMs / 1_000),
    loopDelay: (delayMs) => delays.observe(delayMs / 1_000),
    subscribers: (change) => subscribers.inc(change),
  };
}

/** By source: what the feed's counters have grown by with each batch. */
function recordCounters(registry: Registry, { world }: MetricsOptions["engine"]): (batch: StoredBatch) => void {
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

/** What the store counts. */
function storedMetrics(registry: Registry, { world }: MetricsOptions["engine"]): void {
  const { counters, feeds, population, clocks } = world;
  total(registry, "records_quarantined_total", "Records that could not be processed.", ["feed", "reason"], (inc) => {
    for (const feed of feeds.keys()) {
      for (const [reason, count] of Object.entries(counters.group(`quarantine ${feed}`))) inc({ feed, reason }, count);
    }
  });
  total(registry, "alert_events_total", "Events of alerts; as yet only those that raise one.", ["rule", "type"], (inc) => {
    for (const [rule, count] of Object.entries(counters.group("alert"))) inc({ rule, type: "raised" }, count);
  });
  const byKind = (group: string) => (set: Set) => {
    for (const kind of population.kinds.keys()) set({ kind }, counters.group(group)[kind] ?? 0);
  };
  gauge(registry, "actors", "Actors.", byKind("actor"), ["kind"]);
  gauge(registry, "orphans", "Actors that no master has told of.", byKind("orphan"), ["kind"]);
  gauge(
    registry,
    "feed_clock_timestamp_seconds",
    "Where a feed's clock stands, in event time.",
    (set) => {
      for (const [feed, { clockMs }] of clocks) if (Number.isFinite(clockMs)) set({ feed }, clockMs / 1_000);
    },
    ["feed"],
  );
}

function sinkMetrics(registry: Registry, engine: MetricsOptions["engine"]): void {
  const ofSinks = (value: "settled" | "retries") => (set: Set) => {
    for (const report of engine.sinkReports()) set({ sink: report.sink }, report[value]);
  };
  gauge(registry, "sink_sequence", "Last number that a sink holds for good.", ofSinks("settled"), ["sink"]);
  total(registry, "sink_retries_total", "Failed writes of a sink.", ["sink"], ofSinks("retries"));
}

type Set = (labels: Readonly<Record<string, string>>, value: number) => void;

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
