// timeout: 480 s
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { writeReadings } from "../../bench/readings.ts";
import { encodeChunk } from "../../cluster/chunk.ts";
import { replay } from "../../cluster/replay.ts";
import { TopicWriter } from "../../cluster/topic_writer.ts";
import { initCluster, mailboxExtents } from "../../cluster/topics.ts";
import { clusterSettings, clusterStatus, clusterVerify } from "../../cluster_daemon.ts";
import { compose } from "../../compose.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { Store } from "../../engine/store.ts";
import {
  digests,
  done,
  gathered,
  type NodeFolder,
  newNode,
  onlyInOne,
  shippedBase,
  startNode,
  storesOf,
  watched,
} from "../kit/cluster_kit.ts";
import { DATA, gridConfig, ROOT, type Running, run } from "../kit/grid_folder.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { leftOut, notRun, suite } from "../kit/suite.ts";
import { newTempFolder, removeFolder } from "../kit/temp_folder.ts";

const test = suite("a cluster on Kafka");

const MISSING = brokerMissing();
const SHARDS = 4;

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

test("two nodes, a third that owns every shard too, and two ingests at once come to what one engine makes of the files", async () => {
  if (MISSING !== null) return notRun("cluster: equality", MISSING);
  const base = shippedBase(ROOT, DATA);
  const stem = "equal";
  const settings = `mailbox: ${stem}.mailbox, shards: ${SHARDS}, snapshots: ${join(path, "equal-snapshots")}, every: 1s`;
  const node = (name: string, group: string): NodeFolder =>
    newNode(path, `equal-${name}`, base, broker.connection, `${settings}, group: ${group}`);
  const [a, b, twin] = [node("a", "equal"), node("b", "equal"), node("twin", "equal-twin")];
  await initiated(a);
  const nodes = [await started(a), await started(b), await started(twin)];
  await Promise.all([done(["ingest", "--drain"], a), done(["ingest", "--drain"], b)]);
  await watched(broker.connection, stem, (_, settled) => settled(SHARDS));
  const verified = await clusterVerify(gridConfig(a), false);
  assert.equal(
    verified.map(({ result }) => result),
    Array.from({ length: SHARDS }, () => "same"),
  );
  for (const one of nodes) one.kill("SIGTERM");
  for (const one of nodes) assert.is((await one.ended).code, 0, (await one.ended).stderr);
  const [ofA, ofB, ofTwin] = [await storesOf(a), await storesOf(b), await storesOf(twin)];
  const alone = await drainedAlone(a);
  assert.equal(onlyInOne(await gathered([...ofTwin.values()]), await gathered([alone])), []);
  const owners = new Map([...digests(ofA), ...digests(ofB)].map(([name, digest]) => [`${name} ${digest}`, name]));
  for (const [name, digest] of digests(ofTwin)) assert.ok(owners.has(`${name} ${digest}`), `${name} is the same with both of its owners`);
  for (const store of [...ofA.values(), ...ofB.values(), ...ofTwin.values(), alone]) await store.close();
});

