import { alertEvent } from "./alert_event.ts";
import type { Emission } from "./emission.ts";
import { decodeRow, readRow } from "./row_codec.ts";
import type { Stream } from "./sink.ts";
import type { LogEntry } from "./store.ts";
import type { ResolvedTable } from "./table.ts";

/** Makes the reader of log entries. `shard`: the engine's name; `tables`: every table that may occur, `alerts` among them. */
export function emissionDecoder(shard: string, tables: readonly ResolvedTable[]): (stream: Stream, entry: LogEntry) => Emission {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return (stream, { sequence, bytes }) => {
    if (stream === "curated") return { stream, sequence, row: decodeRow(byName, bytes) };
    return { stream, sequence, event: alertEvent(shard, readRow(byName, bytes).cells, sequence) };
  };
}
