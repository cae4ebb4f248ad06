import type { CellValue } from "./emission.ts";

/** How a fact ranks against others at the same `from`: compared in this order, greater wins. */
export interface Rank {
  /** The 8 digits in a file's name (20250601), else 0. */
  readonly publication: number;
  /** 0 snapshot, 1 delta, 2 CDC (configurable). */
  readonly precedence: number;
  /** n-th content of the same path. */
  readonly generation: number;
}

/** A fact about a key, before the engine has stamped it. `from` is text whose byte order is its order: a civil date, or a CDC position in hex. */
export interface HistoryChange {
  readonly from: string;
  readonly kind: "upsert" | "delete" | "close";
  readonly rank: Rank;
  /** Column -> value, business columns only; empty for delete and close. */
  readonly values: Readonly<Record<string, CellValue>>;
  /** Columns the record spoke about (null counts). Null: all of `values`. */
  readonly authored: readonly string[] | null;
  /** Event time that stands for this fact where `from` is not a time (CDC), else null. */
  readonly atMs: number | null;
}

/** Column classes; a column not named is tracked. */
export interface HistoryOptions {
  readonly untracked: readonly string[];
  readonly ignored: readonly string[];
  readonly ignoreNulls: readonly string[];
}

/** A version: valid in [from, to), `to` null = open. `scdVersion` counts from 1 by `from`; `versionId` is the stable name. */
export interface Version {
  readonly versionId: string;
  readonly scdVersion: number;
  readonly from: string;
  readonly to: string | null;
  readonly values: Readonly<Record<string, CellValue>>;
  /** Tracked columns in which it differs from its left neighbour without gap; null for the first. */
  readonly changed: readonly string[] | null;
  /** When the newest fact that shaped it became known, epoch ms. Not part of any digest. */
  readonly knownFromMs: number;
}

/** How the versions of a key differ after a fact from before it. */
export interface VersionChange {
  readonly change: "opened" | "changed" | "closed" | "retracted";
  readonly version: Version;
}

/** What adding a fact did. */
export interface Remembered {
  /** The same fact was there before: nothing changed. */
  readonly duplicate: boolean;
  readonly changes: readonly VersionChange[];
  /** Another payload at the same `from` and rank: the greater hash won. */
  readonly tie: boolean;
  readonly versions: readonly Version[];
}
