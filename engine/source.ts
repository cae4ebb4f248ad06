import type { Fault, Unavailable } from "./fault.ts";
import type { Position, SourceId } from "./ids.ts";
import type { Sights } from "./schema.ts";
import type { Told } from "./told.ts";

/**
 * One record as a transport hands it over. `bytes` are what came (for quarantine and re-drive): JSON text, or a CSV line. A format that has
 * already taken the record apart (CSV, Parquet) gives `fields`, named values that decode reads instead of the bytes (CSV: text cells; Parquet:
 * JSON values, INT64 as bigint, DATE and TIMESTAMP as Date). A record that the format could not read carries `fault`. No bytes and no `fields`:
 * a broker's record without a value, which is a tombstone where its feed has envelopes, and bad elsewhere.
 */
export interface SourceRecord {
  /** Row in the file (0 = first), offset of a broker: joined to `Batch.origin` it is the record's provenance. */
  readonly at: number;
  /** Append time of a broker, or `discovered_at` of a file's ledger row: never our clock, so that a replay sees the same. */
  readonly arrivedAtMs: number;
  readonly bytes: Uint8Array;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** True: `fields` are cells of a CSV file. Then empty text, `null`, `NULL` and `N/A` are null; null is a cell that the line lacks. */
  readonly cells?: boolean;
  /** Columns that the transport knows beside the bytes (an IoT hub: the device): they stand in where the record itself says nothing, or null. */
  readonly beside?: Readonly<Record<string, unknown>>;
  readonly fault?: Fault;
}

/** What a look ahead at a file has shown: the place of its first row, and the columns in its rows that the feed does not declare. */
export interface Outlook {
  readonly at: number;
  readonly arrivedAtMs: number;
  readonly sights: Sights;
}

/** Looks at the rows of a file before one of them is used. */
export interface Lookahead {
  add(record: SourceRecord): void;
  sights(): Sights;
  /** Why none of them may be used now: a person has to decide first. Null: all may. */
  holdup(): Unavailable | null;
}

/** What was said of a record that went to quarantine: its provenance, and why. */
export interface Refusal {
  readonly position: string;
  readonly reason: string;
}

/** What a source hands over at once: bounded in records and bytes, of one partition, in order. */
export interface Batch {
  /** Provenance before the record's number: `file:<sha256>/`, `kafka:<cluster>/<topic>/<partition>/`. */
  readonly origin: string;
  /** File the records come from, relative to the source's location; null for a broker. `publication` and `_source` read it. */
  readonly path: string | null;
  /** Partition of a broker, whose progress in event time this is. Left out: the source is one partition (a landing zone is). */
  readonly partition?: string;
  /** n-th content of the same path, 0 for the first and for brokers. */
  readonly generation: number;
  /** Records before this batch are lost, for this reason, and that was accepted: they are missed no more. */
  readonly gap?: string;
  /** The schema grows by this before the first of the records, and of those that follow, is read. */
  readonly ahead?: Outlook;
  readonly records: readonly SourceRecord[];
  /** True: each record stands for a key that a snapshot lacks. */
  readonly areAbsent?: true;
  /** Refusals that do not stand any more: what they were about is read after all. */
  readonly settles?: readonly Refusal[];
  /** Written in the same commit as the effect of `records`: partition -> position. Partitions not named keep theirs. */
  readonly resumeAt: ReadonlyMap<string, Position>;
  /** The partition's latest event time, told by who has seen all of its records: epoch ms. Left out: these records are all of them. */
  readonly reachedMs?: number;
  /** Tells of actors elsewhere, in order. A batch of them has no records and no partition. */
  readonly told?: readonly Told[];
  /** True: nothing more to read at present. The partition stops holding its feed's clock until its next record. */
  readonly idle: boolean;
}

/** A transport configured for one feed. It turns a library into this interface: no decode, retry, routing or counting. */
export interface Source {
  readonly id: SourceId;
  /**
   * Reads on after the stored positions (partition -> position; empty at the first start). All it remembers comes in here. Ends when `signal`
   * fires (within 2 s), or at the present end if it was made not to follow. Throws `Unavailable` if it cannot be read.
   */
  read(after: ReadonlyMap<string, Position>, signal: AbortSignal): AsyncIterable<Batch>;
  /** Told of the positions of a batch once they are stored and flushed. For transports that show progress elsewhere; it neither waits nor throws. */
  stored?(positions: ReadonlyMap<string, Position>): void;
  /** Records that are known to be there and are not handed over yet, as of what the transport said last; null: unknown. */
  behind?(): number | null;
  /** Told that gaps were accepted: partitions that stopped at one go on, with the next batch that has a `gap`. It neither waits nor throws. */
  goOn?(): void;
  /**
   * A partition that was given up (a file in quarantine) is to be read again: the batch without records that says so, which the caller has applied
   * before any other. Null: it was not given up.
   */
  again?(partition: string): Batch | null;
}
