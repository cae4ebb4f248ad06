import { join } from "node:path";
import { type Database, open, type Transaction } from "lmdb";
import { wallClock } from "./clock.ts";
import { unseal } from "./codec.ts";
import { ROW_TABLES, type RowTable } from "./commit.ts";
import { DamagedStore } from "./damaged_store.ts";
import { invariant } from "./fault.ts";
import { DATA_FILE, PAGE_BYTES } from "./preflight.ts";
import type { RangeStart } from "./store.ts";

// The only file that knows lmdb. Its traps, each measured: an asynchronous transaction is not rolled back when its callback throws; a
// synchronous one that returns a promise hides a failed commit; after an I/O error `flushed` and `close` may never settle.

export type TableName = RowTable | "hot" | "warm" | "meta";

/** The tables of one LMDB environment. Values are sealed; what is read is checked, and in memory of its own. */
export interface Tables {
  /** Throws `DamagedStore`. */
  get(table: TableName, key: Uint8Array, view?: View): Buffer | null;
  /** Entries from `prefix`, or `start`, on in key order, while the keys begin with the prefix. Throws `DamagedStore`. */
  range(table: TableName, prefix: Uint8Array, view?: View, start?: RangeStart): Iterable<readonly [key: Buffer, body: Buffer]>;
  /** Within `transact` only. `value` is sealed, and must stay as it is until the transaction is over. */
  put(table: TableName, key: Uint8Array, value: Uint8Array): void;
  remove(table: TableName, key: Uint8Array): void;
  /** Runs `body` in a transaction: all that it puts, or nothing, and it throws. What is committed need not be on the disk yet. */
  transact(body: () => void): void;
  /** Resolves when all that is committed is on the disk. Rejects if that takes longer than 10 s. */
  flushed(): Promise<void>;
  /** The store as it is now, until it is closed: the file grows meanwhile if there is a writer. */
  view(): View;
  /** Copies the file, as it is at one moment, to a path where no file is. Also beside a writer. */
  copy(path: string): Promise<void>;
  close(): Promise<void>;
}

/** A state of all tables at one moment. */
export interface View {
  readonly transaction: Transaction;
  /** The last commit that it sees; null: others were committed while it was made, so that this is not known. */
  readonly transactionId: number | null;
  close(): void;
}

const NAMES: readonly TableName[] = ["meta", "hot", "warm", ...ROW_TABLES];
const DEADLINE_MS = 10_000;
/** A longer key is refused by LMDB. */
export const KEY_BYTES_MAX = 1_978;

/** Opens the environment in `dir`; if not `readOnly` it makes what is missing. Null: `readOnly`, and no store is there. */
export function openTables(dir: string, readOnly: boolean): Tables | null {
  const root = open<Buffer, Buffer>({
    path: join(dir, DATA_FILE),
    encoding: "binary",
    keyEncoding: "binary",
    pageSize: PAGE_BYTES,
    cache: false,
    maxDbs: NAMES.length + 1,
    readOnly,
  });
  const databases = new Map<TableName, Database<Buffer, Uint8Array>>();
  for (const name of NAMES) {
    const database: Database<Buffer, Uint8Array> | undefined = root.openDB({
      name,
      encoding: "binary",
      keyEncoding: "binary",
      cache: false,
    });
    if (database !== undefined) databases.set(name, database);
  }
  if (!databases.has("meta")) {
    void root.close();
    return null;
  }
  const table = (name: TableName): Database<Buffer, Uint8Array> => databases.get(name) as Database<Buffer, Uint8Array>;

  return {
    get(name, key, view) {
      if (!databases.has(name)) return null; // A store that is older than the table, and is only read.
      const value = view === undefined ? table(name).get(key) : table(name).get(key, view);
      return value === undefined ? null : unseal(value, key);
    },
    *range(name, prefix, view, start) {
      if (!databases.has(name)) return;
      const first = start === undefined ? prefix : Buffer.from(start.from);
      const isBackwards = start?.backwards === true;
      const options = { ...(first.length > 0 ? { start: first } : {}), reverse: isBackwards };
      const isWhole = prefix.length === 0 && start === undefined;
      const began = isWhole ? statsOf(table(name)) : null;
      let count = 0;
      let before: Buffer | null = null;
      for (const { key, value } of table(name).getRange(view === undefined ? options : { ...options, transaction: view.transaction })) {
        const bytes = key as Buffer;
        checkOrder(name, before, bytes, isBackwards);
        before = bytes;
        count += 1;
        if (prefix.length > 0 && bytes.compare(prefix, 0, prefix.length, 0, Math.min(prefix.length, bytes.length)) !== 0) return;
        yield [bytes, unseal(value, bytes)];
      }
      if (began !== null && (view === undefined || view.transactionId === began.lastTxnId))
        checkCount(name, count, began, statsOf(table(name)));
    },
    put(name, key, value) {
      table(name).put(key, value as Buffer);
    },
    remove(name, key) {
      table(name).remove(key);
    },
    transact(body) {
      root.transactionSync(() => {
        const result: unknown = body();
        invariant(result === undefined, "the body of a transaction returns nothing");
      });
      root.resetReadTxn(); // The reader that is left over from earlier in this turn of the loop is older.
    },
    flushed: () => within(root.flushed, "a flush"),
    view() {
      root.resetReadTxn();
      const before = statsOf(root).lastTxnId;
      root.resetReadTxn();
      const transaction = root.useReadTransaction();
      const transactionId = statsOf(root).lastTxnId === before ? before : null;
      return { transaction, transactionId, close: () => transaction.done() };
    },
    copy: (path) => root.backup(path, false),
    close: () => within(root.close(), "closing the store"),
  };
}

/** Values have checksums, pages of LMDB have none: one that is damaged can lead to an entry twice, and past others. */
function checkOrder(table: TableName, before: Buffer | null, key: Buffer, isBackwards: boolean): void {
  if (before === null) return;
  const order = before.compare(key);
  if (isBackwards ? order <= 0 : order >= 0) throw new DamagedStore(`a page of table ${table} is damaged: its keys are not in order`);
}

/** What LMDB says of a table, and which commit was the last one then. */
interface TableStats {
  readonly entryCount: number;
  readonly lastTxnId: number;
}

function statsOf(database: Database<Buffer, Uint8Array>): TableStats {
  return database.getStats() as TableStats;
}

/** Entries that a damaged page hides are missed by their number, if nothing was committed meanwhile. */
function checkCount(table: TableName, count: number, began: TableStats, ended: TableStats): void {
  if (began.lastTxnId !== ended.lastTxnId || count === ended.entryCount) return;
  throw new DamagedStore(`a page of table ${table} is damaged: of ${ended.entryCount} entries ${count} can be read`);
}

async function within(work: PromiseLike<unknown>, what: string): Promise<void> {
  const timer = new AbortController();
  const late = wallClock.sleep(DEADLINE_MS, timer.signal).then(() => {
    if (!timer.signal.aborted) throw new Error(`${what} took longer than ${DEADLINE_MS} ms`);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    timer.abort();
  }
}
