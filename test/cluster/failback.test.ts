// timeout: 480 s
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { readingLine } from "../../bench/readings.ts";
import { initCluster } from "../../cluster/topics.ts";
import { clusterSettings } from "../../cluster_daemon.ts";
import { wallClock } from "../../engine/clock.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import type { TopicRecord } from "../../sinks/kafka.ts";
import { kafkaClient } from "../../sources/kafka/client.ts";
import { kafkaTopic } from "../../sources/kafka/topic.ts";
import { done, type NodeFolder, newNode, startNode, watched } from "../kit/cluster_kit.ts";
import { alertLines, gridConfig, type Running } from "../kit/grid_folder.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("a shard that goes to another node and comes back");

const MISSING = brokerMissing();
const SHARDS = 2;
const METERS = 50;
const ALERTS = "energy.alerts";

let broker: KafkaBroker;
let path: string;
const running: Running[] = [];
test.before(async () => {
  if (MISSING !== null) return;
  path = await newTempFolder();
  broker = await startBroker();
});
test.after(async () => {
  for (const one of running) one.kill("SIGKILL");
  await Promise.all(running.map((one) => one.ended));
  await broker?.remove();
  if (MISSING === null) await removeFolder(path);
});

test("its alerts are all in the topic, whoever had it, and what is there twice has one id; who is overtaken gives up the shard, and not the process", async () => {
  if (MISSING !== null) return notRun("cluster: fail over and fail back", MISSING);
  await broker.createTopic(ALERTS, 1);
  const input = join(path, "in");
  mkdirSync(input);
  const base = baseOf(input, `type: kafka, connection: k, topic: ${ALERTS}`, join(path, "shared", "alerts.jsonl"));
  const node = (name: string, every: string): NodeFolder =>
    newNode(path, name, base, broker.connection, `mailbox: back.mailbox, shards: ${SHARDS}, group: back, ${snapshots(every)}`);
  const shooting = node("a", "1s");
  await initCluster(clusterSettings(gridConfig(shooting), false));
  const first = await started(shooting);
  await fed(shooting, 0, 1_500);
  await watched(broker.connection, "back", async (book) => {
    const isShot = (n: number): boolean => (book.get(`shard ${n}`)?.snapshot?.next ?? 0) > 5;
    while (![0, 1].every(isShot)) await book.changed();
  });
  first.kill("SIGTERM");
  assert.is((await first.ended).code, 0);

  const [a, b] = [node("a", "1h"), node("b", "1h")];
  const survivor = await started(a);
  await fed(a, 1_500, 1_800); // Its own state is now further than its snapshot, from which the other node goes on.
  const victim = await started(b);
  await fed(a, 1_800, 2_600);
  const generations = new Set((await topicRecords()).map(({ headers }) => headers.get("epoch")));
  assert.ok(generations.size > SHARDS, "the other node has published, in a generation of its own");
  victim.kill("SIGKILL");
  await victim.ended;
  await fed(a, 2_600, 3_000);
  survivor.kill("SIGTERM");
  assert.is((await survivor.ended).code, 0, (await survivor.ended).stderr);

  await overtake();
  const last = await started(a);
  await fed(a, 3_000, 3_600);
  // Given up, and owned again when nobody else had it.
  await last.until(({ stderr }) => [0, 1].every((n) => new RegExp(`given up: shard ${n}[^]*owned: shard ${n}`).test(stderr)));
  await fed(a, 3_600, 3_700);
  last.kill("SIGTERM");
  assert.is((await last.ended).code, 0, (await last.ended).stderr);

  const records = (await topicRecords()).filter(({ headers }) => headers.get("ce_id") !== FORGED);
  const found = new Set(records.map(idOf));
  const alone = await aloneIds(input);
  assert.ok(alone.size > 100, `${alone.size} alert events`);
  assert.equal(
    [...alone].filter((id) => !found.has(id)),
    [],
    "none is lost",
  );
  assert.equal(
    [...found].filter((id) => !alone.has(id)),
    [],
    "none is another one's",
  );
  const [ofA, ofB] = [sharedIds("a"), sharedIds("b")];
  assert.ok(ofB.size > 0, "the other node has files of its own in the folder that both write to");
  assert.equal(new Set([...ofA, ...ofB]), alone);
});

