import type { ChangedRow, Commit, RowTable } from "./commit.ts";
import type { ActorId } from "./ids.ts";
import type { LogEntry } from "./log_entry.ts";
import type { Stream } from "./sink.ts";

/** The stored parts of one actor, as bytes: `hot` is the packed image of its slot in the slab, `warm` its encoded rest. */
export interface Parts {
  readonly hot: Uint8Array | null;
  readonly warm: Uint8Array | null;
}

/** A piece of a stream that is kept, or cut, whole. */
export interface LogPiece {
  /** Its first number. */
  readonly first: number;
  readonly bytes: number;
  /** Epoch milliseconds: nothing was added to it since. */
  readonly writtenAtMs: number;
}

/** Where in a table to begin. `from`: a key that begins with the prefix, whether it is there or not; it and what lies behind it are given. */
export interface RangeStart {
  readonly from: string;
  /** True: it and what lies before it, in falling order. */
  readonly backwards?: boolean;
}

/** What is cut off the beginning of a stream. */
export interface LogCut {
  /** The oldest, as they were when this was decided: if something was added to them since, nothing is cut. */
  readonly pieces: readonly LogPiece[];
  /** The number behind the last entry of them: from here on everything is kept. */
  readonly start: number;
  /** Rows that are put with it. */
  readonly rows: readonly ChangedRow[];
}

/**
 * One state directory. One writer; a commit is whole or not there at all. What `commit` resolved is flushed; `readLog` shows nothing that is not.
 * Any error of `commit` or `settle` is fatal for the process: after it everything is refused, and restarting is the recovery. Bytes given are
 * taken at once, bytes got are the caller's own.
 */
export interface Store {
  /** Made once with the directory; part of every output's identity. */
  readonly storeId: string;
  /** Which restore this state comes from (`generation.ts`); 0: it was never restored. */
  readonly generation: number;
  /** Number that the next emission gets. Sequence numbers begin at 1. */
  readonly nextSequence: number;
  /** The parts of an actor that no commit has named since the store was opened (what one has, its caller still holds); null: never seen. */
  load(id: ActorId): Parts | null;
  get(table: RowTable, key: string): Uint8Array | null;
  /** Rows of a table with a key that begins with `prefix`, in key order, as of the last commit. Read it to its end at once. */
  range(table: RowTable, prefix: string, start?: RangeStart): Iterable<readonly [key: string, value: Uint8Array]>;
  /** Every stored actor, in id order. For digests and listings. */
  actors(): Iterable<readonly [id: ActorId, parts: Parts]>;
  /** How long the last commit waited for the disk, in milliseconds. */
  readonly diskMs: number;
  /** Takes one commit at a time; a sink may settle meanwhile. */
  commit(commit: Commit): Promise<void>;
  /** Flushed entries of a stream with `sequence >= from`, in order, at least one if there is one, about `bytesMax` at most. */
  readLog(stream: Stream, from: number, bytesMax: number): Promise<readonly LogEntry[]>;
  /** From this number on everything of a stream is kept: 1 until something was cut. */
  logStart(stream: Stream): number;
  /** What is kept of a stream, oldest first; the last piece may still grow. */
  logPieces(stream: Stream): readonly LogPiece[];
  /** Cuts a stream, after the commit that is under way. Who reads on from before `start` is given what there is from `start` on. */
  cutLog(stream: Stream, cut: LogCut): Promise<void>;
  /** Keeps a sink's cursor (row of table `sink`). */
  settle(sink: string, cursor: Uint8Array): Promise<void>;
  close(): Promise<void>;
}
