import type { Source } from "../engine/source.ts";
import type { KafkaOptions } from "./kafka/options.ts";
import { KafkaReading } from "./kafka/reading.ts";

/**
 * Topics of Kafka. Partition: `<topic>/<n>`; position: next offset, cluster and fingerprint of the record before it. Positions of the store are
 * the truth; the broker gets them after they are stored, for its tools. A partition with a gap stops, and the others go on. The engine that is
 * assigned a partition which the group reads for another store throws `ForeignPartition`.
 */
export function kafka(options: KafkaOptions): Source {
  let reading: KafkaReading | null = null;
  return {
    id: options.id,
    async *read(after, signal) {
      const current = new KafkaReading(options, after, signal);
      reading = current;
      try {
        await current.begin();
        yield* current.batches();
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        await current.end();
      }
    },
    stored: (positions) => reading?.stored(positions),
    goOn: () => reading?.goOn(),
    behind: () => reading?.behind() ?? null,
  };
}
