import { randomUUID } from "node:crypto";
import type { Admin } from "kafkajs";
import { wallClock } from "../engine/clock.ts";
import { hours, minutes, seconds } from "../engine/duration.ts";
import { orUnavailable } from "../engine/fault.ts";
import { retry } from "../engine/retry.ts";
import { type KafkaConnection, kafkaClient } from "../sources/kafka/client.ts";
import { Book } from "./book.ts";

/** What nodes and ingests of one cluster must agree on. */
export interface ClusterSettings {
  readonly connection: KafkaConnection;
  /** The topic that shards read; the names of the other two are made of it. */
  readonly mailbox: string;
  readonly shards: number;
  readonly group: string;
  /** What decides what a shard makes of its records, part by part of the configuration, as hashes. */
  readonly agreed: Readonly<Record<string, string>>;
}

/** The mark of a cluster, made once by `initCluster`: states and snapshots of another one are refused by it. */
export interface ClusterMark {
  readonly id: string;
  readonly shards: number;
  /** As it was at `initCluster`. */
  readonly agreed?: ClusterSettings["agreed"];
}

/** Topics or states are not those of the cluster that the configuration means. The message says what to do. */
export class WrongCluster extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WrongCluster";
  }
}

/** What is said where the mailbox no longer holds what comes next: retention was faster, or somebody has removed it. */
export function lostRecords(next: number, begins: number, who: string, mailbox: string): WrongCluster {
  return new WrongCluster(
    `${who} stands at ${next}, and ${mailbox} begins at ${begins}: what lies between is lost to it. Give it a newer snapshot, or begin a new cluster fed by the same sources; a longer retention of ${mailbox} keeps it from happening again`,
  );
}

const MESSAGE_BYTES_MAX = 16_777_216;
const REPLICAS = 3;
/** The open segment is never compacted, and whoever starts reads all: by default it may be 1 GiB, or of a week. */
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.bytes": "4194304",
  "segment.ms": String(minutes(10)),
  "min.cleanable.dirty.ratio": "0.1",
} as const;
const LEADER_WITHIN_MS = seconds(20);
const MARK_KEY = "cluster";

/** Names of the topics beside the mailbox. */
export function topicNames({ mailbox }: Pick<ClusterSettings, "mailbox">): { readonly shards: string; readonly ingest: string } {
  const stem = mailbox.replace(/\.mailbox$/, "");
  return { shards: `${stem}.shards`, ingest: `${stem}.ingest` };
}

/** Makes the topics and the mark of a cluster where they are missing. Throws `WrongCluster` if what is there is of another number of shards. */
export async function initCluster(settings: ClusterSettings): Promise<ClusterMark & { readonly made: readonly string[] }> {
  const { mailbox, shards, connection } = settings;
  const names = topicNames(settings);
  const made = await withAdmin(connection, async (admin) => {
    const present = new Set(await admin.listTopics());
    if (present.has(mailbox)) await requirePartitions(admin, settings);
    const { brokers } = await admin.describeCluster();
    const replicationFactor = Math.min(REPLICAS, brokers.length);
    const compacted = Object.entries(COMPACTED).map(([name, value]) => ({ name, value }));
    const kept = [
      { name: "retention.ms", value: String(7 * hours(24)) },
      { name: "max.message.bytes", value: String(MESSAGE_BYTES_MAX) },
    ];
    const wanted = [
      { topic: mailbox, numPartitions: shards, configEntries: kept },
      { topic: names.shards, numPartitions: 1, configEntries: compacted },
      { topic: names.ingest, numPartitions: 1, configEntries: compacted },
    ].filter(({ topic }) => !present.has(topic));
    if (wanted.length > 0) await admin.createTopics({ waitForLeaders: true, topics: wanted.map((one) => ({ ...one, replicationFactor })) });
    return wanted.map(({ topic }) => topic);
  });
  const book = await openedBook(settings);
  try {
    const known = book.get(MARK_KEY) as ClusterMark | undefined;
    if (known !== undefined) return { ...requireAgreed(known, settings), made };
    const mark: ClusterMark = { id: randomUUID(), shards, agreed: settings.agreed };
    await book.put(MARK_KEY, mark);
    return { ...mark, made };
  } finally {
    await book.close();
  }
}

