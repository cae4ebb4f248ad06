import type { PartsDraft } from "./journal.ts";
import type { LogDraft } from "./log_draft.ts";

/** The tables of rows beside the actors. Keys are text; a table is read in byte order of its keys. */
export const ROW_TABLES = [
  "position",
  "partition",
  "feed",
  "timer",
  "fact",
  "version",
  "revise",
  "quarantine",
  "count",
  "sink",
  "audit",
  "open_alert",
  "tell",
] as const;
export type RowTable = (typeof ROW_TABLES)[number];

/** A row to put, or to delete (`value` null). */
export interface ChangedRow {
  readonly table: RowTable;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/**
 * Everything one batch changed. Stored whole or not at all. Parts and log are the very blocks that a durable store appends to its files. They belong
 * to the store from the call on until it is done.
 */
export interface Commit {
  readonly parts: PartsDraft;
  readonly log: LogDraft;
  readonly rows: readonly ChangedRow[];
}
