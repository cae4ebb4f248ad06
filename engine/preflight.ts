import { randomUUID } from "node:crypto";
import { open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DamagedStore, OtherFormat } from "./damaged_store.ts";
import { syncDirectory } from "./segment_file.ts";

/** LMDB's file. */
export const DATA_FILE = "data.mdb";
/** LMDB's pages are of this size, whatever the machine's are. */
export const PAGE_BYTES = 4_096;

/** What stands beside the data, in `store.json`: it is written last when a store is made, so that where it is there must be data. */
export interface Sidecar {
  readonly storeId: string;
  /** An epoch that was flushed: what is of an earlier one is not what was stored. 0: none is known. */
  readonly epoch: number;
}

const SIDECAR_FILE = "store.json";
/** Raised with each change after which the bytes of an older state mean something else. */
const FORMAT = 2;
/** More than a new store writes. */
const FIRST_BYTES = 262_144;

/**
 * Looks at a state directory before LMDB opens it, for LMDB takes an empty file for an empty store and dies of a short one. Returns null where
 * there is no store yet, or one that was never finished. Throws `DamagedStore`.
 */
export async function preflight(dir: string): Promise<Sidecar | null> {
  const sidecar = await readSidecar(dir);
  if (sidecar !== null) {
    await checkDataFile(join(dir, DATA_FILE));
    return sidecar;
  }
  const [segment] = (await readdir(dir)).filter(isSegmentFile);
  if (segment !== undefined) throw new DamagedStore(`${SIDECAR_FILE} is missing, but ${segment} is there`);
  return null;
}

/** Before a store is made: LMDB dies, without a word, when its first write to a new file fails. Throws what the disk says. */
export async function tryToWrite(dir: string): Promise<void> {
  const path = join(dir, "first.draft");
  const handle = await open(path, "w");
  try {
    await handle.writeFile(Buffer.alloc(FIRST_BYTES));
    await handle.sync();
  } finally {
    await handle.close();
    await rm(path, { force: true });
  }
}

export function newSidecar(): Sidecar {
  return { storeId: randomUUID(), epoch: 0 };
}

/** Writes the sidecar whole, durably. */
export async function writeSidecar(dir: string, { storeId, epoch }: Sidecar): Promise<void> {
  const draft = join(dir, `${SIDECAR_FILE}.draft`);
  const handle = await open(draft, "w");
  try {
    await handle.writeFile(`${JSON.stringify({ storeId, format: FORMAT, epoch })}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, join(dir, SIDECAR_FILE));
  await syncDirectory(dir);
}

/** Throws `DamagedStore` if LMDB shows a state from before the one that was flushed: a damaged page can lead there. */
export function checkEpoch({ epoch }: Sidecar, found: number): void {
  if (found < epoch) throw new DamagedStore(`the data is of epoch ${found}, but epoch ${epoch} was stored`);
}

/** Where a restore puts the state that it replaces, until all is done. */
export function replacedBy(dir: string): string {
  return `${resolve(dir)}.replaced`;
}

/** Whether a file of the directory holds a piece of the journal or of the log. */
export function isSegmentFile(name: string): boolean {
  return name.endsWith(".seg");
}

async function readSidecar(dir: string): Promise<Sidecar | null> {
  const text = await readFile(join(dir, SIDECAR_FILE), "utf8").catch(nullIfMissing);
  if (text === null) return null;
  const { storeId, format, epoch = 0 } = parsed(text);
  if (format !== FORMAT) throw new OtherFormat(`${SIDECAR_FILE} states the format ${JSON.stringify(format)}; this version reads ${FORMAT}`);
  if (typeof storeId !== "string" || storeId === "") throw new DamagedStore(`${SIDECAR_FILE} states no store id`);
  if (typeof epoch !== "number") throw new DamagedStore(`${SIDECAR_FILE} states no epoch`);
  return { storeId, epoch };
}

function parsed(text: string): { readonly storeId?: unknown; readonly format?: unknown; readonly epoch?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    throw new DamagedStore(`${SIDECAR_FILE} is no JSON`);
  }
}

// LMDB's two meta pages: checked again at each upgrade of the library.
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const LAST_PAGE_AT = 144;

async function checkDataFile(path: string): Promise<void> {
  const handle = await open(path, "r").catch(nullIfMissing);
  if (handle === null) throw new DamagedStore(`${DATA_FILE} is missing`);
  try {
    const metas = Buffer.alloc(2 * PAGE_BYTES);
    await handle.read(metas, 0, metas.length, 0);
    const { size } = await handle.stat(); // After the pages: beside a running writer the file may grow in between.
    if (size < metas.length) throw new DamagedStore(`${DATA_FILE} has ${size} bytes only`);
    for (const meta of [0, PAGE_BYTES]) {
      if (metas.readUInt32LE(meta + MAGIC_AT) !== MAGIC) throw new DamagedStore(`${DATA_FILE} does not begin as it must`);
      const neededBytes = (Number(metas.readBigUInt64LE(meta + LAST_PAGE_AT)) + 1) * PAGE_BYTES;
      if (size < neededBytes) throw new DamagedStore(`${DATA_FILE} has ${size} bytes, but needs ${neededBytes}`);
    }
  } finally {
    await handle.close();
  }
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
