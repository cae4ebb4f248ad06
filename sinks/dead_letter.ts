import type { Emission } from "../engine/emission.ts";
import type { ActorId } from "../engine/ids.ts";
import { quarantineId, SourceId } from "../engine/ids.ts";
import type { QuarantineRow } from "../engine/quarantine.ts";

/** An emission that a sink's other side does not take, whole, for people to look at. */
export interface DeadLetter {
  readonly sink: string;
  readonly sequence: number;
  /** `alerts`, or the table of a curated row. */
  readonly kind: string;
  readonly actor: ActorId | null;
  readonly eventTimeMs: number | null;
  readonly json: Uint8Array;
  readonly reason: string;
  /** When it was given up. */
  readonly atMs: number;
}

/** `json`: as the sink would have sent it. */
export function deadLetter(emission: Emission, given: Pick<DeadLetter, "sink" | "json" | "reason" | "atMs">): DeadLetter {
  const { sequence } = emission;
  if (emission.stream === "curated") return { ...given, sequence, kind: emission.row.table, actor: emission.row.actor, eventTimeMs: null };
  const { subject, time } = emission.event;
  return { ...given, sequence, kind: "alerts", actor: subject, eventTimeMs: Date.parse(time) };
}

/** Its row in quarantine: source is the sink, position its place in the log. The same emission of the same sink is the same row. */
export function deadLetterRow({ sink, sequence, kind, actor, eventTimeMs, json, reason, atMs }: DeadLetter): QuarantineRow {
  const position = `log:${sequence}`;
  return {
    id: quarantineId(SourceId(sink), position, "dead_letter"),
    feed: kind,
    source: sink,
    position,
    reason: "dead_letter",
    field: null,
    error: reason,
    actor,
    eventTimeMs,
    arrivedAtMs: atMs,
    sizeBytes: json.length,
    attempts: 1,
    status: "open",
    bytes: json,
  };
}
