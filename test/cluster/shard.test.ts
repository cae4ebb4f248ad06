// timeout: 240 s
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as assert from "uvu/assert";
import { ONE_ENGINE_RULES } from "../../actors/one_engine_rules.ts";
import { GRID } from "../../actors/registry.ts";
import type { Config } from "../../admin/config_types.ts";
import { writeReadings } from "../../bench/readings.ts";
import { encodeChunk, shardOf } from "../../cluster/chunk.ts";
import { ingest } from "../../cluster/ingest.ts";
import { outgoing } from "../../cluster/outbox.ts";
import { Router } from "../../cluster/router.ts";
import { inletsOf, Shard } from "../../cluster/shard.ts";
import { WrongCluster } from "../../cluster/topics.ts";
import { compose, SHIPPED, wireSources, worldOptions } from "../../compose.ts";
import { wallClock } from "../../engine/clock.ts";
import { stateDigest } from "../../engine/digest.ts";
import type { Engine } from "../../engine/engine.ts";
import { digestedBytes } from "../../engine/fact_codec.ts";
import type { Position } from "../../engine/ids.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import { readRow } from "../../engine/row_codec.ts";
import type { Store } from "../../engine/store.ts";
import { World } from "../../engine/world.ts";
import { gridConfig, inGridFolder } from "../kit/grid_folder.ts";
import { suite } from "../kit/suite.ts";

const test = suite("shards, their mailboxes in memory");

test("the seven inputs lead to the same histories, alerts and rows in one engine, in one shard and in four", async () => {
  await inGridFolder(async (folder) => {
    const config = { ...gridConfig(folder), sinks: [] };
    const alone = await drained(config);
    const one = await clustered(config, 1);
    const four = await clustered(config, 4);
    assert.equal(one.digests, [stateDigest(alone)]);
    for (const { stores } of [one, four]) {
      assert.equal(difference(histories(stores), histories([alone])), []);
      assert.equal(difference(await alertIds(stores), await alertIds([alone])), []);
      assert.equal(difference(await rowIds(stores), await rowIds([alone])), []);
    }
  });
});

test("a shard that takes its mailbox again, with everything sent twice, comes to the same digest", async () => {
  await inGridFolder(async (folder) => {
    const config = { ...gridConfig(folder), sinks: [] };
    const { mailboxes, digests } = await clustered(config, 3);
    for (const [n, mailbox] of mailboxes.entries()) {
      const again = await opened(config, 3, n);
      let offset = 0;
      for (const [at, bytes] of mailbox.entries()) {
        await again.shard.take(offset++, bytes);
        if (at % 7 === 0) for (const before of mailbox.slice(Math.max(0, at - 20), at + 1)) await again.shard.take(offset++, before);
      }
      assert.ok(again.shard.repeats > 0);
      assert.is(stateDigest(again.store), digests[n]);
      await again.close();
    }
  });
});

test("rules that need all records of a region are on in one engine and one shard, and off in eight, where each would tell a part of an hour as the whole", async () => {
  await inGridFolder(async (folder) => {
    const config = { ...gridConfig(folder), sinks: [] };
    const cluster = { connection: "k", mailbox: "m", shards: 8, group: "g", node: null, snapshots: null, everyMs: 1 };
    const rulesOf = (shards: number | null) => worldOptions({ ...config, cluster: shards === null ? null : { ...cluster, shards } }).rules;
    for (const id of ONE_ENGINE_RULES) {
      assert.equal(
        [null, 1, 8].map((shards) => rulesOf(shards).enabled(id)),
        [true, true, false],
      );
    }
    assert.ok(rulesOf(8).enabled("grid.frequency"));
    assert.is(rulesOf(1).settings, config.rules);
    const input = join(folder.path, "storm-in");
    mkdirSync(input);
    writeReadings(join(input, "r.json"), 250, 26_000); // A day and two hours.
    const base = `version: 1\nadmin: { http: false }\nsources: { meters: { feed: smart_meter, type: landing, location: ${input}, include: ["*.json"], format: jsonl } }\nsinks: {}\nrules: { region.storm: { expectedMin: 5, daysMin: 2 } }\n`;
    const path = join(folder.path, "storm.yaml");
    writeFileSync(path, base);
    const alone = { ...gridConfig({ ...folder, config: path }), sinks: [], cluster: null };
    const ruled = async ({ stores }: { readonly stores: readonly Store[] }) =>
      (await alertIds(stores)).filter((one) => one.includes("region."));
    const eight = { ...alone, cluster: { ...cluster, shards: 8 } };
    assert.equal(await ruled(await clustered(alone, 1)), []);
    assert.ok((await ruled(await clustered(alone, 8))).length > 0, "parts are taken for the whole where the rules are on");
    assert.equal(await ruled(await clustered(eight, 8)), []);
  });
});

