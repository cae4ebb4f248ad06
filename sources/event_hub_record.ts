import type { ReceivedEventData } from "@azure/event-hubs";
import { fault } from "../engine/fault.ts";
import { jsonText } from "../engine/feed.ts";
import type { SourceRecord } from "../engine/source.ts";

/** What is read of an event, whose body the library has left as it came. */
export type HubEventData = Pick<ReceivedEventData, "body" | "sequenceNumber" | "offset" | "enqueuedTimeUtc" | "systemProperties">;

/**
 * The record that an event carries: its sequence number, its arrival at the hub, its bytes. `columns` (system property -> column) names what
 * the transport knows beside the body. A body that is no bytes (an AMQP value or sequence) becomes a fault, with its JSON text.
 */
export function recordOf(event: HubEventData, columns: ReadonlyMap<string, string>): SourceRecord {
  const { sequenceNumber: at, enqueuedTimeUtc } = event;
  const arrivedAtMs = enqueuedTimeUtc.getTime();
  const body: unknown = event.body;
  const bytes = bytesOf(body);
  if (bytes === null) {
    return { at, arrivedAtMs, bytes: Buffer.from(jsonText(body)), fault: fault("bad_encoding", "the body is an AMQP value, no bytes") };
  }
  const beside = besideOf(event.systemProperties, columns);
  return beside === null ? { at, arrivedAtMs, bytes } : { at, arrivedAtMs, bytes, beside };
}

/** Sections that follow one another are one body. Null: no bytes. */
function bytesOf(body: unknown): Uint8Array | null {
  if (body instanceof Uint8Array) return body;
  if (!Array.isArray(body) || body.length === 0) return null;
  const sections = body.filter((section) => section instanceof Uint8Array);
  return sections.length === body.length ? Buffer.concat(sections) : null;
}

function besideOf(
  properties: Readonly<Record<string, unknown>> | undefined,
  columns: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> | null {
  if (properties === undefined || columns.size === 0) return null;
  const known = [...columns].filter(([property]) => Object.hasOwn(properties, property));
  return known.length === 0 ? null : Object.fromEntries(known.map(([property, column]) => [column, properties[property]]));
}
