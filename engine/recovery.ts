import { readdir } from "node:fs/promises";
import { DamagedStore } from "./damaged_store.ts";
import { invariant } from "./fault.ts";
import { putImages } from "./fold.ts";
import { sealedImages } from "./journal.ts";
import { kindOf, type Ledger, numberOf, putLedger, readEpoch, readLedger, segmentsOf, WHOLE_LOG } from "./ledger.ts";
import type { Tables } from "./lmdb_tables.ts";
import { checkEpoch, isSegmentFile, newSidecar, type Sidecar, writeSidecar } from "./preflight.ts";
import { cutBack, deleteSegment, readSegments } from "./segment_file.ts";

/** Named points at which a test may end the process. */
export type RecoveryPoint = "made" | "cut" | "recovery slice" | "recovered";

export interface Recovered {
  readonly ledger: Ledger;
  /** Segments that nothing needs any more, once two more epochs are flushed: LMDB may fall back by one. */
  readonly unneeded: readonly string[];
}

const SLICE_ACTORS = 20_000; // About 30 ms.

/**
 * Makes a store, or brings one that was closed or killed into the state of its last committed transaction, with an empty journal: what lies
 * beyond a committed length is cut off, segments that no transaction names are removed, and the journal is folded. Throws `DamagedStore`.
 */
export async function recover(
  dir: string,
  tables: Tables,
  sidecar: Sidecar | null,
  passing: (point: RecoveryPoint) => void,
): Promise<Recovered> {
  const found = readLedger(tables) ?? (sidecar === null ? make(tables) : null);
  if (found === null) throw new DamagedStore("LMDB holds no state, but store.json is there");
  if (sidecar === null) await finish(dir, tables, found, passing);
  else if (sidecar.storeId !== found.storeId)
    throw new DamagedStore(`store.json is of store ${sidecar.storeId}, the data of ${found.storeId}`);
  else checkEpoch(sidecar, found.epoch);

  const unneeded = await tidy(dir, found);
  passing("cut");
  const ledger = await foldAll(dir, tables, found, passing);
  passing("recovered");
  return {
    ledger,
    unneeded: [...unneeded, ...segmentsOf(found, "journal").map(([name]) => name)].filter((name) => !ledger.segments.has(name)),
  };
}

function make(tables: Tables): Ledger {
  const ledger: Ledger = {
    ...newSidecar(),
    generation: 0,
    epoch: 0,
    nextSequence: 1,
    journalStart: 1,
    logStart: WHOLE_LOG,
    segments: new Map(),
  };
  tables.transact(() => putLedger(tables, ledger, ledger.segments));
  return ledger;
}

/** Without a sidecar a store was not finished when it was made, or the sidecar was lost: then there is more than a first transaction. */
async function finish(dir: string, tables: Tables, ledger: Ledger, passing: (point: RecoveryPoint) => void): Promise<void> {
  if (ledger.epoch > 0) throw new DamagedStore("store.json is missing");
  await tables.flushed();
  passing("made");
  await writeSidecar(dir, ledger);
}

/** Returns the segments that are there though no transaction names them any more. */
async function tidy(dir: string, ledger: Ledger): Promise<readonly string[]> {
  for (const [name, committedBytes] of ledger.segments) await cutBack(dir, name, committedBytes);
  const unnamed = (await readdir(dir)).filter((name) => isSegmentFile(name) && !ledger.segments.has(name));
  const isPast = (name: string): boolean => {
    const kind = kindOf(name);
    return numberOf(name) < (kind === "journal" ? ledger.journalStart : ledger.logStart[kind]);
  };
  for (const name of unnamed) if (!isPast(name)) await deleteSegment(dir, name); // Made by a commit that never was.
  return unnamed.filter(isPast);
}

async function foldAll(dir: string, tables: Tables, ledger: Ledger, passing: (point: RecoveryPoint) => void): Promise<Ledger> {
  const journal = segmentsOf(ledger, "journal");
  const images = sealedImages(
    readSegments(
      dir,
      journal.map(([name, , bytes]) => [name, bytes]),
    ),
  );
  const checkFence = (): void => invariant(readEpoch(tables) === ledger.epoch, "nobody else has opened the store meanwhile");
  for (let from = 0; from < images.ids.length; from += SLICE_ACTORS) {
    tables.transact(() => {
      checkFence();
      putImages(tables, images, from, Math.min(images.ids.length, from + SLICE_ACTORS));
    });
    passing("recovery slice");
  }
  // Even if there was nothing to fold: from here on, who had the store open before can commit no more.
  const segments = new Map([...ledger.segments].filter(([name]) => !journal.some(([folded]) => folded === name)));
  const last = journal.at(-1)?.[1] ?? 0;
  const recovered: Ledger = { ...ledger, epoch: ledger.epoch + 1, journalStart: Math.max(ledger.journalStart, last + 1), segments };
  tables.transact(() => {
    checkFence();
    putLedger(tables, recovered, new Map(journal.map(([name]) => [name, null])));
  });
  await tables.flushed();
  return recovered;
}
