// timeout: 240 s
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as assert from "uvu/assert";
import type { AlertEvent } from "../../engine/emission.ts";
import { liveMessages } from "../../simulators/live.ts";
import { type AmqpHub, amqpHub, type HubEvent } from "../kit/amqp_hub.ts";
import { deltaRows } from "../kit/delta_reader.ts";
import { alertLines, type GridFolder, gridactor, type Running, run } from "../kit/grid_folder.ts";
import { countsIn } from "../kit/kafka_trial.ts";
import { suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("event hub, end to end");

/** `HUB_EVENTS=100000` is the whole exercise, and takes a minute or two. */
const EVENTS = Number(process.env["HUB_EVENTS"] ?? 4_000);
const PARTITIONS = 4;
const RATE = 50;
const START_MS = Date.UTC(2025, 5, 16);
const STOP_WITHIN_MS = 14_000; // Sinks may have much to flush on a busy machine; later the process would give up by itself.

const folders: string[] = [];
const children: Running[] = [];
const hubs: AmqpHub[] = [];
test.after(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const hub of hubs) await hub.close();
  for (const folder of folders) await removeFolder(folder);
});

/** A record for a partition. */
interface Sent {
  readonly partition: number;
  readonly event: HubEvent;
}

test(`${EVENTS} events arrive once: as from a file, with cut connections, a stolen partition, and the engine killed`, async () => {
  const sent = [...telemetry(EVENTS), ...lastOnes("A", START_MS + (EVENTS / RATE) * 1_000)];
  const more = [...telemetry(EVENTS / 10, EVENTS), ...lastOnes("B", START_MS + (EVENTS / RATE) * 1_100)];
  const expected = await fromFile([...sent, ...more]);

  const hub = await newHub();
  const folder = await newFolder(HUB_CONFIG);
  append(hub, sent.slice(0, sent.length / 2));
  await killedWhen(folder, hub, EVENTS / 5); // In the midst of what is there.
  const cut = start(folder);
  await hub.until(() => total(hub) > EVENTS / 4);
  hub.disconnect();
  append(hub, sent.slice(sent.length / 2));
  await killedWhen(folder, hub, EVENTS, cut);

  const robbed = start(folder);
  await shown(robbed, "A", [0, 1, 2, 3]);
  hub.steal(3, Number.MAX_SAFE_INTEGER);
  await robbed.until(({ stderr }) => stderr.includes("source.stopped"));
  append(hub, more);
  await shown(robbed, "B", [0, 1, 2]);
  await stopped(robbed);
  assert.match(robbed.output().stderr, /partition 3 of telemetry is read no more: another reader/);
  assert.is(await rowsOf(folder).then(({ length }) => length), sent.length + more.filter(({ partition }) => partition !== 3).length);

  hub.free(3);
  const last = start(folder);
  await shown(last, "B", [3]);
  await stopped(last);
  const outcome = await outcomeOf(folder);
  assert.equal(differences(outcome, expected), []);
});

test("a connection string that is none ends a run with 78, and is not shown", async () => {
  process.env["EVENTHUB_CONNECTION_STRING"] = "Endpoint=canary";
  const { code, stdout, stderr } = await run(["run", "--json"], await newFolder(HUB_CONFIG));
  assert.equal([code, stdout], [78, ""]);
  assert.match(stderr, /the connection string of connections.hub/);
  assert.not.match(stderr, /canary/);
});

// Records -------------------------------------------------------------------------------------------------------------------------------

function telemetry(count: number, first = 0): readonly Sent[] {
  const options = { profile: "substations", seed: 42, scale: 1, startAtMs: START_MS, rate: RATE, first } as const;
  const messages = liveMessages(options);
  return Array.from({ length: count }, () => {
    const { key, json, atMs } = messages.next().value;
    const partition = [...key].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % PARTITIONS;
    return { partition, event: { body: Buffer.from(json), arrivedAtMs: Math.ceil(atMs), key } };
  });
}

/** Of each partition one hot transformer: its alert shows that all before it is stored. */
function lastOnes(name: string, atMs: number): readonly Sent[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const record = {
      telemetry_id: `LAST-${name}-${partition}`,
      substation_id: `SUB-N-90${partition}`,
      transformer_id: transformerOf(name, partition),
      timestamp: new Date(atMs).toISOString(),
      oil_temperature_c: 99,
      ambient_temperature_c: 20,
    };
    return { partition, event: { body: Buffer.from(JSON.stringify(record)), arrivedAtMs: atMs } };
  });
}

function transformerOf(name: string, partition: number): string {
  return `TRF-N-9${name === "A" ? 1 : 2}0${partition}`;
}

function append(hub: AmqpHub, sent: readonly Sent[]): void {
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    hub.append(
      partition,
      sent.filter((one) => one.partition === partition).map(({ event }) => event),
    );
  }
}

