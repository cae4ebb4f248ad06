import { Unavailable } from "../../engine/fault.ts";
import { type KafkaConnection, kafkaClient } from "./client.ts";

/** What of a cluster does not answer; null: all does. `topics`: those of the asked ones that it does not have, or does not show to us. */
export interface KafkaReach {
  readonly brokers: string | null;
  readonly topics: ReadonlyMap<string, string>;
}

/** Whether brokers answer and have these topics. Tries once; changes nothing, and makes no topic. */
export async function kafkaReach(connection: KafkaConnection, topics: readonly string[]): Promise<KafkaReach> {
  const admin = kafkaClient(connection, 0).admin();
  const missing = new Map<string, string>();
  try {
    await admin.connect();
    const known = new Set(await admin.listTopics());
    for (const topic of topics)
      if (!known.has(topic)) missing.set(topic, `the cluster has no topic ${topic}, or does not show it to this user`);
    return { brokers: null, topics: missing };
  } catch (error) {
    return { brokers: new Unavailable(connection.brokers.join(","), error).message, topics: missing };
  } finally {
    await admin.disconnect().catch(() => {}); // It never was connected.
  }
}
