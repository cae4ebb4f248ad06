import type { CellValue, ColumnType } from "./emission.ts";
import type { Fault } from "./fault.ts";
import type { ActorId } from "./ids.ts";

/** A decoded record: feed column -> typed value. Dates are `YYYY-MM-DD`, instants epoch ms, money and other decimals integers in the column's scale. */
export type Row = Readonly<Record<string, CellValue>>;

/** How a field of a feed is read. `T` is its type in the row. Built by `text`, `number`, `instant`, ... below. */
export interface Field<T extends CellValue> {
  readonly column: ColumnType;
  readonly required: boolean;
  /** The typed value, or a fault that says what was expected. Null and absent never reach it. */
  readonly read: (value: unknown, name: string) => T | Fault;
}

export type Fields = Readonly<Record<string, Field<CellValue>>>;
export type RowOf<F extends Fields> = { readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

/** What is known about a record beside its row, for `message`. */
export interface RecordContext {
  /** Relative path of the file, null on a broker. */
  readonly path: string | null;
  readonly generation: number;
  /** `mode` of the source: what a row that is absent means, and how it ranks against rows of other sources. */
  readonly mode: "snapshot" | "delta" | "cdc";
  readonly arrivedAtMs: number;
  /** Whether the record spoke about the column at all (a null counts, an absent key does not). */
  readonly authored: (column: string) => boolean;
}

/**
 * One kind of input of the grid: what a record means, not how it arrives.
 * `dedup: "window"`: the engine keeps a window of recent event ids per actor and judges duplicate, conflict and late before the actor sees the
 * record (at most one such feed per kind of actor). `dedup: "actor"`: the actor knows repeats itself and says `out.duplicate()`.
 */
export interface Feed<M = unknown, R extends Row = Row> {
  readonly name: string;
  /** Curated table of its records, or null if its actors write rows of their own only. */
  readonly table: string | null;
  /** Allowed lateness; Infinity where order is not by event time (histories). */
  readonly latenessMs: number;
  /** At least this much event time is kept in the dedup window. */
  readonly dedupMs: number;
  readonly dedup: "window" | "actor";
  /** False: event times may lie in the future (dates of validity). */
  readonly refusesFuture: boolean;
  readonly fields: Readonly<Record<keyof R & string, Field<CellValue>>>;
  /** Judges the row as a whole: `bad_interval`, all measures missing. */
  readonly check: (row: R) => Fault | null;
  readonly eventTimeMs: (row: R) => number;
  readonly dedupKey: (row: R) => string;
  readonly actors: (row: R) => readonly ActorId[];
  readonly message: (row: R, context: RecordContext) => M;
}
