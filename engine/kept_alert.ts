import type { ChangedRow } from "./commit.ts";
import type { Emission } from "./emission.ts";
import { invariant } from "./fault.ts";
import type { LogEntry } from "./log_entry.ts";

const SEQUENCE_BYTES = 8;

/** What is left of an event of an alert when the log of it is cut: its row (table `open_alert`), or none, if the alert was over with it. */
export function keptRow(emission: Emission, { sequence, bytes }: LogEntry): ChangedRow {
  invariant(emission.stream === "alerts", "events of alerts are in their stream");
  const { alertId, status } = emission.event.data;
  if (status === "cleared" || status === "retracted") return { table: "open_alert", key: alertId, value: null };
  const value = Buffer.alloc(SEQUENCE_BYTES + bytes.length);
  value.writeDoubleLE(sequence);
  value.set(bytes, SEQUENCE_BYTES);
  return { table: "open_alert", key: alertId, value };
}

/** The entry of the log that a row was. */
export function keptEntry(row: Uint8Array): LogEntry {
  const bytes = Buffer.from(row.buffer, row.byteOffset, row.length);
  return { sequence: bytes.readDoubleLE(), bytes: bytes.subarray(SEQUENCE_BYTES) };
}
