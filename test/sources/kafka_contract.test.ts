// timeout: 180 s
import { wallClock } from "../../engine/clock.ts";
import { SourceId } from "../../engine/ids.ts";
import { kafka } from "../../sources/kafka.ts";
import { sourceContract } from "../contract/source.ts";
import { brokerMissing, type KafkaBroker, type Produced, startBroker } from "../kit/kafka_broker.ts";

// What came stays as it is: nothing here is JSON, some is no text of ours, one is a tombstone.
const RECORDS: readonly Produced[] = Array.from({ length: 40 }, (_, n) => ({
  partition: n % 3,
  key: n % 2 === 0 ? null : `key ${n}`,
  value: n === 7 ? null : `record ${n} ${"é".repeat(n)}`,
}));
const ofPartition = (partition: number): readonly string[] =>
  RECORDS.filter((one) => one.partition === partition).map(({ value }) => value ?? "");
const EXPECTED = Object.fromEntries([0, 1, 2].map((partition) => [`readings/${partition}`, ofPartition(partition)]));

let broker: KafkaBroker | null = null;
let groups = 0;

async function topic(): Promise<KafkaBroker> {
  if (broker !== null) return broker;
  broker = await startBroker();
  await broker.createTopic("readings", 3);
  await broker.produce("readings", RECORDS);
  return broker;
}

const contract = sourceContract(
  "topics of Kafka",
  async () => {
    const { connection } = await topic();
    const bounds = { records: 8, bytes: 300 };
    groups += 1;
    const common = { id: SourceId("meters"), connection, topics: ["readings"], group: `group-${groups}`, owner: "store" };
    return {
      open: () => kafka({ ...common, start: "earliest", onGap: "stop", bounds, idleMs: 60_000, clock: wallClock, onTrouble: () => {} }),
      expected: EXPECTED,
      bounds,
      flooded: async (records) => {
        const given = await topic();
        await given.createTopic("flood", 1);
        await given.produce(
          "flood",
          records.map((value) => ({ partition: 0, key: null, value })),
        );
        const flood = { ...common, topics: ["flood"], group: "flood", bounds: { records: 64, bytes: 1_000_000 } };
        return kafka({ ...flood, start: "earliest", onGap: "stop", idleMs: 60_000, clock: wallClock, onTrouble: () => {} });
      },
      remove: async () => {},
    };
  },
  brokerMissing(),
);
contract.after(() => broker?.remove());