// Runs ----------------------------------------------------------------------------------------------------------------------------------

/** What a run leaves behind, in an order that does not depend on that of the partitions. */
interface Outcome {
  readonly rows: readonly string[];
  readonly raised: readonly string[];
  /** How many records each actor has seen. (What parents gather from their children depends on the order of partitions.) */
  readonly counts: readonly string[];
}

const SINKS = `sinks:
  alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl }
  curated: { type: parquet, stream: curated, path: out/curated }
admin: { http: false }
rules: { grid.flood: { enabled: false } } # How many alerts a region raises in a minute depends on the order of partitions.
`;
const HUB_CONFIG = `version: 1
connections: { hub: { type: eventhub, connectionString: "\${env:EVENTHUB_CONNECTION_STRING}" } }
sources: { telemetry: { feed: substation_telemetry, type: eventhub, connection: hub, hub: telemetry, maxPerBatch: 200 } }
${SINKS}`;
const FILE_CONFIG = `version: 1
sources: { telemetry: { feed: substation_telemetry, type: landing, location: data, include: ["*.json"], format: jsonl, settle: 0s } }
${SINKS}`;

async function fromFile(sent: readonly Sent[]): Promise<Outcome> {
  const folder = await newFolder(FILE_CONFIG);
  await mkdir(join(folder.path, "data"));
  await writeFile(join(folder.path, "data", "telemetry.json"), sent.map(({ event }) => `${event.body}\n`).join(""));
  const { code, stderr } = await run(["run", "--drain", "--json"], folder);
  assert.is(code, 0, stderr);
  const outcome = await outcomeOf(folder);
  assert.is(outcome.rows.length, sent.length);
  return outcome;
}

async function outcomeOf(folder: GridFolder): Promise<Outcome> {
  const raised = (await alertLines(folder)).filter(({ id }) => id.endsWith("/1"));
  assert.is(new Set(raised.map(({ id }) => id)).size, raised.length);
  return { rows: await rowsOf(folder), raised: raised.map(stampOf).sort(), counts: await countsIn(folder) };
}

/** In few words. */
function differences(actual: Outcome, expected: Outcome): readonly string[] {
  return (["rows", "raised", "counts"] as const).flatMap((what) => {
    const [got, wanted] = [actual[what], expected[what]];
    const at = wanted.findIndex((one, n) => got[n] !== one);
    return at < 0 && got.length === wanted.length
      ? []
      : [`${what}: ${got.length} for ${wanted.length}, at ${at}: ${got[at]}\nfor ${wanted[at]}`];
  });
}

function stampOf({ id, time, data }: AlertEvent): string {
  return `${id} ${time} ${data.rule}`;
}

/** The curated records, without what tells how they came. */
async function rowsOf({ curated }: GridFolder): Promise<readonly string[]> {
  const rows = await deltaRows(join(curated, "transformer_telemetry"));
  return rows
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !HOW_IT_CAME.includes(name))))
    .map((row) => JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)))
    .sort();
}

const HOW_IT_CAME = ["_source", "_position", "_seq", "_ingestion_ts"];

async function newFolder(text: string): Promise<GridFolder> {
  const path = await newTempFolder();
  folders.push(path);
  const config = join(path, "gridactor.yaml");
  await writeFile(config, text);
  return { path, config, state: join(path, "state"), alerts: join(path, "out/alerts.jsonl"), curated: join(path, "out/curated") };
}

async function newHub(): Promise<AmqpHub> {
  const hub = await amqpHub({ partitions: PARTITIONS });
  hubs.push(hub);
  process.env["EVENTHUB_CONNECTION_STRING"] = hub.connectionString; // Its children have it from us.
  return hub;
}

function start(folder: GridFolder): Running {
  const child = gridactor(["run"], folder);
  children.push(child);
  return child;
}

/** Kills a run once the hub has sent so many events in all. */
async function killedWhen(folder: GridFolder, hub: AmqpHub, events: number, child = start(folder)): Promise<void> {
  await Promise.race([hub.until(() => total(hub) >= events), child.ended]);
  child.kill("SIGKILL");
  const { code, stderr } = await child.ended;
  assert.is(code, null, stderr);
}

function total(hub: AmqpHub): number {
  return Array.from({ length: PARTITIONS }, (_, partition) => hub.sent(partition)).reduce((sum, sent) => sum + sent);
}

/** Waits until the last records of these partitions have had their effect. */
function shown(child: Running, name: string, partitions: readonly number[]): Promise<void> {
  return child.until(({ stdout }) => partitions.every((partition) => stdout.includes(transformerOf(name, partition))));
}

async function stopped(child: Running): Promise<void> {
  child.kill("SIGINT");
  const deadline = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS); // deadline: it must have stopped by itself by then.
  const { code, stderr } = await child.ended;
  clearTimeout(deadline);
  assert.is(code, 0, stderr);
}
