import { alertJson } from "./alert_json.ts";
import type { AlertEvent, Emission } from "./emission.ts";
import type { LogEntry } from "./log_entry.ts";
import { decodeRow } from "./row_codec.ts";
import type { Stream } from "./sink.ts";
import type { ResolvedTable } from "./table.ts";

/** Makes the reader of log entries. `shard`: the engine's name; `tables`: every table that may occur. */
export function emissionDecoder(shard: string, tables: readonly ResolvedTable[]): (stream: Stream, entry: LogEntry) => Emission {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const toJson = alertJson(shard);
  return (stream, { sequence, bytes }) =>
    stream === "curated" ? { stream, sequence, row: decodeRow(byName, bytes) } : alertEmission(sequence, toJson(bytes, sequence));
}

function alertEmission(sequence: number, json: Uint8Array): Emission {
  let event: AlertEvent | null = null;
  return {
    stream: "alerts",
    sequence,
    get event() {
      event ??= JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.length).toString()) as AlertEvent; // Only who wants it pays for it.
      return event;
    },
    json,
  };
}
