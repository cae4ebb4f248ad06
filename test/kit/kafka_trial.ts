import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { writeReadings } from "../../bench/readings.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openLmdbStore } from "../../engine/lmdb_store.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Store } from "../../engine/store.ts";
import { countOf } from "../../engine/vitals.ts";
import { aim, World } from "../../engine/world.ts";
import { deltaRows } from "./delta_reader.ts";
import { type Ending, type GridFolder, gridactor, type Running, run } from "./grid_folder.ts";
import type { KafkaBroker, Produced } from "./kafka_broker.ts";

export const TOPIC = "energy.smart_meter.readings";
export const PARTITIONS = 4;
const GROUP = "engines";

/** What is done to an engine, or to its broker, while it reads. */
export type Blow = "kill the engine" | "restart the broker" | "a second engine";

export interface TrialOptions {
  readonly broker: KafkaBroker;
  /** An empty folder. */
  readonly path: string;
  readonly meters: number;
  readonly readings: number;
  /** One in each part of the readings, which are all equally long. */
  readonly blows: readonly Blow[];
  /** One after the other, of each part. */
  readonly codecs: readonly string[];
  readonly batchRecords: number;
}

/** What is the same in whatever order partitions are read: rows with their stamps, counts of actors, their histories. (Timers follow all partitions.) */
export interface Outcome {
  readonly rows: readonly string[];
  readonly counts: readonly string[];
  readonly histories: readonly string[];
}

export interface Trial {
  /** Of the engine that suffered. */
  readonly actual: Outcome;
  /** Of a drain of the same readings from a file. */
  readonly expected: Outcome;
  readonly ending: Ending;
  /** How the second engines ended. */
  readonly seconds: readonly Ending[];
}

/** Produces readings with another client, and has an engine read them through everything that is done to it; then drains them from a file. */
export async function trial(options: TrialOptions): Promise<Trial> {
  const { broker, path, readings: count, blows, codecs } = options;
  const { readings, last } = readingsIn(path, options);
  await broker.createTopic(TOPIC, PARTITIONS);
  const source = `{ feed: smart_meter, type: kafka, connection: k, topic: ${TOPIC}, group: ${GROUP} }`;
  const folder = folderOf("kafka", source, options);
  const seconds: Ending[] = [];
  let engine = gridactor(["run", "--json"], folder);
  try {
    for (const [n, blow] of blows.entries()) {
      const part = readings.slice((n * count) / blows.length, ((n + 1) * count) / blows.length);
      const produced = broker.produce(TOPIC, part, { "compression.type": codecs[n % codecs.length] as string, "linger.ms": "20" });
      const before = await toldOf(broker);
      await produced;
      await untilTold(broker, before + 1, engine); // It is in the middle of them, or behind.
      if (blow === "kill the engine") engine = await killed(engine, folder);
      else if (blow === "restart the broker") await restarted(broker);
      else seconds.push(await run(["run", "--json"], folderOf(`second-${n}`, source, options)));
    }
    await broker.produce(TOPIC, last);
    await untilTold(broker, count + PARTITIONS, engine);
  } catch (error) {
    engine.kill("SIGKILL");
    throw error;
  }
  engine.kill("SIGINT");
  const ending = await engine.ended;
  await drain(folder); // What sinks had not taken yet.
  const file = folderOf("file", `{ feed: smart_meter, type: landing, location: ${path}/in, include: ["*.json"], format: jsonl }`, options);
  await drain(file);
  return { actual: await outcomeOf(folder), expected: await outcomeOf(file), ending, seconds };
}

async function drain(folder: GridFolder): Promise<void> {
  const { code, stderr } = await run(["run", "--drain", "--json"], folder);
  if (code !== 0) throw new Error(stderr);
}

/** What is not the same, in few words. */
export function differences({ actual, expected }: Pick<Trial, "actual" | "expected">): readonly string[] {
  return (["rows", "counts", "histories"] as const).flatMap((what) => {
    const at = expected[what].findIndex((one, n) => one !== actual[what][n]);
    if (at < 0 && expected[what].length === actual[what].length) return [];
    return [`${what}: ${actual[what].length} instead of ${expected[what].length}, ${actual[what][at]} instead of ${expected[what][at]}`];
  });
}

