import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { ClusterConfig, Config, SinkConfig } from "./admin/config_types.ts";
import { CommandError } from "./admin/errors.ts";
import type { Log } from "./admin/log.ts";
import type { HeldShards } from "./cluster/assigner.ts";
import { Book } from "./cluster/book.ts";
import { encodeChunk, shardOf } from "./cluster/chunk.ts";
import { Host, type OpenShard, requireReachable } from "./cluster/host.ts";
import { ingest, type PositionBook } from "./cluster/ingest.ts";
import { replay } from "./cluster/replay.ts";
import { Router } from "./cluster/router.ts";
import { allSettled } from "./cluster/settled.ts";
import { inletsOf, Shard, storedOffset } from "./cluster/shard.ts";
import { newerOwner, type ShardStatus, statusKey } from "./cluster/shard_status.ts";
import { makeSnapshot, offsetIn, restoreSnapshot, type Snapshot, snapshotsOf } from "./cluster/snapshots.ts";
import { TopicWriter } from "./cluster/topic_writer.ts";
import {
  type ClusterMark,
  type ClusterSettings,
  mailboxExtents,
  requireCluster,
  requireTopics,
  topicNames,
  WrongCluster,
} from "./cluster/topics.ts";
import { compose, domainOf, kafkaConnection, SHIPPED, wireSources, worldOptions } from "./compose.ts";
import { openStore, storeError } from "./daemon.ts";
import { beginLater } from "./engine/backup.ts";
import { wallClock } from "./engine/clock.ts";
import { NoStore } from "./engine/damaged_store.ts";
import { stateDigest } from "./engine/digest.ts";
import { seconds } from "./engine/duration.ts";
import { Unavailable } from "./engine/fault.ts";
import { type ActorId, longHash, type Position } from "./engine/ids.ts";
import { openMemoryStore } from "./engine/memory_store.ts";
import { rulesText, storedRules } from "./engine/rule_commands.ts";
import type { Store } from "./engine/store.ts";
import { World } from "./engine/world.ts";

export interface ClusterRun {
  readonly config: Config;
  readonly log: Log;
  /** Lines for people, on stderr. */
  readonly say: (text: string) => void;
  readonly insecureDev: boolean;
}

/** How long sinks may take when a shard is given up; what they have not taken is in the log, and another owner says it again. */
const GIVE_UP_MS = seconds(2);
const MARK_FILE = "cluster.json";

/** What nodes of the cluster must agree on. Throws `CommandError` if the configuration has no `cluster`. */
export function clusterSettings(config: Config, isUnchecked: boolean): ClusterSettings & { readonly cluster: ClusterConfig } {
  const { cluster } = config;
  if (cluster === null)
    throw new CommandError("CONFIG", "the configuration has no cluster", { hint: "docs/cluster.md says how to make one" });
  const { mailbox, shards, group } = cluster;
  return {
    cluster,
    connection: kafkaConnection(cluster.connection, config, isUnchecked),
    mailbox,
    shards,
    group,
    agreed: agreedOn(config),
  };
}

/** Which nodes and ingests have to have in common, as `worldOptions` has it. */
function agreedOn(config: Config): ClusterSettings["agreed"] {
  const { name, limits, rules } = worldOptions(config);
  const parts = { name, limits, feeds: Object.fromEntries(config.feeds), rules: rulesText(rules.settings) };
  return Object.fromEntries(Object.entries(parts).map(([part, value]) => [part, longHash([JSON.stringify(value, inOrder)])]));
}