/** A topic that was just made has no leader for a moment. Throws `Unavailable`. */
async function openedBook(settings: ClusterSettings): Promise<Book<unknown>> {
  const open = async (): Promise<Book<unknown>> => {
    const book = new Book<unknown>(settings.connection, topicNames(settings).shards);
    await book.open().catch(async (error: unknown) => {
      await book.close();
      throw error;
    });
    return book;
  };
  return retry(open, { clock: wallClock, random: Math.random, signal: AbortSignal.timeout(LEADER_WITHIN_MS) });
}

/** The mark of the cluster that the configuration means. Throws `WrongCluster` if topics are missing or of another number of shards. */
export async function requireCluster(
  settings: ClusterSettings,
  shardBook: { readonly get: (key: string) => unknown },
): Promise<ClusterMark> {
  const mark = shardBook.get(MARK_KEY) as ClusterMark | undefined;
  if (mark === undefined)
    throw new WrongCluster(`${topicNames(settings).shards} has no mark of a cluster: gridactor cluster init makes it`);
  await withAdmin(settings.connection, (admin) => requirePartitions(admin, settings));
  return requireAgreed(mark, settings);
}

/** Throws `WrongCluster` unless all topics are there. */
export async function requireTopics(settings: ClusterSettings): Promise<void> {
  const { mailbox, connection } = settings;
  const names = topicNames(settings);
  await withAdmin(connection, async (admin) => {
    const present = await admin.listTopics();
    const missing = [mailbox, names.shards, names.ingest].filter((topic) => !present.includes(topic));
    if (missing.length > 0) throw new WrongCluster(`there is no topic ${missing.join(", ")}: gridactor cluster init makes it`);
  });
}

/** First offset that is there, and the one behind the last, of each partition of the mailbox. */
export async function mailboxExtents({
  connection,
  mailbox,
}: ClusterSettings): Promise<ReadonlyMap<number, { low: number; high: number }>> {
  const offsets = await withAdmin(connection, (admin) => admin.fetchTopicOffsets(mailbox));
  return new Map(offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]));
}

async function requirePartitions(admin: Admin, { mailbox, shards }: ClusterSettings): Promise<void> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [mailbox] });
  const partitions = topics[0]?.partitions.length ?? 0;
  if (partitions === shards) return;
  throw new WrongCluster(
    `${mailbox} has ${partitions} partitions, and the configuration says ${shards} shards: their number never changes; another one is a new cluster, with a mailbox of its own`,
  );
}

/** Owners of a shard who differ in any of it would make different states of the same records. */
function requireAgreed(mark: ClusterMark, { shards, agreed }: ClusterSettings): ClusterMark {
  if (mark.shards !== shards)
    throw new WrongCluster(`the cluster was made with ${mark.shards} shards, and the configuration says ${shards}`);
  const known = mark.agreed ?? agreed;
  const other = Object.keys({ ...known, ...agreed }).filter((part) => known[part] !== agreed[part]);
  if (other.length === 0) return mark;
  throw new WrongCluster(
    `${other.join(" and ")} of the configuration ${other.length === 1 ? "is" : "are"} not what the cluster was made with, and it keeps what it was made with: give all nodes the same file, or begin a new cluster`,
  );
}

async function withAdmin<T>(connection: KafkaConnection, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaClient(connection).admin();
  const what = connection.brokers.join(",");
  try {
    await orUnavailable(what, admin.connect());
    return await ask(admin).catch((error: unknown) => {
      if (error instanceof WrongCluster) throw error;
      return orUnavailable(what, Promise.reject(error));
    });
  } finally {
    await admin.disconnect();
  }
}
