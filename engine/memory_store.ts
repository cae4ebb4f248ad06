import { byteOrder } from "./byte_order.ts";
import { wallClock } from "./clock.ts";
import { SEAL_BYTES } from "./codec.ts";
import type { ChangedRow, Commit, RowTable } from "./commit.ts";
import { invariant } from "./fault.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import { hotAt, idAt, lastImages, warmAt } from "./journal.ts";
import type { LogEntry } from "./log_entry.ts";
import { entriesOf } from "./log_file.ts";
import type { Draft } from "./segment_file.ts";
import type { Stream } from "./sink.ts";
import type { Parts, RangeStart, Store } from "./store.ts";
import { writeQueue } from "./write_queue.ts";

/**
 * A store that ends with the process: tests, back-tests, dry runs. It keeps the promises of `Store`, those of refusal too; it copies what it
 * takes and what it gives, and the whole log stays in memory; it is cut in pieces of at least `pieceBytes`.
 */
export function openMemoryStore(storeId = "memory", pieceBytes = PIECE_BYTES): Store {
  const writer = writeQueue("the store");
  const actors = new Map<ActorId, Parts>();
  const tables = new Map<RowTable, Rows>();
  const logs: Readonly<Record<Stream, LogEntry[]>> = { alerts: [], curated: [] };
  const starts: Record<Stream, number> = { alerts: 1, curated: 1 };
  /** Without times: only now is it known when they are asked for. */
  const pieces: Readonly<Record<Stream, Piece[]>> = { alerts: [], curated: [] };
  let nextSequence = 1;
  let committing = false;

  const table = (name: RowTable): Rows => {
    const rows = tables.get(name) ?? newRows();
    tables.set(name, rows);
    return rows;
  };

  const apply = async ({ parts, rows, log, nextSequence: next }: Taken): Promise<void> => {
    for (const [id, { hot, warm }] of parts) {
      const before = actors.get(id);
      actors.set(id, { hot: hot ?? before?.hot ?? null, warm: warm ?? before?.warm ?? null });
    }
    for (const { table: name, key, value } of rows) table(name).set(key, value);
    for (const stream of ["alerts", "curated"] as const) {
      for (const entry of log[stream]) logs[stream].push(entry);
      addPieces(pieces[stream], log[stream], pieceBytes);
    }
    nextSequence = next;
    committing = false;
  };

  return {
    storeId,
    generation: 0,
    diskMs: 0,
    get nextSequence() {
      return nextSequence;
    },
    load(id) {
      writer.check();
      const parts = actors.get(id);
      return parts === undefined ? null : copyOf(parts);
    },
    get(name, key) {
      writer.check();
      return bytesOrNull(table(name).get(key));
    },
    range(name, prefix, start) {
      writer.check();
      return table(name).range(prefix, start);
    },
    *actors() {
      writer.check();
      for (const id of [...actors.keys()].sort(byteOrder)) yield [id, copyOf(actors.get(id) as Parts)];
    },
    commit(commit) {
      const take = (): Taken => {
        invariant(!committing, "one commit at a time");
        const { first, next } = commit.log;
        if (first !== next) invariant(first === nextSequence, `entry ${first} of a commit must be ${nextSequence}`);
        committing = true;
        return { ...copyOfCommit(commit), nextSequence: first === next ? nextSequence : next };
      };
      return writer.run(take, apply);
    },
    async readLog(stream, from, bytesMax) {
      writer.check();
      const log = logs[stream];
      const entries: LogEntry[] = [];
      let bytes = 0;
      for (let at = firstAtLeast(log, from); at < log.length && (entries.length === 0 || bytes < bytesMax); at += 1) {
        const entry = log[at] as LogEntry;
        entries.push({ sequence: entry.sequence, bytes: new Uint8Array(entry.bytes) });
        bytes += entry.bytes.length;
      }
      return entries;
    },
    logStart: (stream) => starts[stream],
    logPieces(stream) {
      const writtenAtMs = wallClock.now();
      return pieces[stream].map(({ first, bytes }) => ({ first, bytes, writtenAtMs }));
    },
    cutLog(stream, { pieces: wanted, start, rows }) {
      return writer.run(
        () => rows.map(({ table: name, key, value }): ChangedRow => ({ table: name, key, value: bytesOrNull(value) })),
        async (taken) => {
          const going = pieces[stream].slice(0, wanted.length);
          if (going.some(({ first, bytes }, n) => first !== wanted[n]?.first || bytes !== wanted[n]?.bytes)) return;
          const behind = pieces[stream][wanted.length]?.first ?? nextSequence;
          invariant(start > (wanted.at(-1)?.first ?? start) && start <= behind, `what is cut of ${stream} lies before ${start}`);
          logs[stream].splice(0, firstAtLeast(logs[stream], behind));
          pieces[stream].splice(0, going.length);
          starts[stream] = start;
          for (const { table: name, key, value } of taken) table(name).set(key, value);
        },
      );
    },
    settle(sink, cursor) {
      return writer.run(
        () => new Uint8Array(cursor),
        async (taken) => table("sink").set(sink, taken),
      );
    },
    close: () => writer.end(),
  };
}

