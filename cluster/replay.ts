import { randomUUID } from "node:crypto";
import { orUnavailable, Unavailable } from "../engine/fault.ts";
import { kafkaClient } from "../sources/kafka/client.ts";
import type { ClusterSettings } from "./topics.ts";
import { unpackedRecords } from "./unpacked.ts";

/** Reads one partition of the mailbox, from an offset to before another one, which is there. Throws `Unavailable`, or what `take` throws. */
export async function replay(
  { connection, mailbox }: ClusterSettings,
  { shard, from, to }: { readonly shard: number; readonly from: number; readonly to: number },
  take: (offset: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (from >= to) return;
  const group = `${mailbox}-replay-${randomUUID()}`;
  const consumer = kafkaClient(connection).consumer({ groupId: group, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  let next = from;
  try {
    await orUnavailable(mailbox, consumer.connect());
    await orUnavailable(mailbox, consumer.subscribe({ topics: [mailbox], fromBeginning: true }));
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(new Unavailable(mailbox, payload.error)));
      consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
        const others = (memberAssignment[mailbox] ?? []).filter((partition) => partition !== shard);
        if (others.length > 0) consumer.pause([{ topic: mailbox, partitions: others }]);
        consumer.seek({ topic: mailbox, partition: shard, offset: String(next) });
      });
      const eachBatch: Parameters<typeof consumer.run>[0] = {
        autoCommit: false,
        eachBatch: async (payload) => {
          if (payload.batch.partition !== shard) return;
          try {
            for await (const { offset, value } of unpackedRecords(payload)) {
              if (offset < next || offset >= to || value === null) continue;
              await take(offset, value);
              next = offset + 1;
              await payload.heartbeat();
            }
          } catch (error) {
            reject(error);
            throw error;
          }
          if (Number(payload.batch.lastOffset()) + 1 >= to) resolve();
        },
      };
      consumer.run(eachBatch).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}