test("a node that is killed under load is replaced by the other one: nothing is lost, and what is said again has known ids", async () => {
  if (MISSING !== null) return notRun("cluster: takeover", MISSING);
  const stem = "killed";
  const input = join(path, "killed-in");
  mkdirSync(input);
  writeReadings(join(input, "readings.json"), 300, 15_000);
  const base = readingsBase(input);
  const node = (name: string): NodeFolder =>
    newNode(path, `killed-${name}`, base, broker.connection, `mailbox: ${stem}.mailbox, shards: ${SHARDS}, group: killed`);
  const [a, b] = [node("a"), node("b")];
  await initiated(a);
  const survivor = await started(a);
  const victim = await started(b);
  const ingest = done(["ingest", "--drain"], a);
  await watched(broker.connection, stem, async (book, settled) => {
    const isUnderWay = (): boolean => [...book.entries().values()].some(({ node: owner, next }) => owner === b.name && next > 5);
    while (!isUnderWay()) await book.changed();
    victim.kill("SIGKILL");
    await victim.ended;
    await ingest;
    await settled(SHARDS);
    assert.ok([...book.entries()].filter(([key]) => key.startsWith("shard")).every(([, status]) => status.node === a.name));
  });
  survivor.kill("SIGTERM");
  assert.is((await survivor.ended).code, 0);
  const stores = await storesOf(a);
  assert.is(stores.size, SHARDS);
  const alone = await drainedAlone(a);
  const [actual, expected] = [await gathered([...stores.values()]), await gathered([alone])];
  assert.ok(actual.rows.size > 15_000);
  assert.equal(onlyInOne(actual, expected), []);
  const known = alertIds(a);
  const ofVictim = alertIds(b);
  assert.ok(ofVictim.size > 0, "the victim had published something");
  assert.equal(
    [...ofVictim].filter((id) => !known.has(id)),
    [],
  );
  for (const store of [...stores.values(), alone]) await store.close();
});

test("a node that is frozen beyond its session and wakes up, and a broker that is killed and comes back, change nothing", async () => {
  if (MISSING !== null) return notRun("cluster: frozen", MISSING);
  if (process.env["CLUSTER_FAULTS"] === undefined) return leftOut("cluster: frozen", "it takes a minute; CLUSTER_FAULTS=1 runs it");
  const stem = "frozen";
  const input = join(path, "frozen-in");
  mkdirSync(input);
  writeReadings(join(input, "readings.json"), 300, 30_000);
  const base = readingsBase(input);
  const node = (name: string): NodeFolder =>
    newNode(path, `frozen-${name}`, base, broker.connection, `mailbox: ${stem}.mailbox, shards: ${SHARDS}, group: frozen`);
  const [a, b] = [node("a"), node("b")];
  await initiated(a);
  const [one, other] = [await started(a), await started(b)];
  const ingest = done(["ingest", "--drain"], a);
  await watched(broker.connection, stem, async (book) => {
    const isUnderWay = (): boolean => [...book.entries().values()].some(({ node: owner, next }) => owner === b.name && next > 5);
    while (!isUnderWay()) await book.changed();
    process.kill(other.pid, "SIGSTOP");
    const isTaken = (): boolean => [...book.entries().values()].filter(({ node: owner }) => owner === a.name).length === SHARDS;
    while (!isTaken()) await book.changed();
    process.kill(other.pid, "SIGCONT");
  });
  await broker.stop("SIGKILL");
  await broker.start();
  await ingest;
  await watched(broker.connection, stem, (_, settled) => settled(SHARDS));
  for (const each of [one, other]) each.kill("SIGTERM");
  for (const each of [one, other]) assert.is((await each.ended).code, 0, (await each.ended).stderr);
  const [ofA, ofB] = [await storesOf(a), await storesOf(b)];
  const alone = await drainedAlone(a);
  assert.equal(onlyInOne(await gathered([...ofA.values(), ...ofB.values()]), await gathered([alone])), []);
  for (const store of [...ofA.values(), ...ofB.values(), alone]) await store.close();
});