/** The id of what is in the topic of a generation that no node has. */
const FORGED = "forged";

/** Each shard finds that somebody else has published with its state, in a generation beyond all that a node has told. */
async function overtake(): Promise<void> {
  const epochs = (await topicRecords()).map(({ headers }) => headers.get("epoch") ?? "");
  const stores = new Set(epochs.map((epoch) => epoch.replace(/\/.*/, "")));
  const producer = kafkaClient(broker.connection).producer();
  await producer.connect();
  const headers = { ce_id: FORGED, ce_type: "forged", ce_partitionkey: "nobody", ce_sequence: "1" };
  const beyond = Date.now() + 1_000_000;
  await producer.send({
    topic: ALERTS,
    messages: [...stores].map((id) => ({ value: "{}", headers: { ...headers, epoch: `${id}/${beyond}` } })),
  });
  await producer.disconnect();
}

/** Adds a file of readings, and reads it into the mailbox; resolves when the shards have taken it. */
async function fed(node: NodeFolder, from: number, to: number): Promise<void> {
  const lines = Array.from({ length: to - from }, (_, n) => `${readingLine(from + n, METERS)}\n`);
  writeFileSync(join(path, "in", `${String(from).padStart(6, "0")}.json`), lines.join(""));
  await done(["ingest", "--drain"], node);
  await watched(broker.connection, "back", (_, settled) => settled(SHARDS));
}

async function topicRecords(): Promise<readonly TopicRecord[]> {
  const records: TopicRecord[] = [];
  await kafkaTopic(broker.connection, ALERTS, "test", wallClock).readTail(null, (record) => void records.push(record));
  return records;
}

function idOf({ headers }: TopicRecord): string {
  return `${headers.get("ce_id")} ${headers.get("ce_type")}`;
}

/** Of what one engine makes of the files. */
async function aloneIds(input: string): Promise<ReadonlySet<string>> {
  const folder = join(path, "alone");
  mkdirSync(folder);
  const config = join(folder, "gridactor.yaml");
  const alerts = join(folder, "alerts.jsonl");
  writeFileSync(config, baseOf(input, `type: jsonl, path: ${alerts}`));
  await done(["run", "--drain"], { name: "alone", path: folder, config, state: join(folder, "state"), alerts, curated: "" });
  return new Set((await alertLines({ alerts })).map(({ id, type }) => `${id} ${type}`));
}

/** Ids in the files that nodes have written beside each other in one folder. */
function sharedIds(node: string): ReadonlySet<string> {
  const files = [0, 1].map((n) => join(path, "shared", `shard=0${n}`, `node=${node}`, "alerts.jsonl")).filter((file) => existsSync(file));
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n").slice(0, -1));
  return new Set(lines.map((line) => JSON.parse(line) as AlertEvent).map(({ id, type }) => `${id} ${type}`));
}

function baseOf(input: string, sink: string, file: string | null = null): string {
  const files = file === null ? "" : `, files: { type: jsonl, stream: alerts, path: ${file} }`;
  return [
    "version: 1",
    "admin: { http: false }",
    `sources: { meters: { feed: smart_meter, type: landing, location: ${input}, include: ["*.json"], format: jsonl } }`,
    `sinks: { alerts: { ${sink}, stream: alerts }${files} }`,
    "batch: { records: 100 }",
  ].join("\n");
}

function snapshots(every: string): string {
  return `snapshots: ${join(path, "snapshots")}, every: ${every}`;
}

async function started(node: NodeFolder): Promise<Running> {
  const one = await startNode(node);
  running.push(one);
  return one;
}
