import type { AlertEvent } from "../../engine/emission.ts";
import { quarantineId, SourceId } from "../../engine/ids.ts";
import type { QuarantineRow } from "../../engine/quarantine.ts";

/** An event that an endpoint does not take, whole, for people to look at. `atMs`: when it was given up. */
export interface DeadLetter {
  readonly sink: string;
  readonly event: AlertEvent;
  readonly sequence: number;
  readonly json: Uint8Array;
  readonly reason: string;
  readonly atMs: number;
}

/** Its row in quarantine: source is the sink, position its place in the log. The same event of the same sink is the same row. */
export function deadLetterRow({ sink, event, sequence, json, reason, atMs }: DeadLetter): QuarantineRow {
  const position = `log:${sequence}`;
  return {
    id: quarantineId(SourceId(sink), position, "dead_letter"),
    feed: "alerts",
    source: sink,
    position,
    reason: "dead_letter",
    field: null,
    error: reason,
    actor: event.subject,
    eventTimeMs: Date.parse(event.time),
    arrivedAtMs: atMs,
    sizeBytes: json.length,
    attempts: 1,
    status: "open",
    bytes: json,
  };
}