/** Entries of the log that go together when it is cut. There are far fewer than entries, for they are asked for with every batch. */
interface Piece {
  readonly first: number;
  bytes: number;
}

const PIECE_BYTES = 1_048_576;

/** A commit is never in two pieces. */
function addPieces(pieces: Piece[], entries: readonly LogEntry[], pieceBytes: number): void {
  const [first] = entries;
  if (first === undefined) return;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  const last = pieces.at(-1);
  if (last !== undefined && last.bytes < pieceBytes) last.bytes += bytes;
  else pieces.push({ first: first.sequence, bytes });
}

/** A commit as the store keeps it. */
interface Taken {
  readonly parts: readonly (readonly [id: ActorId, parts: Parts])[];
  readonly rows: readonly ChangedRow[];
  readonly log: Readonly<Record<Stream, readonly LogEntry[]>>;
  readonly nextSequence: number;
}

interface Rows {
  get(key: string): Uint8Array | undefined;
  set(key: string, value: Uint8Array | null): void;
  range(prefix: string, start: RangeStart | undefined): Iterable<readonly [string, Uint8Array]>;
}

function newRows(): Rows {
  const values = new Map<string, Uint8Array>();
  let keys: string[] = []; // In order once `sorted`; until then with the new keys behind, and with keys that are gone or doubled.
  let sorted = true;

  const inOrder = (): readonly string[] => {
    if (!sorted) keys = keys.sort(byteOrder).filter((key, n) => values.has(key) && key !== keys[n - 1]);
    sorted = true;
    return keys;
  };
  return {
    get: (key) => values.get(key),
    set(key, value) {
      if (value === null) {
        sorted = !values.delete(key) && sorted;
        return;
      }
      if (!values.has(key)) {
        keys.push(key);
        sorted = false;
      }
      values.set(key, value);
    },
    *range(prefix, { from, backwards = false } = { from: prefix }) {
      const ordered = inOrder();
      const first = firstKeyAtLeast(ordered, from);
      const step = backwards ? -1 : 1;
      for (let at = backwards && ordered[first] !== from ? first - 1 : first; ordered[at]?.startsWith(prefix) === true; at += step) {
        const key = ordered[at] as string;
        yield [key, new Uint8Array(values.get(key) as Uint8Array)];
      }
    },
  };
}

function firstKeyAtLeast(keys: readonly string[], key: string): number {
  return lowest(keys.length, (n) => byteOrder(keys[n] as string, key) >= 0);
}

function firstAtLeast(log: readonly LogEntry[], sequence: number): number {
  return lowest(log.length, (n) => (log[n] as LogEntry).sequence >= sequence);
}

/** The lowest n below `length` for which `holds`, which stays true once it is; `length` if there is none. */
function lowest(length: number, holds: (n: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function copyOfCommit({ parts, rows, log }: Commit): Omit<Taken, "nextSequence"> {
  const { alerts, curated } = log.streams;
  return {
    parts: partsIn(parts),
    rows: rows.map(({ table, key, value }): ChangedRow => ({ table, key, value: bytesOrNull(value) })),
    log: { alerts: entriesIn(alerts), curated: entriesIn(curated) },
  };
}

function partsIn(draft: Draft): Taken["parts"] {
  const images = lastImages(blocksOf(draft));
  const body = (image: Buffer | null): Buffer | null => image?.subarray(SEAL_BYTES) ?? null;
  return Array.from(images.ids, (_, n) => [
    actorIdFrom(idAt(images, n).toString()),
    { hot: body(hotAt(images, n)), warm: body(warmAt(images, n)) },
  ]);
}

function entriesIn(draft: Draft): readonly LogEntry[] {
  return entriesOf(blocksOf(draft));
}

function blocksOf(draft: Draft): Buffer {
  draft.closeBlock();
  return Buffer.from(draft.filled);
}

function copyOf({ hot, warm }: Parts): Parts {
  return { hot: bytesOrNull(hot), warm: bytesOrNull(warm) };
}

function bytesOrNull(bytes: Uint8Array | null | undefined): Uint8Array | null {
  return bytes === null || bytes === undefined ? null : new Uint8Array(bytes);
}
