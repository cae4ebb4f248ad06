import { DamagedStore, NoStore } from "./damaged_store.ts";
import { type Images, lastImages } from "./journal.ts";
import { type Ledger, readLedger, segmentsOf } from "./ledger.ts";
import { openTables, type Tables, type View } from "./lmdb_tables.ts";
import type { LogEntry } from "./log_entry.ts";
import { type LogSegment, logSegment, readEntries } from "./log_file.ts";
import { checkEpoch, preflight } from "./preflight.ts";
import { readSegments } from "./segment_file.ts";
import type { Stream } from "./sink.ts";
import type { Store } from "./store.ts";
import { storedActors, storedParts } from "./stored_actors.ts";

/** The named point at which a test may let a writer go on. */
export type ReadPoint = "ledger read";

const ATTEMPTS_MAX = 10;

/**
 * Opens a store to look at it, also while another process writes. What is asked first about actors or rows fixes the state that all such
 * questions are answered from, until it is closed: do that soon, for the writer's file grows meanwhile. `readLog` and `nextSequence` go on with
 * the writer. Throws `NoStore`, `DamagedStore`.
 */
export async function openReadOnly(dir: string, passing: (point: ReadPoint) => void): Promise<Store> {
  const sidecar = await preflight(dir).catch(noStoreIfMissing);
  const tables = sidecar === null ? null : openTables(dir, true);
  if (sidecar === null || tables === null) throw new NoStore(dir);
  let ledger = freshLedger(dir, tables);
  checkEpoch(sidecar, ledger.epoch);
  let fixed: Fixed | null = null;
  let isOpen = true;
  const known = new Map<string, LogSegment>();

  const check = (): void => {
    if (!isOpen) throw new Error("the store is closed");
  };
  const state = (): Fixed => {
    check();
    fixed ??= fix(dir, tables, passing);
    return fixed;
  };
  /** With the index that earlier readings have grown. */
  const logOf = (stream: Stream): readonly LogSegment[] =>
    segmentsOf(ledger, stream).map(([name, first, bytes]) => {
      const segment = known.get(name) ?? logSegment(name, first, bytes);
      segment.lengthBytes = bytes;
      known.set(name, segment);
      return segment;
    });

  const readOn = async (stream: Stream, from: number, bytesMax: number): Promise<readonly LogEntry[]> => {
    ledger = freshLedger(dir, tables);
    const { logStart } = ledger;
    try {
      return await readEntries(dir, logOf(stream), from, bytesMax);
    } catch (error) {
      if (freshLedger(dir, tables).logStart[stream] === logStart[stream]) throw error;
      return readOn(stream, from, bytesMax); // Cut meanwhile.
    }
  };

  return {
    storeId: sidecar.storeId,
    generation: ledger.generation,
    diskMs: 0,
    get nextSequence() {
      check();
      ledger = freshLedger(dir, tables);
      return ledger.nextSequence;
    },
    load: (id) => {
      const { journal, view } = state();
      return storedParts(tables, journal, id, view);
    },
    get: (table, key) => tables.get(table, Buffer.from(key), state().view),
    *range(table, prefix, start) {
      for (const [key, value] of tables.range(table, Buffer.from(prefix), state().view, start)) yield [key.toString(), value];
    },
    *actors() {
      const { journal, view } = state();
      yield* storedActors(tables, journal, view);
    },
    commit: refuse,
    async readLog(stream, from, bytesMax) {
      check();
      return readOn(stream, from, bytesMax);
    },
    logStart(stream) {
      check();
      ledger = freshLedger(dir, tables);
      return ledger.logStart[stream];
    },
    logPieces: refuseNow,
    cutLog: refuse,
    settle: refuse,
    async close() {
      if (!isOpen) return;
      isOpen = false;
      fixed?.view.close();
      await tables.close();
    },
  };
}

/** One state of the store: the tables, and the journal over them. */
interface Fixed {
  readonly view: View;
  readonly journal: Images;
}

/** A segment may be folded and deleted between our looks at ledger and file; then there is a newer ledger. */
function fix(dir: string, tables: Tables, passing: (point: ReadPoint) => void): Fixed {
  for (let attempt = 1; ; attempt += 1) {
    const view = tables.view();
    try {
      const ledger = ledgerOf(dir, tables, view);
      const journal = segmentsOf(ledger, "journal").map(([name, , bytes]) => [name, bytes] as const);
      passing("ledger read");
      return { view, journal: lastImages(readSegments(dir, journal)) };
    } catch (error) {
      view.close();
      if (!(error instanceof DamagedStore) || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function freshLedger(dir: string, tables: Tables): Ledger {
  const view = tables.view();
  try {
    return ledgerOf(dir, tables, view);
  } finally {
    view.close();
  }
}

function ledgerOf(dir: string, tables: Tables, view: View): Ledger {
  const ledger = readLedger(tables, view);
  if (ledger === null) throw new NoStore(dir);
  return ledger;
}

async function refuse(): Promise<never> {
  return refuseNow();
}

function refuseNow(): never {
  throw new Error("the store is open for reading only");
}

function noStoreIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
