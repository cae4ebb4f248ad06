/** Data-quality notes: a closed list. The record is processed all the same. */
export type NoteCode =
  | "unknown_code"
  | "no_zone"
  | "rescued"
  | "rounded"
  | "duplicate"
  | "conflict"
  | "late"
  | "region_mismatch"
  | "link_mismatch"
  | "orphan"
  | "recomputed_differs"
  | "date_order"
  | "sequence_tie"
  | "sequence_gap"
  | "device_reset"
  | "clock_skew"
  | "missing_before"
  | "missing_after_base"
  | "unexpected_insert"
  | "unknown_delete"
  | "before_differs"
  | "mixed_command_id"
  | "source_gap"
  | "dedup_overflow"
  | "ignored_column"
  | "topology_out_of_window"
  | "correction";

/** A note with an example: the field it is about, and what was seen there. */
export interface Note {
  readonly code: NoteCode;
  readonly detail: string;
}
