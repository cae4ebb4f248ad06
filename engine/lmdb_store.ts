import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { wallClock } from "./clock.ts";
import { sealed } from "./codec.ts";
import type { ChangedRow, Commit, RowTable } from "./commit.ts";
import { DamagedStore } from "./damaged_store.ts";
import { type DirectoryLock, lockDirectory } from "./directory_lock.ts";
import { BrokenInvariant, invariant } from "./fault.ts";
import { beginFold, type Fold } from "./fold.ts";
import { lastImages } from "./journal.ts";
import { kindOf, type Ledger, numberOf, putLedger, readEpoch, segmentsOf } from "./ledger.ts";
import type { Limits } from "./limits.ts";
import { KEY_BYTES_MAX, openTables, type Tables } from "./lmdb_tables.ts";
import type { LogEntry } from "./log_entry.ts";
import { type LogSegment, logSegment, readEntries } from "./log_file.ts";
import { preflight, replacedBy, tryToWrite, writeSidecar } from "./preflight.ts";
import { openReadOnly, type ReadPoint } from "./read_only_store.ts";
import { type Recovered, type RecoveryPoint, recover } from "./recovery.ts";
import { deleteSegment, readSegments } from "./segment_file.ts";
import { arePinned } from "./segment_pin.ts";
import { type SegmentPoint, type SegmentWriter, segmentWriter } from "./segment_writer.ts";
import type { Stream } from "./sink.ts";
import type { LogCut, Store } from "./store.ts";
import { storedActors, storedParts } from "./stored_actors.ts";
import { writeQueue } from "./write_queue.ts";

/** Named points at which a test may end the process. */
export type CrashPoint = RecoveryPoint | SegmentPoint | CommitPoint;
type CommitPoint =
  | "transaction"
  | "fold slice"
  | "puts done"
  | "committed"
  | "flushed"
  | "fold begun"
  | "fold ended"
  | "delete segment"
  | "segment deleted";

export interface LmdbStoreOptions {
  /** The state directory. It is made if it is missing. */
  readonly dir: string;
  readonly limits: Pick<Limits, "segmentBytes" | "foldAtBytes">;
  /** True: to look at a store, also while another process has it open. Nothing is written, and the directory must hold a store. */
  readonly readOnly?: boolean;
  readonly crashAt?: (point: CrashPoint | ReadPoint) => void;
}

/**
 * Opens the durable store: LMDB and segment files, where one LMDB transaction decides what exists. Throws `Locked` if another process has it
 * open, `DamagedStore` if it is not what was stored (so does, later, every method that reads), `NoStore` if it is to be read and is not there.
 */
export async function openLmdbStore({ dir, limits, readOnly = false, crashAt = () => {} }: LmdbStoreOptions): Promise<Store> {
  if (readOnly) return openReadOnly(dir, crashAt);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dir);
  let tables: Tables | null = null;
  try {
    const sidecar = await preflight(dir);
    if (sidecar === null) {
      await mustNotBeReplaced(dir);
      await tryToWrite(dir);
    }
    tables = openTables(dir, false) as Tables;
    const recovered = await recover(dir, tables, sidecar, crashAt);
    const segments = await segmentWriter(dir, recovered.ledger, limits.segmentBytes, crashAt);
    const written = await writtenTimes(dir, recovered.ledger);
    return storeOf({ dir, foldAtBytes: limits.foldAtBytes, passing: crashAt, lock, tables, recovered, segments, written });
  } catch (error) {
    await tables?.close().catch(() => {});
    lock.release();
    throw error;
  }
}

/** Between two names a restore may have been cut off: then the state is there, but not here, and a new one must not take its place. */
async function mustNotBeReplaced(dir: string): Promise<void> {
  const old = replacedBy(dir);
  const isThere = await stat(old).then(
    () => true,
    () => false,
  );
  if (isThere) throw new DamagedStore(`${dir} is empty, and ${old} is there: a restore was cut off; restore again, or rename it back`);
}

interface Opened {
  readonly dir: string;
  readonly foldAtBytes: number;
  readonly passing: (point: CommitPoint) => void;
  readonly lock: DirectoryLock;
  readonly tables: Tables;
  readonly recovered: Recovered;
  readonly segments: SegmentWriter;
  /** When segments of the log were written last: name -> epoch milliseconds. */
  readonly written: Map<string, number>;
}

/** What a transaction is to hold. */
interface Taken {
  readonly rows: readonly EncodedRow[];
  /** Null: it stays. */
  readonly nextSequence: number | null;
  /** So many actors are folded with it. */
  readonly foldActors: number;
  /** Null: it stays. */
  readonly logStart: Ledger["logStart"] | null;
}

interface EncodedRow {
  readonly table: RowTable;
  readonly key: Buffer;
  readonly value: Buffer | null;
}