test("a record before which others are missing is refused, and one without value is passed over", async () => {
  await inGridFolder(async (folder) => {
    const { shard, close } = await opened({ ...gridConfig(folder), sinks: [] }, 1, 0);
    await shard.take(0, encodeChunk({ kind: "pass" }));
    await shard.take(1, null);
    await shard.take(0, encodeChunk({ kind: "pass" }));
    assert.is(shard.next, 2);
    await shard.take(3, encodeChunk({ kind: "pass" })).then(
      () => assert.unreachable(),
      (error: unknown) => {
        assert.instance(error, WrongCluster);
        assert.match(String(error), /stands at 2, and the mailbox begins at 3: what lies between is lost to it/);
      },
    );
    assert.is(shard.next, 2);
    await close();
  });
});

interface Opened {
  readonly shard: Shard;
  readonly store: Store;
  readonly engine: Engine;
  readonly close: () => Promise<void>;
}

const QUIET = { screen: null, onRetry: () => {}, onSinkRetry: () => {}, onStage: () => {}, onTrouble: () => {} };

async function drained(config: Config): Promise<Store> {
  const store = openMemoryStore();
  const engine = await compose({ ...QUIET, config, store, mode: "drain" });
  await engine.run(new AbortController().signal, 1_000);
  return store;
}

async function opened(config: Config, shards: number, n: number): Promise<Opened> {
  const store = openMemoryStore(`shard-${n}`);
  const inlets = inletsOf(config.sources.map(({ id }) => id));
  const part = { owns: (id: string) => shardOf(id, shards) === n, inlets };
  const engine = await compose({ ...QUIET, config, store, mode: "live", shard: part });
  const stop = new AbortController();
  const running = engine.run(stop.signal, 1_000);
  const close = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { shard: new Shard(engine, store, inlets), store, engine, close };
}

/** Runs all inputs through so many shards, one chunk after another. */
async function clustered(config: Config, count: number) {
  const shards = await Promise.all(Array.from({ length: count }, (_, n) => opened(config, count, n)));
  const mailboxes: Uint8Array[][] = shards.map(() => []);
  const put = (shard: number, bytes: Uint8Array): void => void mailboxes[shard]?.push(bytes);
  const settled = async (): Promise<void> => {
    for (let isNews = true; isNews; ) {
      isNews = false;
      for (const [n, { shard, engine, store }] of shards.entries()) {
        const mailbox = mailboxes[n] ?? [];
        while (shard.next < mailbox.length) {
          isNews = true;
          await shard.take(shard.next, mailbox[shard.next] as Uint8Array);
          const { chunks, last } = outgoing(store, n, count, engine.world.handedOver);
          for (const one of chunks) put(one.shard, encodeChunk(one.chunk));
          engine.world.handedOver = last;
        }
      }
    }
  };
  const world = new World(worldOptions(config), openMemoryStore());
  const kept = new Map<string, Map<string, Position>>();
  await ingest(
    {
      sources: wireSources({
        config,
        assembly: SHIPPED,
        domain: GRID,
        store: openMemoryStore(),
        mode: "drain",
        world: () => world,
        onTrouble: () => {},
        insecureDev: false,
      }),
      router: new Router({ world, shards: count, nowMs: () => performance.now() }),
      mailbox: {
        send: async (chunks) => {
          for (const { shard, chunk } of chunks) put(shard, encodeChunk(chunk));
        },
      },
      positions: {
        of: (source) => kept.get(source) ?? new Map(),
        keep: async (source, positions) => void kept.set(source, new Map([...(kept.get(source) ?? []), ...positions])),
      },
      settled,
      clock: wallClock,
      random: Math.random,
      onRetry: (_, error) => {
        throw error;
      },
      onStage: () => {},
    },
    new AbortController().signal,
  );
  await settled();
  const stores = shards.map(({ store }) => store);
  for (const { close } of shards) await close();
  return { stores, mailboxes, digests: stores.map((store) => stateDigest(store)) };
}

function histories(stores: readonly Store[]): readonly string[] {
  return stores
    .flatMap((store) => [...store.range("fact", "")].map(([key, value]) => `${key} ${Buffer.from(digestedBytes(value)).toString("hex")}`))
    .sort();
}

async function alertIds(stores: readonly Store[]): Promise<readonly string[]> {
  return rowsOf(stores, "alerts");
}

async function rowIds(stores: readonly Store[]): Promise<readonly string[]> {
  return rowsOf(stores, null);
}

async function rowsOf(stores: readonly Store[], table: string | null): Promise<readonly string[]> {
  const tables = new Map(GRID.tables.map((one) => [one.name, one]));
  const ids: string[] = [];
  for (const store of stores) {
    for (const { bytes } of await store.readLog("curated", 1, Number.MAX_SAFE_INTEGER)) {
      const { row, cells } = readRow(tables, bytes);
      if (table === null || row.table === table)
        ids.push(`${row.table} ${row.rowId} ${table === null ? row.actor : cells.slice(0, 8).join(" ")}`);
    }
  }
  return ids.sort();
}

/** What only one of them has, with a sign in front. */
function difference(actual: readonly string[], expected: readonly string[]): readonly string[] {
  const [is, was] = [new Set(actual), new Set(expected)];
  return [
    ...actual.filter((one) => !was.has(one)).map((one) => `+${one}`),
    ...expected.filter((one) => !is.has(one)).map((one) => `-${one}`),
  ];
}