/** Readings of a file that is made in a folder. The last ones bring the clocks of all partitions, and of the file, to the same time. */
export function readingsIn(
  folder: string,
  { meters, readings: count }: Pick<TrialOptions, "meters" | "readings">,
): { readonly readings: readonly Produced[]; readonly last: readonly Produced[] } {
  mkdirSync(join(folder, "in"), { recursive: true });
  const file = join(folder, "in/readings.json");
  writeReadings(file, meters, count);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const readings = lines.map((value) => ({ key: (JSON.parse(value) as { meter_id: string }).meter_id, value }));
  const model = JSON.parse(lines.at(-1) ?? "") as object;
  const last = Array.from({ length: PARTITIONS }, (_, partition) => {
    const fields = { event_id: `last-${partition}`, meter_id: `SM-N-9000${partition}`, timestamp: "2025-07-01T00:00:00Z" };
    return { partition, value: JSON.stringify({ ...model, ...fields }) };
  });
  writeFileSync(file, [...lines, ...last.map(({ value }) => value), ""].join("\n"));
  return { readings, last };
}

async function killed(engine: Running, folder: GridFolder): Promise<Running> {
  engine.kill("SIGKILL");
  await engine.ended;
  return gridactor(["run", "--json"], folder);
}

async function restarted(broker: KafkaBroker): Promise<void> {
  await broker.stop("SIGKILL");
  await broker.start();
}

function folderOf(name: string, source: string, { broker, path, batchRecords }: TrialOptions): GridFolder {
  const folder = join(path, name);
  mkdirSync(folder);
  const yaml = [
    "version: 1",
    "admin: { http: false }",
    `connections: { k: { type: kafka, brokers: ["${broker.connection.brokers[0]}"] } }`,
    `sources: { meters: ${source} }`,
    "sinks:",
    "  curated: { type: parquet, stream: curated, path: out/curated, every: 1s }",
    "  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }",
    `batch: { records: ${batchRecords} }`,
  ];
  writeFileSync(join(folder, "gridactor.yaml"), yaml.join("\n"));
  return {
    path: folder,
    config: join(folder, "gridactor.yaml"),
    state: join(folder, "state"),
    alerts: join(folder, "out/alerts.jsonl"),
    curated: join(folder, "out/curated"),
  };
}

/** Resolves once the broker's tools believe that so many readings are stored; rejects if the engine ends before. */
async function untilTold(broker: KafkaBroker, count: number, { ended }: Running): Promise<void> {
  let early: Ending | null = null;
  void ended.then((ending) => {
    early = ending;
  });
  while ((await toldOf(broker)) < count) if (early !== null) throw new Error(`the engine ended early: ${JSON.stringify(early)}`);
}

/** How many readings the broker's tools believe to be stored. */
async function toldOf(broker: KafkaBroker): Promise<number> {
  const offsets = await (await broker.admin()).fetchOffsets({ groupId: GROUP, topics: [TOPIC] }).catch(() => []);
  return offsets.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

async function outcomeOf(folder: GridFolder): Promise<Outcome> {
  const rows = await deltaRows(join(folder.curated, "meter_readings"));
  const counts = await countsIn(folder);
  const store = await openLmdbStore({ dir: folder.state, limits: DEFAULT_LIMITS, readOnly: true });
  const histories = [...store.range("fact", "")].map(([key]) => key);
  await store.close();
  return {
    rows: rows.map((row) => `${row["event_id"]} ${row["late"]} ${row["conflict"]} ${JSON.stringify(row["rules"])}`).sort(),
    counts,
    histories,
  };
}

const COUNTS = ["accepted", "duplicates", "late", "quarantined", "conflicts"] as const;

/** How many records of each kind every actor of a folder has seen. */
export async function countsIn({ state: dir }: Pick<GridFolder, "state">): Promise<readonly string[]> {
  const store = await openLmdbStore({ dir, limits: DEFAULT_LIMITS, readOnly: true });
  const counts = countsOf(store);
  await store.close();
  return counts;
}

function countsOf(store: Store): readonly string[] {
  const world = new World({ name: "main", domain: GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS }, store);
  const counts: string[] = [];
  for (const [id] of store.actors()) {
    const place = world.population.place(id, () => {});
    aim(place);
    const { cursor, at } = place.kind;
    counts.push(`${id} ${COUNTS.map((count) => countOf(cursor, at, count)).join(" ")}`);
  }
  return counts.sort();
}
