import type { Consumer, Kafka } from "kafkajs";
import type { Clock } from "../../engine/clock.ts";
import { seconds } from "../../engine/duration.ts";
import { BadBatch } from "./bad_batch.ts";
import { decompress } from "./codecs.ts";
import { isPacked, type PackedMessage } from "./packed_batch.ts";
import { packedRecords } from "./record_batch.ts";
import { recordHeaders } from "./record_headers.ts";

/** A record of a topic, without key and value. */
export interface TailRecord {
  readonly partition: number;
  readonly offset: number;
  /** The newest value of each name, as text. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface TailOptions {
  readonly client: Kafka;
  readonly topic: string;
  /** A group that nobody else is in. No offset is committed to it. */
  readonly group: string;
  /** First offset to read of each partition, those behind are passed over; null: all from the beginning. */
  readonly from: readonly number[] | null;
  readonly clock: Pick<Clock, "sleep">;
  readonly onRecord: (record: TailRecord) => void;
}

/** The offset behind the last record of each partition, in order of partitions. */
export type TopicEnds = readonly number[];

/** A tail of which no batch comes for so long is given up. */
const STALLED_AFTER_MS = seconds(30);

/**
 * Reads partitions to the end that they have now for readers of committed records: before the first transaction that is still open, without those that
 * were aborted. Rejects when the broker does not answer or a batch cannot be read.
 */
export async function readTail(options: TailOptions): Promise<TopicEnds> {
  const { client, topic, from } = options;
  const admin = client.admin();
  try {
    await admin.connect();
    const extents = (await admin.fetchTopicOffsets(topic)).sort((a, b) => a.partition - b.partition);
    const left = new Map<number, Stretch>();
    for (const { partition, low, high } of extents) {
      const first = from === null ? 0 : (from[partition] ?? Number(high));
      const next = first > Number(high) ? Number(low) : Math.max(first, Number(low)); // Beyond the end: the topic was made again.
      if (next < Number(high)) left.set(partition, { next, end: Number(high) });
    }
    if (left.size > 0) await readStretches(options, left);
    return extents.map(({ high }) => Number(high));
  } finally {
    await admin.disconnect();
  }
}

interface Stretch {
  readonly next: number;
  readonly end: number;
}

async function readStretches(options: TailOptions, left: Map<number, Stretch>): Promise<void> {
  const { client, topic, group, clock, onRecord } = options;
  const consumer = client.consumer({ groupId: group, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  const stalled = new AbortController();
  let moves = 0;

  function movedTo(partition: number, next: number): void {
    moves += 1;
    const stretch = left.get(partition);
    if (stretch === undefined) return;
    if (next < stretch.end) left.set(partition, { ...stretch, next });
    else left.delete(partition);
  }

  async function watch(): Promise<void> {
    for (let seen = -1; seen !== moves && !stalled.signal.aborted; ) {
      seen = moves;
      await clock.sleep(STALLED_AFTER_MS, stalled.signal);
    }
    throw new Error(`the tail of ${topic} does not come`);
  }

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const read = new Promise<void>((resolve, reject) => {
      begin(consumer, topic, left, reject);
      consumer.on(consumer.events.END_BATCH_PROCESS, () => {
        if (left.size === 0) resolve();
      });
      const eachBatch: Parameters<Consumer["run"]>[0] = {
        autoCommit: false,
        eachBatch: async ({ batch }) => {
          const { partition, messages } = batch;
          const stretch = left.get(partition);
          if (stretch === undefined) return;
          for (const message of messages) {
            if (!isPacked(message)) throw new BadBatch("its format is older than headers");
            if (message.isPassedOver === true) continue;
            for (const record of await unpacked(message)) {
              if (record.offset >= stretch.next && record.offset < stretch.end) onRecord({ partition, ...record });
            }
          }
          movedTo(partition, Number(batch.lastOffset()) + 1);
        },
      };
      consumer.run(eachBatch).catch(reject);
    });
    await Promise.race([read, watch()]);
  } finally {
    stalled.abort();
    await consumer.disconnect();
  }
}

/** Where to begin is said before anything is fetched. */
function begin(consumer: Consumer, topic: string, left: ReadonlyMap<number, Stretch>, onCrash: (error: Error) => void): void {
  consumer.on(consumer.events.CRASH, ({ payload }) => onCrash(payload.error));
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    for (const partition of memberAssignment[topic] ?? []) {
      const stretch = left.get(partition);
      if (stretch === undefined) consumer.pause([{ topic, partitions: [partition] }]);
      else consumer.seek({ topic, partition, offset: String(stretch.next) });
    }
  });
}

async function unpacked({ packed, damage }: PackedMessage) {
  if (damage !== null) throw new BadBatch(damage);
  return recordHeaders(packed, await decompress(packed.codec, packedRecords(packed)));
}
