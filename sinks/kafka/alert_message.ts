import type { Message } from "kafkajs";
import type { Emission } from "../../engine/emission.ts";
import { invariant } from "../../engine/fault.ts";

/** The names of the headers that a resume looks at. */
export const HEADER = { id: "ce_id", sequence: "ce_sequence", epoch: "epoch" } as const;

/** An alert event in the binary mode of CloudEvents: attributes in headers, `data` as the value, the actor as the key. `epoch`: which count `ce_sequence` is of. */
export function alertMessage(emission: Emission, epoch: string): Message & { readonly key: string; readonly value: string } {
  invariant(emission.stream === "alerts", "a topic takes the stream of alerts");
  const { event } = emission;
  return {
    key: event.partitionkey,
    value: JSON.stringify(event.data),
    headers: {
      ce_specversion: event.specversion,
      ce_type: event.type,
      ce_source: event.source,
      [HEADER.id]: event.id,
      ce_subject: event.subject,
      ce_time: event.time,
      ce_dataschema: event.dataschema,
      ce_partitionkey: event.partitionkey,
      [HEADER.sequence]: event.sequence,
      [HEADER.epoch]: epoch,
      "content-type": event.datacontenttype,
    },
  };
}
