import type { AlertEvent, Emission } from "./emission.ts";
import { decodeRow } from "./row_codec.ts";
import type { Stream } from "./sink.ts";
import type { LogEntry } from "./store.ts";
import type { ResolvedTable } from "./table.ts";

/** Bytes of an alert event for the log: its JSON. */
export function encodeAlert(event: AlertEvent): Uint8Array {
  return Buffer.from(JSON.stringify(event));
}

/** Makes the reader of log entries. `tables`: every table that may occur. */
export function emissionDecoder(tables: readonly ResolvedTable[]): (stream: Stream, entry: LogEntry) => Emission {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return (stream, { sequence, bytes }) =>
    stream === "alerts"
      ? { stream, sequence, event: JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as AlertEvent }
      : { stream, sequence, row: decodeRow(byName, bytes) };
}