test("what is not of this cluster is refused with what to do, and nothing is touched", async () => {
  if (MISSING !== null) return notRun("cluster: refusals", MISSING);
  const base = shippedBase(ROOT, DATA);
  const snapshots = join(path, "bad-snapshots");
  const node = (name: string, cluster: string): NodeFolder => newNode(path, `bad-${name}`, base, broker.connection, cluster);
  const a = node("a", `mailbox: bad.mailbox, shards: 2, group: bad, snapshots: ${snapshots}, every: 1s`);
  await refused(["run"], a, 78, /there is no topic bad\.mailbox.*gridactor cluster init/);
  assert.match(await done(["cluster", "init"], a), /cluster .* of 2 shards: made bad\.mailbox, bad\.shards, bad\.ingest/);
  assert.equal((await initiated(a)).made, []);
  await Promise.all([
    refused(["inspect", "meter/SM-N-00042"], a, 2, /--state .*shard-NN/),
    refused(["count"], a, 2, /a question goes to the state of one shard/),
    refused(["accept-gap", "meters", "--write"], a, 1, /a cluster takes no commands in this version/),
  ]);
  const more = node("more", "mailbox: bad.mailbox, shards: 3, group: bad");
  const other = /bad\.mailbox has 2 partitions, and the configuration says 3 shards/;
  await Promise.all([
    ...[["cluster", "init"], ["run"]].map((args) => refused(args, more, 78, other)),
    refused(["run", "--drain"], a, 2, /a node of a cluster has no end/),
  ]);
  const settings = base.replace("meter.spike: { limitKwh: 50", "meter.spike: { limitKwh: 55").replace("lateness: 10m", "lateness: 11m");
  assert.is.not(settings, base);
  const unlike = newNode(path, "bad-unlike", settings, broker.connection, "mailbox: bad.mailbox, shards: 2, group: bad");
  const parts = /feeds and rules of the configuration are not what the cluster was made with/;
  await Promise.all([["run"], ["ingest"], ["cluster", "init"]].map((args) => refused(args, unlike, 78, parts)));

  const first = await started(a);
  await done(["ingest", "--drain"], a);
  await watched(broker.connection, "bad", async (book, settled) => {
    await settled(2);
    const isShot = (): boolean => [0, 1].every((n) => (book.get(`shard ${n}`)?.snapshot?.next ?? 0) > 10);
    while (!isShot()) await book.changed();
  });
  first.kill("SIGTERM");
  await first.ended;

  const damaged = node("damaged", `mailbox: bad.mailbox, shards: 2, group: bad, snapshots: ${join(path, "bad-damaged")}`);
  copyDamaged(snapshots, join(path, "bad-damaged"));
  await refused(["run"], damaged, 78, /the snapshot .*shard-0[01].* is damaged/);

  const foreign = node("other", `mailbox: foreign.mailbox, shards: 2, group: foreign, snapshots: ${snapshots}`);
  await initiated(foreign);
  await refused(["run"], foreign, 78, /is a snapshot of shard [01] of the cluster .*, and this is shard/);

  await broker.deleteRecords("bad.mailbox", "20");
  const late = node("late", "mailbox: bad.mailbox, shards: 2, group: bad-late");
  await refused(["run"], late, 78, /shard 0 stands at 0, and bad\.mailbox begins at 20: what lies between is lost/);
  const status = await clusterStatus(gridConfig(a), false);
  assert.equal(
    status.map(({ isSnapshotTooOld, lag }) => [isSnapshotTooOld, lag]),
    [
      [false, 0],
      [false, 0],
    ],
  );
  const moved = node("moved", `mailbox: bad.mailbox, shards: 2, group: bad, snapshots: ${snapshots}`);
  const fromSnapshot = await started(moved);
  await fromSnapshot.until(({ stderr }) => /shard 0 goes on at [1-9]\d+/.test(stderr));
  fromSnapshot.kill("SIGTERM");
  assert.is((await fromSnapshot.ended).code, 0);
});