const FOLD_ACTORS_MIN = 1_000;

function storeOf({ dir, foldAtBytes, passing, lock, tables, recovered, segments, written }: Opened): Store {
  const writer = writeQueue("the store");
  const hadActors = (["hot", "warm"] as const).some((table) => !isEmpty(tables.range(table, Buffer.alloc(0))));
  const lengths = new Map(recovered.ledger.segments);
  const logs: Record<Stream, LogSegment[]> = { alerts: logOf("alerts"), curated: logOf("curated") };
  let ledger: Ledger = { ...recovered.ledger, segments: lengths };
  let unneeded = recovered.unneeded.map((name) => ({ name, epoch: ledger.epoch }));
  let fold: Fold | null = null;
  let committing = false;
  let diskMs = 0;
  let closing: Promise<void> | null = null;

  function logOf(stream: Stream): LogSegment[] {
    return segmentsOf(recovered.ledger, stream).map(([name, first, bytes]) => logSegment(name, first, bytes));
  }

  const take = ({ parts, log, rows }: Commit): Taken => {
    invariant(!committing, "one commit at a time");
    committing = true;
    const { first, next } = log;
    if (first !== next) invariant(first === ledger.nextSequence, `entry ${first} of a commit must be ${ledger.nextSequence}`);
    return {
      rows: rows.map(encodeRow),
      nextSequence: first === next ? null : next,
      foldActors: Math.max(FOLD_ACTORS_MIN, 2 * parts.actors),
      logStart: null,
    };
  };

  const write = async (taken: Taken, commit: Commit): Promise<void> => {
    await prepareToFold();
    const beganMs = performance.now();
    const changed: Map<string, number | null> = await segments.write(commit);
    diskMs = performance.now() - beganMs;
    await decide(taken, changed);
    committing = false;
  };

  /** A journal that is long enough is frozen. The fold goes on while it is put in order, until the next journal is half as long. */
  const prepareToFold = async (): Promise<void> => {
    if (fold === null && segments.journalBytes() >= foldAtBytes) {
      fold = beginFold(dir, ...(await segments.freezeJournal()));
      passing("fold begun");
    }
    if (fold !== null && !fold.isReady() && segments.journalBytes() >= foldAtBytes / 2) await fold.ready();
  };

  /** The transaction that decides, and what follows from it once it is on the disk. */
  const decide = async (taken: Taken, changed: Map<string, number | null>): Promise<void> => {
    passing("transaction");
    const next = transact(taken, changed);
    passing("committed");
    invariant(readEpoch(tables) === next.epoch, "a transaction that has returned is committed");
    const beganMs = performance.now();
    await tables.flushed();
    diskMs += performance.now() - beganMs;
    passing("flushed");
    ledger = next;
    for (const [name, bytes] of changed) noteLength(name, bytes);
    if (fold !== null && !lengths.has(fold.segment)) {
      unneeded.push({ name: fold.segment, epoch: ledger.epoch });
      fold = null;
      await writeSidecar(dir, { ...ledger, epoch: ledger.epoch - 1 }); // After a power loss LMDB may fall back by one.
      passing("fold ended");
    }
    await deleteUnneeded();
  };

  const transact = ({ rows, nextSequence, foldActors, logStart }: Taken, changed: Map<string, number | null>): Ledger => {
    let { journalStart } = ledger;
    const next = (): Ledger => ({
      ...ledger,
      epoch: ledger.epoch + 1,
      nextSequence: nextSequence ?? ledger.nextSequence,
      journalStart,
      logStart: logStart ?? ledger.logStart,
    });
    tables.transact(() => {
      invariant(readEpoch(tables) === ledger.epoch, "no other process has written meanwhile: this one is fenced off");
      for (const { table, key, value } of rows) {
        if (value === null) tables.remove(table, key);
        else tables.put(table, key, value);
      }
      if (fold?.isReady() === true && foldActors > 0) {
        if (fold.putSlice(tables, foldActors)) {
          changed.set(fold.segment, null);
          journalStart = numberOf(fold.segment) + 1;
        }
        passing("fold slice");
      }
      putLedger(tables, next(), changed);
      passing("puts done");
    });
    return next();
  };

  const noteLength = (name: string, bytes: number | null): void => {
    if (bytes === null) lengths.delete(name);
    else lengths.set(name, bytes);
    const stream = kindOf(name);
    if (stream === "journal") return;
    if (bytes === null) return forget(stream, name);
    written.set(name, wallClock.now());
    const last = logs[stream].at(-1);
    if (last?.name === name) last.lengthBytes = bytes;
    else logs[stream].push(logSegment(name, numberOf(name), bytes));
  };

  /** Readings that are under way go on with the list they have: it is replaced, not changed. */
  const forget = (stream: Stream, name: string): void => {
    logs[stream] = logs[stream].filter((segment) => segment.name !== name);
    written.delete(name);
    unneeded.push({ name, epoch: ledger.epoch });
  };

  const readLog = async (stream: Stream, from: number, bytesMax: number): Promise<readonly LogEntry[]> => {
    const segments = logs[stream];
    try {
      return await readEntries(dir, segments, from, bytesMax);
    } catch (error) {
      if (segments === logs[stream]) throw error;
      return readLog(stream, from, bytesMax); // Cut meanwhile.
    }
  };

  const cut = async (stream: Stream, { pieces, start }: LogCut, rows: readonly EncodedRow[]): Promise<void> => {
    const going = logs[stream].slice(0, pieces.length);
    if (going.some(({ first, lengthBytes }, n) => first !== pieces[n]?.first || lengthBytes !== pieces[n]?.bytes)) return;
    const last = going.at(-1);
    invariant(last !== undefined && start > last.first, `what is cut of ${stream} is there, and lies before ${start}`);
    invariant(start <= (logs[stream][going.length]?.first ?? ledger.nextSequence), `${stream} keeps what is not cut`);
    await segments.leave(stream, last.name);
    const taken = { rows, nextSequence: null, foldActors: 0, logStart: { ...ledger.logStart, [stream]: start } };
    await decide(taken, new Map(going.map(({ name }) => [name, null])));
  };

  /** LMDB may fall back by one epoch, to a ledger that still names a segment. */
  const deleteUnneeded = async (): Promise<void> => {
    const isDue = ({ epoch }: { readonly epoch: number }): boolean => epoch + 2 <= ledger.epoch;
    if (!unneeded.some(isDue) || arePinned(dir)) return;
    for (const { name } of unneeded.filter(isDue)) {
      passing("delete segment");
      await deleteSegment(dir, name);
      passing("segment deleted");
    }
    unneeded = unneeded.filter((segment) => !isDue(segment));
  };

  const close = async (): Promise<void> => {
    await writer.end();
    await fold?.ready().catch(() => {});
    try {
      await segments.close();
      await tables.close();
      if (!writer.hasFailed) await writeSidecar(dir, ledger);
    } finally {
      lock.release();
    }
  };

  return {
    storeId: ledger.storeId,
    generation: ledger.generation,
    get nextSequence() {
      return ledger.nextSequence;
    },
    get diskMs() {
      return diskMs;
    },
    load(id) {
      writer.check();
      // Not from the journal, whose actors are all in the caller's memory; with a new store the tables hold no others.
      return hadActors ? storedParts(tables, null, id) : null;
    },
    get(table, key) {
      writer.check();
      return tables.get(table, Buffer.from(key));
    },
    *range(table, prefix, start) {
      writer.check();
      for (const [key, value] of tables.range(table, Buffer.from(prefix), undefined, start)) yield [key.toString(), value];
    },
    *actors() {
      writer.check();
      const journal = segmentsOf(ledger, "journal").map(([name, , bytes]) => [name, bytes] as const);
      const view = tables.view();
      try {
        yield* storedActors(tables, lastImages(readSegments(dir, journal)), view);
      } finally {
        view.close();
      }
    },
    commit: (commit) =>
      writer.run(
        () => take(commit),
        (taken) => write(taken, commit),
      ),
    async readLog(stream, from, bytesMax) {
      writer.check();
      return readLog(stream, from, bytesMax);
    },
    logStart: (stream) => ledger.logStart[stream],
    logPieces: (stream) =>
      logs[stream].map(({ name, first, lengthBytes }) => ({
        first,
        bytes: lengthBytes,
        writtenAtMs: written.get(name) ?? wallClock.now(),
      })),
    cutLog: (stream, wanted) =>
      writer.run(
        () => wanted.rows.map(encodeRow),
        (rows) => cut(stream, wanted, rows),
      ),
    settle: (sink, cursor) =>
      writer.run(
        () => ({ rows: [encodeRow({ table: "sink", key: sink, value: cursor })], nextSequence: null, foldActors: 0, logStart: null }),
        (taken) => decide(taken, new Map()),
      ),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function writtenTimes(dir: string, { segments }: Ledger): Promise<Map<string, number>> {
  const times = new Map<string, number>();
  for (const name of segments.keys()) if (kindOf(name) !== "journal") times.set(name, (await stat(join(dir, name))).mtimeMs);
  return times;
}

function encodeRow({ table, key, value }: ChangedRow): EncodedRow {
  const bytes = Buffer.from(key);
  if (bytes.length === 0 || bytes.length > KEY_BYTES_MAX) throw new BrokenInvariant(`a key of table ${table} has ${bytes.length} bytes`);
  return { table, key: bytes, value: value === null ? null : sealed(value, bytes) };
}

function isEmpty(rows: Iterable<unknown>): boolean {
  for (const _ of rows) return false;
  return true;
}
