import { randomUUID } from "node:crypto";
import { wallClock } from "../engine/clock.ts";
import { seconds } from "../engine/duration.ts";
import { orUnavailable, Unavailable } from "../engine/fault.ts";
import { kafkaClient } from "../sources/kafka/client.ts";
import { type ClusterSettings, lostRecords, mailboxExtents, WrongCluster } from "./topics.ts";
import { unpackedRecords } from "./unpacked.ts";

const LEAVE_WITHIN_MS = seconds(5);

/**
 * Reads one partition of the mailbox, from an offset to before another one. Throws `WrongCluster` where the mailbox does not hold all that lies
 * between, `Unavailable`, or what `take` throws.
 */
export async function replay(
  settings: ClusterSettings,
  { shard, from, to }: { readonly shard: number; readonly from: number; readonly to: number },
  take: (offset: number, bytes: Uint8Array | null) => Promise<void>,
): Promise<void> {
  if (from >= to) return;
  const { connection, mailbox } = settings;
  const { low = 0, high = 0 } = (await mailboxExtents(settings)).get(shard) ?? {};
  const who = `the replay of shard ${shard}`;
  if (to > high) {
    throw new WrongCluster(
      `${who} goes to ${to}, where its snapshot is, and ${mailbox} ends at ${high}: the topic was made anew, or is another one. Remove snapshots that are not of it`,
    );
  }
  if (from < low) throw lostRecords(from, low, who, mailbox);
  const group = `${mailbox}-replay-${randomUUID()}`;
  const consumer = kafkaClient(connection).consumer({ groupId: group, allowAutoTopicCreation: false, maxWaitTimeInMs: 100 });
  let next = from;
  try {
    await orUnavailable(mailbox, consumer.connect());
    await orUnavailable(mailbox, consumer.subscribe({ topics: [mailbox], fromBeginning: true }));
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(new Unavailable(mailbox, payload.error)));
      consumer.on(consumer.events.REQUEST_TIMEOUT, () => reject(new Unavailable(mailbox, new Error("a request was not answered in time"))));
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
              if (offset < next || offset >= to) continue;
              if (offset > next) throw lostRecords(next, offset, who, mailbox);
              await take(offset, value);
              next = offset + 1;
              await payload.heartbeat();
            }
          } catch (error) {
            reject(error);
            throw error;
          }
          if (next >= to) resolve();
        },
      };
      consumer.run(eachBatch).catch(reject);
    });
  } finally {
    await Promise.race([consumer.disconnect().catch(() => {}), wallClock.sleep(LEAVE_WITHIN_MS, new AbortController().signal)]);
  }
}
