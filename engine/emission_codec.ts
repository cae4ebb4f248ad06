import { alertEvent } from "./alert_event.ts";
import type { Emission } from "./emission.ts";
import { decodeRow } from "./row_codec.ts";
import type { Stream } from "./sink.ts";
import type { LogEntry } from "./store.ts";
import type { ResolvedTable } from "./table.ts";

/** Makes the reader of log entries. `shard`: the engine's name; `tables`: every table that may occur, `alerts` among them. */
export function emissionDecoder(shard: string, tables: readonly ResolvedTable[]): (stream: Stream, entry: LogEntry) => Emission {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return (stream, { sequence, bytes }) => {
    const row = decodeRow(byName, bytes);
    return stream === "alerts" ? { stream, sequence, event: alertEvent(shard, row.cells, sequence) } : { stream, sequence, row };
  };
}
