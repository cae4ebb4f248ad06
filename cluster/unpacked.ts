import type { EachBatchPayload } from "kafkajs";
import { Unavailable } from "../engine/fault.ts";
import { decompress } from "../sources/kafka/codecs.ts";
import { isPacked } from "../sources/kafka/packed_batch.ts";
import { type BatchRecord, batchRecords, packedRecords } from "../sources/kafka/record_batch.ts";

/** The records of what a consumer has fetched, in order. Throws `Unavailable` where they cannot be read: they are fetched again. */
export async function* unpackedRecords({ batch: { topic, partition, messages } }: EachBatchPayload): AsyncGenerator<BatchRecord, void> {
  const where = `${topic}/${partition}`;
  for (const message of messages) {
    if (!isPacked(message)) throw new Unavailable(where, new Error("its record batches are of an old format"));
    const { packed, damage, isPassedOver = false } = message;
    if (isPassedOver) continue;
    if (damage !== null) throw new Unavailable(where, new Error(damage));
    yield* batchRecords(packed, await decompress(packed.codec, packedRecords(packed)));
  }
}