/** Members of an object in the order of their names. */
function inOrder(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// A node ------------------------------------------------------------------------------------------------------------------------------------

/** Runs the shards that the group gives to this node, until the signal fires. */
export async function nodeRun({ config, log, say, insecureDev }: ClusterRun, stop: AbortSignal): Promise<void> {
  const settings = clusterSettings(config, insecureDev);
  const node = settings.cluster.node ?? hostname();
  await inCluster(settings, async (book, mark) => {
    requireOwnState(config.stateDir, mark);
    const overtakenBy = new Map<number, number>();
    const host = new Host({
      settings,
      node,
      address: null,
      book,
      open: (shard, wake) => openShard({ config, log, settings, node, mark, book, overtakenBy, insecureDev }, shard, wake),
      held: () => heldIn(config.stateDir, settings.shards),
      clock: wallClock,
      random: Math.random,
      say(event, text) {
        if (event === "retry") log.warn("source.retry", text);
        else log.info("cluster.shard", `${event}: ${text}`);
        if (event !== "retry") say(`${event}: ${text}\n`);
      },
    });
    say(`node ${node} of the cluster on ${settings.mailbox}, ${settings.shards} shards\n`);
    await host.run(stop);
  });
}

interface Opening {
  readonly config: Config;
  readonly log: Log;
  readonly settings: ReturnType<typeof clusterSettings>;
  readonly node: string;
  readonly mark: ClusterMark;
  readonly book: Book<ShardStatus>;
  /** Shard -> the generation of an owner who went on with its state while we had it, as its outputs show. */
  readonly overtakenBy: Map<number, number>;
  readonly insecureDev: boolean;
}

/**
 * Opens the state of a shard, or its newest snapshot if that is further on, and starts its engine. Where somebody else had the shard since, the state
 * begins a generation beyond all that the topic of shards knows, and that is said there before anything is published.
 */
async function openShard(opening: Opening, number: number, wake: () => void): Promise<OpenShard> {
  const { config, log, settings, node, mark, book, overtakenBy, insecureDev } = opening;
  const { snapshots: folder, everyMs } = settings.cluster;
  const own = shardConfig(config, number, node);
  const snapshots = folder === null ? [] : await snapshotsOf(folder, number, mark.id);
  let newest: Snapshot | null = snapshots.at(-1) ?? null;
  const isRestored = newest !== null && newest.next > (await offsetOrNone(own.stateDir));
  if (isRestored && newest !== null) {
    await restoreSnapshot(newest, own.stateDir);
    log.info("cluster.shard", `shard ${number} is restored from ${newest.folder}`);
  }
  const lastOwner = book.get(statusKey(number));
  const beyond = Math.max(lastOwner?.generation ?? 0, overtakenBy.get(number) ?? 0);
  if (isRestored || overtakenBy.has(number) || (lastOwner !== undefined && lastOwner.node !== node)) {
    await goesBeyond(own.stateDir, beyond);
    overtakenBy.delete(number);
  }
  const store = await openStore(own);
  try {
    requireSameRules(store, own, number);
    const inlets = inletsOf(config.sources.map(({ id }) => id));
    let giveWay = (): void => {};
    const overtaken = new Promise<void>((resolve) => {
      giveWay = resolve;
    });
    const onOvertaken = (by: number): void => {
      overtakenBy.set(number, by);
      giveWay();
    };
    const engine = await compose({
      config: own,
      store,
      mode: "live",
      screen: null,
      insecureDev,
      shard: { owns: (id) => shardOf(id, settings.shards) === number, inlets, onOvertaken },
      onRetry: (source, error) => log.warn("source.retry", error.message, { source }),
      onSinkRetry: (sink, error) => log.warn("sink.retry", error.message, { sink }),
      onSinkGap: (sink, from, to) =>
        log.error("sink.gap", `${sink} goes on at ${to}: what came from ${from} on is no longer in the log`, { sink }),
      onPressure: (reason) => (reason === null ? log.info("log.room", "there is room again") : log.warn("log.full", reason)),
      onStage: () => {},
      onBatch: wake,
      onTrouble: () => {},
    });
    const shard = new Shard(engine, store, inlets);
    const newestSaid = (): ShardStatus["snapshot"] => (newest === null ? null : { next: newest.next, atMs: newest.atMs });
    const generation = Math.max(beyond + 1, store.generation);
    const about = { shard: number, node, address: null, generation, next: shard.next, ...shard.tells };
    await requireReachable(settings, number, shard.next); // Before it is said: who is refused has never had the shard.
    await book.put(statusKey(number), { ...about, atMs: wallClock.now(), snapshot: newestSaid() });
    const stop = new AbortController();
    const running = engine.run(stop.signal, GIVE_UP_MS);
    running.catch(() => {}); // `failed` says it.
    const failed = running.then(() => new Promise<never>(() => {}));
    failed.catch(() => {}); // The host hears of it.
    const shooting =
      folder === null
        ? Promise.resolve()
        : shoot(
            stop.signal,
            everyMs,
            async () => {
              if (storedOffset(store) === newest?.next) return;
              newest = await makeSnapshot({ dir: own.stateDir, folder, shard: number, cluster: mark.id, node }, () => wallClock.now());
              log.info("cluster.snapshot", `shard ${number} behind ${newest.next}: ${newest.digest}`);
            },
            (text) => log.error("cluster.snapshot", `shard ${number}: ${text}`),
          );
    return {
      shard,
      store,
      snapshot: newestSaid,
      failed,
      overtaken,
      async close() {
        stop.abort();
        await running;
        await shooting;
        await engine.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error instanceof Unavailable ? error : storeError(error);
  }
}

/** What cannot be copied now is copied the next time: the mailbox holds what is behind the last one. */
async function shoot(signal: AbortSignal, everyMs: number, make: () => Promise<void>, onError: (text: string) => void): Promise<void> {
  for (;;) {
    await wallClock.sleep(everyMs, signal);
    if (signal.aborted) return;
    await make().catch((error: unknown) => onError(error instanceof Error ? error.message : String(error)));
  }
}

/**
 * A shard's engine has a name, a state and files of its own. What it keeps of files here, a node that gets its snapshot does not know: so files are of the
 * node, too, even where nodes write to one folder.
 */
function shardConfig(config: Config, number: number, node: string): Config {
  const name = shardName(number);
  const folder = join(`shard=${name.slice("shard-".length)}`, `node=${encodeURIComponent(node)}`);
  const place = (path: string): string => join(dirname(path), folder, basename(path));
  const sinks = config.sinks.map((sink): SinkConfig => {
    return sink.type === "jsonl" || sink.type === "parquet" ? { ...sink, name: `${sink.name}@${node}`, path: place(sink.path) } : sink;
  });
  return { ...config, name: `${config.name}-${name}`, stateDir: join(config.stateDir, name), sinks };
}

function shardName(number: number): string {
  return `shard-${String(number).padStart(2, "0")}`;
}

function heldIn(stateDir: string, shards: number): HeldShards {
  const names = existsSync(stateDir) ? readdirSync(stateDir) : [];
  return new Map(Array.from({ length: shards }, (_, n) => n).flatMap((n) => (names.includes(shardName(n)) ? [[n, 0] as const] : [])));
}

async function goesBeyond(dir: string, generation: number): Promise<void> {
  await beginLater(dir, generation).catch((error: unknown) => {
    throw storeError(error);
  });
}

async function offsetOrNone(dir: string): Promise<number> {
  try {
    return await offsetIn(dir);
  } catch (error) {
    if (error instanceof NoStore) return -1;
    throw storeError(error);
  }
}

/** The states of a node belong to one cluster. */
function requireOwnState(stateDir: string, { id }: ClusterMark): void {
  const path = join(stateDir, MARK_FILE);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) return writeFileSync(path, `${JSON.stringify({ id })}\n`, { mode: 0o600 });
  const { id: known } = JSON.parse(readFileSync(path, "utf8")) as { id: string };
  if (known === id) return undefined;
  throw new WrongCluster(`${stateDir} holds states of the cluster ${known}, and this one is ${id}: give another --state`);
}

/** Other rules would be an input that is in no mailbox. */
function requireSameRules(store: Store, config: Config, shard: number): void {
  const stored = storedRules(store);
  const { rules } = worldOptions(config);
  if (stored === null || stored === rulesText(rules.settings)) return;
  throw new WrongCluster(
    `the rules are not those that shard ${shard} was begun with: this version keeps the rules of a cluster as they were`,
  );
}

// Ingest ------------------------------------------------------------------------------------------------------------------------------------

/** Reads the sources into the mailbox: with `isDrain` the files to their present end, else until the signal fires. */
export async function ingestRun({ config, log, say, insecureDev }: ClusterRun, isDrain: boolean, stop: AbortSignal): Promise<void> {
  const settings = clusterSettings(config, insecureDev);
  await inCluster(settings, async (book) => {
    const positions = new Book<Position>(settings.connection, topicNames(settings).ingest);
    const mailbox = new TopicWriter(settings.connection, settings.mailbox);
    try {
      await positions.open();
      const world = new World(worldOptions(config), openMemoryStore());
      await ingest(
        {
          sources: wireSources({
            config,
            assembly: SHIPPED,
            domain: domainOf(config),
            store: openMemoryStore(`ingest of ${settings.mailbox}`),
            mode: isDrain ? "drain" : "live",
            world: () => world,
            onTrouble: (source, partition, reason) =>
              log.error("source.stopped", `partition ${partition} of ${source}: ${reason}`, { source, partition }),
            insecureDev,
          }),
          router: new Router({ world, shards: settings.shards, nowMs: () => performance.now() }),
          mailbox: {
            send: async (chunks) => {
              await mailbox.send(chunks.map(({ shard, chunk }) => ({ partition: shard, value: encodeChunk(chunk) })));
            },
          },
          positions: positionBook(positions),
          settled: (signal) => {
            say("waiting until all shards have taken this stage\n");
            return allSettled(mailbox, book, settings.shards, signal);
          },
          clock: wallClock,
          random: Math.random,
          onRetry: (source, error) => log.warn("source.retry", error.message, { source }),
          onStage: (stage) => say(`stage ${stage} is in the mailbox\n`),
        },
        stop,
      );
      if (isDrain && stop.aborted)
        throw new CommandError("RETRY", "stopped before the end of the files", { hint: "run it again: it goes on where it stopped" });
    } finally {
      await mailbox.close();
      await positions.close();
    }
  });
}

function positionBook(book: Book<Position>): PositionBook {
  return {
    of: (source) => {
      const prefix = `${source}\0`;
      return new Map(
        [...book.entries()].filter(([key]) => key.startsWith(prefix)).map(([key, position]) => [key.slice(prefix.length), position]),
      );
    },
    keep: (source, positions) => book.putAll([...positions].map(([partition, position]) => [`${source}\0${partition}`, position] as const)),
  };
}

// Looking at it -----------------------------------------------------------------------------------------------------------------------------

/** What `cluster verify` has found of a shard. */
export interface Verified {
  readonly shard: number;
  /** The offset behind which the snapshot is; null: there is none. */
  readonly behind: number | null;
  readonly digest: string | null;
  /** Of the replay. */
  readonly replayed: string | null;
  readonly result: "same" | "different" | "no snapshot" | "not replayable";
}

/**
 * Replays the mailbox of each shard, in memory and up to its newest snapshot, and compares the digests. It begins with the mailbox, or with the
 * snapshot before if the mailbox does not reach back so far.
 */
export async function clusterVerify(config: Config, insecureDev: boolean): Promise<readonly Verified[]> {
  const settings = clusterSettings(config, insecureDev);
  const { snapshots: folder } = settings.cluster;
  if (folder === null)
    throw new CommandError("CONFIG", "the cluster makes no snapshots", { hint: "cluster.snapshots: a folder that all nodes reach" });
  return inCluster(settings, async (_, mark) => {
    const extents = await mailboxExtents(settings);
    const found: Verified[] = [];
    for (let shard = 0; shard < settings.shards; shard += 1) {
      const [newest, before] = [...(await snapshotsOf(folder, shard, mark.id))].reverse();
      const about = { shard, behind: newest?.next ?? null, digest: newest?.digest ?? null, replayed: null };
      const { low = 0 } = extents.get(shard) ?? {};
      if (newest === undefined) found.push({ ...about, result: "no snapshot" });
      else if (low > 0 && (before?.next ?? -1) < low) found.push({ ...about, result: "not replayable" });
      else {
        const replayed = await replayedDigest(config, settings, { shard, to: newest.next, from: low > 0 ? (before ?? null) : null });
        found.push({ ...about, replayed, result: replayed === newest.digest ? "same" : "different" });
      }
    }
    return found;
  });
}

async function replayedDigest(
  config: Config,
  settings: ClusterSettings,
  { shard: number, to, from }: { readonly shard: number; readonly to: number; readonly from: Snapshot | null },
): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "gridactor-verify-"));
  try {
    const own = { ...shardConfig(config, number, "verify"), stateDir: join(scratch, "state"), sinks: [] };
    if (from !== null) await restoreSnapshot(from, own.stateDir);
    const store = from === null ? openMemoryStore() : await openStore(own);
    const inlets = inletsOf(config.sources.map(({ id }) => id));
    const quiet = { screen: null, onRetry: () => {}, onSinkRetry: () => {}, onStage: () => {}, onTrouble: () => {} };
    const part = { owns: (id: ActorId): boolean => shardOf(id, settings.shards) === number, inlets };
    const engine = await compose({ ...quiet, config: own, store, mode: "live", shard: part });
    const stop = new AbortController();
    const running = engine.run(stop.signal, GIVE_UP_MS);
    const shard = new Shard(engine, store, inlets);
    const broken = running.then(() => new Promise<never>(() => {}));
    await Promise.race([replay(settings, { shard: number, from: shard.next, to }, (offset, bytes) => shard.take(offset, bytes)), broken]);
    stop.abort();
    await running;
    const digest = stateDigest(store);
    await engine.close();
    return digest;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One shard as `cluster status` shows it. */
export interface ShardRow {
  readonly shard: number;
  readonly node: string | null;
  readonly next: number | null;
  /** Records of the mailbox that the shard has not taken, as far as it has said. */
  readonly lag: number;
  readonly tellsWaiting: number | null;
  readonly saidAt: string | null;
  readonly snapshotBehind: number | null;
  readonly snapshotAt: string | null;
  /** The mailbox does not hold all that is behind the snapshot any more: should the node's state be lost, the shard is. */
  readonly isSnapshotTooOld: boolean;
}

/** Where all shards are, as their owners have said. */
export async function clusterStatus(config: Config, insecureDev: boolean): Promise<readonly ShardRow[]> {
  const settings = clusterSettings(config, insecureDev);
  return inCluster(settings, async (book) => {
    const extents = await mailboxExtents(settings);
    return Array.from({ length: settings.shards }, (_, shard): ShardRow => {
      const status = book.get(statusKey(shard));
      const { low = 0, high = 0 } = extents.get(shard) ?? {};
      const snapshot = status?.snapshot ?? null;
      return {
        shard,
        node: status?.node ?? null,
        next: status?.next ?? null,
        lag: high - Math.max(low, status?.next ?? 0),
        tellsWaiting: status === undefined ? null : status.told - status.handedOver,
        saidAt: status === undefined ? null : new Date(status.atMs).toISOString(),
        snapshotBehind: snapshot?.next ?? null,
        snapshotAt: snapshot === null ? null : new Date(snapshot.atMs).toISOString(),
        isSnapshotTooOld: (snapshot?.next ?? 0) < low,
      };
    });
  });
}

/** The shard of an actor, whether the actor is there or not, and its owner as far as one has said so. */
export async function clusterWhere(config: Config, id: string, insecureDev: boolean): Promise<Pick<ShardRow, "shard" | "node">> {
  const settings = clusterSettings(config, insecureDev);
  return inCluster(settings, async (book) => {
    const shard = shardOf(id, settings.shards);
    return { shard, node: book.get(statusKey(shard))?.node ?? null };
  });
}

async function inCluster<T>(settings: ClusterSettings, work: (book: Book<ShardStatus>, mark: ClusterMark) => Promise<T>): Promise<T> {
  try {
    await requireTopics(settings);
    const book = new Book<ShardStatus>(settings.connection, topicNames(settings).shards, newerOwner);
    try {
      await book.open();
      return await work(book, await requireCluster(settings, book));
    } finally {
      await book.close();
    }
  } catch (error) {
    throw clusterError(error);
  }
}

/** What a cluster may say, as an error of the command line. */
export function clusterError(error: unknown): unknown {
  if (error instanceof WrongCluster) return new CommandError("CONFIG", error.message);
  if (error instanceof Unavailable) return new CommandError("UNREACHABLE", error.message);
  return storeError(error);
}
