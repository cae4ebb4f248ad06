// timeout: 240 s
import * as assert from "uvu/assert";
import type { Config } from "../../admin/config_types.ts";
import { Book } from "../../cluster/book.ts";
import { Host, type OpenShard } from "../../cluster/host.ts";
import { inletsOf, Shard } from "../../cluster/shard.ts";
import { newerOwner, type ShardStatus, statusKey } from "../../cluster/shard_status.ts";
import { type ClusterSettings, initCluster, topicNames } from "../../cluster/topics.ts";
import { compose } from "../../compose.ts";
import { wallClock } from "../../engine/clock.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { retry } from "../../engine/retry.ts";
import { gridConfig, inGridFolder } from "../kit/grid_folder.ts";
import { brokerMissing, type KafkaBroker, startBroker } from "../kit/kafka_broker.ts";
import { notRun, suite } from "../kit/suite.ts";

const test = suite("parts of a cluster in an outage of the broker");

const MISSING = brokerMissing();
let broker: KafkaBroker;
test.before(async () => {
  if (MISSING === null) broker = await startBroker();
});
test.after(async () => {
  await broker?.remove();
});

test("a book that was open during an outage knows, once refreshed, what others have written since, and their word counts", async () => {
  if (MISSING !== null) return notRun("book: outage", MISSING);
  const settings = { connection: broker.connection, mailbox: "outage.mailbox", shards: 1, group: "outage", agreed: {} };
  await initCluster(settings);
  const key = statusKey(0);
  const [node, other] = [await opened(settings), await opened(settings)];
  await node.put(key, status(1, "node"));
  await broker.stop("SIGKILL");
  await node.refresh().then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /is unavailable/),
  );
  await broker.start();
  await patiently(() => other.put(key, status(5, "other")));
  await patiently(() => node.refresh());
  assert.equal(node.get(key), status(5, "other"));
  await node.put(key, status(4, "node"));
  await other.refresh();
  assert.equal(other.get(key), status(5, "other"));
  await other.put(key, status(6, "other"));
  while (node.get(key)?.generation !== 6) await node.changed();
  await Promise.all([node.close(), other.close()]);
});

test("a node whose broker goes away while a shard opens opens it again when the broker is back", async () => {
  if (MISSING !== null) return notRun("host: outage", MISSING);
  const settings = { connection: broker.connection, mailbox: "opening.mailbox", shards: 1, group: "opening", agreed: {} };
  await initCluster(settings);
  const book = await opened(settings);
  const stop = new AbortController();
  const happened: string[] = [];
  let trials = 0;
  let back: Promise<void> | null = null;
  await inGridFolder(async (folder) => {
    const host = new Host({
      settings,
      node: "node",
      address: null,
      book,
      held: () => new Map(),
      clock: wallClock,
      random: () => 0,
      async open() {
        trials += 1;
        if (trials === 1) await broker.stop("SIGKILL");
        return openedShard({ ...gridConfig(folder), sinks: [] });
      },
      say(event, text) {
        happened.push(event);
        if (event === "retry" && text.startsWith("shard 0: ")) back ??= broker.start();
        if (event === "owned") stop.abort();
      },
    });
    await host.run(stop.signal);
  });
  assert.ok(back !== null, "the shard had to wait");
  await back;
  assert.ok(trials > 1);
  assert.equal(
    happened.filter((event) => event !== "retry"),
    ["owned", "given up"],
  );
  await book.close();
});

test("topics of books are made so that they stay short", async () => {
  if (MISSING !== null) return notRun("book: topics", MISSING);
  const settings = { connection: broker.connection, mailbox: "short.mailbox", shards: 2, group: "short", agreed: {} };
  await initCluster(settings);
  const { shards, ingest } = topicNames(settings);
  for (const topic of [shards, ingest]) {
    assert.equal(await settingsOf(topic), {
      "cleanup.policy": "compact",
      "segment.bytes": "4194304",
      "segment.ms": "600000",
      "min.cleanable.dirty.ratio": "0.1",
    });
  }
  assert.is((await settingsOf(settings.mailbox))["cleanup.policy"], "delete");
});

async function opened({ connection, mailbox }: ClusterSettings): Promise<Book<ShardStatus>> {
  const book = new Book<ShardStatus>(connection, topicNames({ mailbox }).shards, newerOwner);
  await book.open();
  return book;
}

async function openedShard(config: Config): Promise<OpenShard> {
  const store = openMemoryStore();
  const inlets = inletsOf(config.sources.map(({ id }) => id));
  const quiet = { screen: null, onRetry: () => {}, onSinkRetry: () => {}, onStage: () => {}, onTrouble: () => {} };
  const engine = await compose({ ...quiet, config, store, mode: "live", shard: { owns: () => true, inlets } });
  const end = new AbortController();
  const running = engine.run(end.signal, 1_000);
  const never = new Promise<never>(() => {});
  return {
    shard: new Shard(engine, store, inlets),
    store,
    snapshot: () => null,
    failed: running.then(() => never),
    overtaken: never,
    async close() {
      end.abort();
      await running;
    },
  };
}

function status(generation: number, node: string): ShardStatus {
  return { shard: 0, node, address: null, generation, next: 0, told: 0, handedOver: 0, atMs: 0, snapshot: null };
}

function patiently<T>(work: () => Promise<T>): Promise<T> {
  return retry(work, { clock: wallClock, random: Math.random, signal: AbortSignal.timeout(90_000), longestMs: 1_000 });
}

async function settingsOf(topic: string): Promise<Record<string, string>> {
  const configNames = ["cleanup.policy", "segment.bytes", "segment.ms", "min.cleanable.dirty.ratio"];
  const { resources } = await (await broker.admin()).describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames }],
  });
  const entries = (resources[0]?.configEntries ?? []).map(({ configName, configValue }) => [configName, configValue] as const);
  return Object.fromEntries(configNames.flatMap((name) => entries.filter(([known]) => known === name)));
}
