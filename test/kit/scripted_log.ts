import type { Emission } from "../../engine/emission.ts";
import type { LogEntry } from "../../engine/log_entry.ts";
import type { Stream } from "../../engine/sink.ts";
import { type SinkCursor, storedCursor } from "../../engine/sink_cursor.ts";
import type { Store } from "../../engine/store.ts";

/** The part of a store that a drain works with, over emissions that a test appends. */
export interface ScriptedLog extends Pick<Store, "get" | "nextSequence" | "readLog" | "logStart" | "settle"> {
  append(...emissions: readonly Emission[]): void;
  /** Every cursor that was settled, oldest first. */
  readonly settled: readonly SinkCursor[];
  cursor(sink: string): SinkCursor;
  decode(stream: Stream, entry: LogEntry): Emission;
}

/** `readMax`: entries in one read. */
export function scriptedLog(readMax = 3): ScriptedLog {
  const log: Emission[] = [];
  const cursors = new Map<string, Uint8Array>();
  const settled: SinkCursor[] = [];
  const get: Store["get"] = (table, key) => (table === "sink" ? (cursors.get(key) ?? null) : null);
  return {
    append: (...emissions) => void log.push(...emissions),
    settled,
    cursor: (sink) => storedCursor({ get }, sink),
    get,
    get nextSequence() {
      return (log.at(-1)?.sequence ?? 0) + 1;
    },
    logStart: () => 1,
    readLog: async (stream, from) =>
      log
        .filter((emission) => emission.stream === stream && emission.sequence >= from)
        .slice(0, readMax)
        .map((emission) => ({ sequence: emission.sequence, bytes: Buffer.from(JSON.stringify(emission)) })),
    async settle(sink, cursor) {
      cursors.set(sink, cursor);
      settled.push(storedCursor({ get }, sink));
    },
    decode: (_stream, { sequence }) => log.find((emission) => emission.sequence === sequence) as Emission,
  };
}
