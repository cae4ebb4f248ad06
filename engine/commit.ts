import type { ActorId } from "./ids.ts";
import type { Stream } from "./sink.ts";

/** The tables of rows beside the actors. Keys are text; a table is read in byte order of its keys. */
export type RowTable = "position" | "partition" | "feed" | "timer" | "fact" | "quarantine" | "count" | "sink";

/** A changed actor: whole images of the parts that changed, null for a part that did not. Valid until the commit is taken. */
export interface ChangedParts {
  readonly id: ActorId;
  readonly hot: Uint8Array | null;
  readonly warm: Uint8Array | null;
}

/** A row to put, or to delete (`value` null). */
export interface ChangedRow {
  readonly table: RowTable;
  readonly key: string;
  readonly value: Uint8Array | null;
}

/** An encoded emission with its sequence number. */
export interface ChangedEntry {
  readonly stream: Stream;
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** Everything one batch changed. Stored whole or not at all. */
export interface Commit {
  readonly parts: readonly ChangedParts[];
  readonly rows: readonly ChangedRow[];
  readonly entries: readonly ChangedEntry[];
}
