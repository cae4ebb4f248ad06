import type { Message } from "kafkajs";
import type { Emission } from "../../engine/emission.ts";
import type { NumberedRow } from "../delta_column.ts";

/** The names of the headers that a resume looks at. */
export const HEADER = { id: "ce_id", type: "ce_type", key: "ce_partitionkey", sequence: "ce_sequence", epoch: "epoch" } as const;

export interface MessageOptions {
  /** Which count `ce_sequence` is of. */
  readonly epoch: string;
  /** Of events of rows; alerts say it themselves. */
  readonly source: string;
  readonly rowJson: (numbered: NumberedRow) => string;
}

/** A record of the topic. */
export type EmissionMessage = Message & { readonly id: string; readonly type: string; readonly key: string; readonly value: string };

/** An emission in the binary mode of CloudEvents: attributes in headers, the data as the value, the actor as the key. */
export function messageOf(emission: Emission, options: MessageOptions): EmissionMessage {
  return emission.stream === "alerts" ? alertMessage(emission, options) : rowMessage(emission, options);
}

function alertMessage({ event }: Emission & { readonly stream: "alerts" }, { epoch }: MessageOptions): EmissionMessage {
  return {
    id: event.id,
    type: event.type,
    key: event.partitionkey,
    value: JSON.stringify(event.data),
    headers: {
      ce_specversion: event.specversion,
      [HEADER.type]: event.type,
      ce_source: event.source,
      [HEADER.id]: event.id,
      ce_subject: event.subject,
      ce_time: event.time,
      ce_dataschema: event.dataschema,
      [HEADER.key]: event.partitionkey,
      [HEADER.sequence]: event.sequence,
      [HEADER.epoch]: epoch,
      "content-type": event.datacontenttype,
    },
  };
}

/** Every amendment of a row has the row's id, so the number in the log goes with it. A row that is nobody's is keyed by itself. */
function rowMessage({ row, sequence }: Emission & { readonly stream: "curated" }, options: MessageOptions): EmissionMessage {
  const id = `${row.rowId}/${sequence}`;
  const key = row.actor ?? row.rowId;
  const type = `energy.row.${row.table}.v1`;
  return {
    id,
    type,
    key,
    value: options.rowJson({ row, sequence }),
    headers: {
      ce_specversion: "1.0",
      [HEADER.type]: type,
      ce_source: options.source,
      [HEADER.id]: id,
      ce_subject: key,
      [HEADER.key]: key,
      [HEADER.sequence]: String(sequence).padStart(20, "0"),
      [HEADER.epoch]: options.epoch,
      "content-type": "application/json",
    },
  };
}
