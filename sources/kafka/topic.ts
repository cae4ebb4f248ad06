import { randomUUID } from "node:crypto";
import type { Clock } from "../../engine/clock.ts";
import { type KafkaConnection, kafkaClient, partitionOfKey } from "./client.ts";
import { readTail, type TailRecord } from "./tail.ts";

/** So few, because a sink's own retry goes on. */
const RETRIES = 1;

/**
 * A topic to write to: the client, where keys go, and a way to read back what is there. What is read back is read in a group whose name begins with
 * `group`, a new one each time: a member that was killed would otherwise be waited for.
 */
export function kafkaTopic(connection: KafkaConnection, topic: string, group: string, clock: Pick<Clock, "sleep">) {
  const client = kafkaClient(connection, RETRIES);
  return {
    topic,
    client,
    partitionOf: partitionOfKey,
    readTail: (from: readonly number[] | null, onRecord: (record: TailRecord) => void): Promise<readonly number[]> =>
      readTail({ client, topic, group: `${group}-${randomUUID()}`, from, clock, onRecord }),
  };
}