test("a node that retention overtakes while it runs ends with what is lost, and a snapshot beyond the end of the mailbox is refused", async () => {
  if (MISSING !== null) return notRun("cluster: overtaken", MISSING);
  const input = join(path, "overtaken-in");
  mkdirSync(input);
  writeReadings(join(input, "1.json"), 50, 300);
  const cluster = "mailbox: overtaken.mailbox, shards: 1, group: overtaken";
  const a = newNode(
    path,
    "overtaken",
    readingsBase(input),
    broker.connection,
    `${cluster}, snapshots: ${join(path, "overtaken-snapshots")}, every: 1s`,
  );
  const settings = clusterSettings(gridConfig(a), false);
  await initiated(a);
  const one = await started(a);
  await done(["ingest", "--drain"], a);
  const before = await watched(broker.connection, "overtaken", async (book, settled) => {
    await settled(1);
    while ((book.get("shard 0")?.snapshot?.next ?? 0) === 0) await book.changed();
    return book.get("shard 0")?.next ?? 0;
  });
  process.kill(one.pid, "SIGSTOP");
  writeReadings(join(input, "2.json"), 50, 500);
  await done(["ingest", "--drain"], a);
  const { high = 0 } = (await mailboxExtents(settings)).get(0) ?? {};
  assert.ok(high > before, "more came while it stood still");
  await broker.deleteRecords("overtaken.mailbox", String(high));
  process.kill(one.pid, "SIGCONT");
  const writer = new TopicWriter(broker.connection, "overtaken.mailbox");
  await writer.send([{ partition: 0, value: encodeChunk({ kind: "pass" }) }]);
  await writer.close();
  const { code, stderr } = await one.ended;
  assert.match(stderr, new RegExp(`stands at ${before}, and .*mailbox begins at ${high}: what lies between is lost`));
  assert.is(code, 78, stderr);

  const replayed = replay(settings, { shard: 0, from: high, to: high + 5 }, async () => {});
  await replayed.then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /goes to \d+, where its snapshot is, and overtaken\.mailbox ends at \d+/),
  );
});

test("a cluster whose brokers do not answer is waited for, or said to be unreachable", async () => {
  if (MISSING !== null) return notRun("cluster: no broker", MISSING);
  const nowhere = { ...broker.connection, brokers: ["127.0.0.1:1"] };
  const node = newNode(path, "nowhere", shippedBase(ROOT, DATA), nowhere, "shards: 2");
  await refused(["cluster", "status"], node, 69, /127\.0\.0\.1:1 is unavailable/);
});

/** A configuration that reads a folder of readings in small batches. */
function readingsBase(input: string): string {
  return [
    "version: 1",
    "admin: { http: false }",
    `sources: { meters: { feed: smart_meter, type: landing, location: ${input}, include: ["*.json"], format: jsonl } }`,
    "sinks: { alerts: { type: jsonl, stream: alerts, path: out/alerts.jsonl } }",
    "batch: { records: 100 }",
  ].join("\n");
}

function initiated(node: NodeFolder): ReturnType<typeof initCluster> {
  return initCluster(clusterSettings(gridConfig(node), false));
}

async function started(node: NodeFolder): Promise<Running> {
  const one = await startNode(node);
  running.push(one);
  return one;
}

async function refused(args: readonly string[], node: NodeFolder, exit: number, why: RegExp): Promise<void> {
  const { code, stderr } = await run(args, node);
  assert.match(stderr, why);
  assert.is(code, exit, stderr);
}

/** What one engine makes of the files of a node. */
async function drainedAlone(node: NodeFolder): Promise<Store> {
  const store = openMemoryStore();
  const quiet = { screen: null, onRetry: () => {}, onSinkRetry: () => {}, onStage: () => {}, onTrouble: () => {} };
  const engine = await compose({ ...quiet, config: { ...gridConfig(node), sinks: [] }, store, mode: "drain" });
  await engine.run(new AbortController().signal, 1_000);
  return store;
}

/** Ids of alert events that a node has written. */
function alertIds(node: NodeFolder): ReadonlySet<string> {
  const out = join(node.path, "out");
  const shards = existsSync(out) ? readdirSync(out) : [];
  const files = shards.map((name) => join(out, name, `node=${node.name}`, "alerts.jsonl")).filter((file) => existsSync(file));
  const lines = files.flatMap((file) => readFileSync(file, "utf8").split("\n").slice(0, -1));
  return new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id));
}

function copyDamaged(from: string, to: string): void {
  for (const shard of readdirSync(from)) {
    const newest = readdirSync(join(from, shard)).sort().at(-1) ?? "";
    mkdirSync(join(to, shard, newest), { recursive: true });
    for (const name of readdirSync(join(from, shard, newest))) {
      const bytes = readFileSync(join(from, shard, newest, name));
      if (name.endsWith(".mdb")) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
      writeFileSync(join(to, shard, newest, name), bytes);
    }
  }
}
