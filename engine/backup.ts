import { createHash } from "node:crypto";
import { cp, type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { wallClock } from "./clock.ts";
import { DamagedStore, NoStore } from "./damaged_store.ts";
import { stateDigest } from "./digest.ts";
import { lockDirectory } from "./directory_lock.ts";
import { type Ledger, putLedger, readLedger } from "./ledger.ts";
import { openTables, type Tables } from "./lmdb_tables.ts";
import { DATA_FILE, preflight, replacedBy, writeSidecar } from "./preflight.ts";
import { openReadOnly } from "./read_only_store.ts";
import { syncDirectory } from "./segment_file.ts";
import { pinSegments } from "./segment_pin.ts";

// LMDB's file is copied first, in one transaction; the ledger in the copy then says which segments belong to it, and up to which byte. A running
// engine only appends to these; it deletes none until all that the copy names are open here, and what is open can be read to its end.

/** What a backup says of itself, in `backup.json`, which is written last: where it is missing, the backup was not finished. */
export interface Backup {
  readonly format: 1;
  readonly storeId: string;
  readonly epoch: number;
  readonly nextSequence: number;
  /** Of the state in the copy: 32 hex digits (`stateDigest`). */
  readonly digest: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** A backup, or the place for one, is not as it must be. */
export class BadBackup extends Error {
  constructor(message: string) {
    super(message);
    this.name = "BadBackup";
  }
}

const BACKUP_FILE = "backup.json";
const COPY_BYTES = 1_048_576;

/**
 * Copies the state in `dir`, also while an engine runs on it, into the new or empty folder `to`, and reads the copy back. `passing` is called
 * between the copy of LMDB's file and those of the segments. Throws `NoStore`, `DamagedStore`, `BadBackup`.
 */
export async function backUp(dir: string, to: string, passing: () => Promise<void> = async () => {}): Promise<Backup> {
  await preflight(dir).catch(noStoreIfMissing(dir));
  await mkdir(to, { recursive: true, mode: 0o700 });
  if ((await readdir(to)).length > 0) throw new BadBackup(`${to} is not empty`);
  const tables = openTables(dir, true);
  if (tables === null) throw new NoStore(dir);
  try {
    const ledger = await copied(dir, tables, to, passing);
    const { storeId, epoch, nextSequence } = ledger;
    const backup: Backup = { format: 1, storeId, epoch, nextSequence, digest: await digestOf(to), files: await filesOf(to) };
    await writeDurably(join(to, BACKUP_FILE), `${JSON.stringify(backup, null, 2)}\n`);
    await syncDirectory(to);
    return backup;
  } finally {
    await tables.close();
  }
}

/**
 * Puts a backup where the state directory `dir` is to be; what is there goes only with `force`, and only once the copy has been read and has the
 * digest that the backup states. What is restored is a generation of its own (`Store.generation`), later than that of the backup: so its sinks know that
 * their targets may hold more than its log. Throws `Locked` if an engine runs on it, `BadBackup`, `DamagedStore`.
 */
export async function restore(from: string, dir: string, force: boolean): Promise<Backup> {
  const backup = await readBackup(from);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const lock = lockDirectory(dir);
  const draft = `${dir}.restoring`;
  const old = replacedBy(dir);
  try {
    const held = (await readdir(dir)).filter((name) => name !== "lock");
    if (held.length > 0 && !force) throw new BadBackup(`${dir} holds a state`);
    await rm(draft, { recursive: true, force: true });
    for (const name of Object.keys(backup.files)) {
      await mkdir(draft, { recursive: true, mode: 0o700 });
      await cp(join(from, name), join(draft, name));
    }
    await mustBe(backup, draft);
    await beginGeneration(draft);
    for (const name of Object.keys(backup.files)) await syncFile(join(draft, name));
    await syncDirectory(draft);
    await rm(old, { recursive: true, force: true }); // Not before: it may be the only state there is, if a restore was cut off.
    await rename(dir, old);
    await rename(draft, dir);
    await syncDirectory(dirname(dir));
    await rm(old, { recursive: true });
    return backup;
  } finally {
    lock.release();
  }
}

/**
 * Makes the state in `dir` a generation of its own, later than `beyond`, than it was and than all restores before; where there is no state, nothing.
 * For one of several owners of copies of a state, who goes on where another one was. Throws `Locked` if an engine runs on it, `DamagedStore`.
 */
export async function beginLater(dir: string, beyond: number): Promise<void> {
  const sidecar = await preflight(dir).catch(nullIfMissing);
  if (sidecar === null) return;
  const lock = lockDirectory(dir);
  try {
    await beginGeneration(dir, beyond);
  } finally {
    lock.release();
  }
}

async function readBackup(from: string): Promise<Backup> {
  const text = await readFile(join(from, BACKUP_FILE), "utf8").catch(() => null);
  if (text === null) throw new BadBackup(`${from} holds no finished backup: ${BACKUP_FILE} is missing`);
  const backup = JSON.parse(text) as Backup;
  if (backup.format !== 1) throw new BadBackup(`${from} is a backup of another format`);
  const found = await filesOf(from);
  for (const [name, { bytes, sha256 }] of Object.entries(backup.files)) {
    if (!Object.hasOwn(found, name) || found[name]?.bytes !== bytes || found[name]?.sha256 !== sha256)
      throw new BadBackup(`${join(from, name)} is not what was backed up`);
  }
  return backup;
}

async function mustBe({ digest, storeId }: Backup, dir: string): Promise<void> {
  const found = await digestOf(dir);
  if (found !== digest) throw new BadBackup(`the copy of store ${storeId} has the digest ${found}, the backup states ${digest}`);
}

/** No clock has to be right for it: two restores of one backup differ by it, and one of a restored state comes later. */
async function beginGeneration(dir: string, beyond = 0): Promise<void> {
  const tables = openTables(dir, false);
  const ledger = tables === null ? null : readLedger(tables);
  if (tables === null || ledger === null) throw new DamagedStore(`the copy in ${dir} holds no store`);
  try {
    const generation = Math.max(wallClock.now(), ledger.generation + 1, beyond + 1);
    tables.transact(() => putLedger(tables, { ...ledger, generation, epoch: ledger.epoch + 1 }, new Map()));
    await tables.flushed();
  } finally {
    await tables.close();
  }
}

async function copied(dir: string, tables: Tables, to: string, passing: () => Promise<void>): Promise<Ledger> {
  const draft = await mkdtemp(`${to}.draft-`);
  const opened: Opened[] = [];
  try {
    const pin = pinSegments(dir);
    let ledger: Ledger;
    try {
      await tables.copy(join(draft, DATA_FILE));
      ledger = await ledgerIn(draft);
      await passing();
      for (const [name, bytes] of ledger.segments) opened.push({ name, bytes, handle: await opening(join(dir, name)) });
    } finally {
      pin.release();
    }
    for (const segment of opened) await copyBeginning(segment, join(draft, segment.name));
    await writeSidecar(draft, ledger);
    await rename(draft, to);
    return ledger;
  } finally {
    for (const { handle } of opened) await handle.close();
    await rm(draft, { recursive: true, force: true });
  }
}

/** A segment, of which so many bytes belong to the copy. */
interface Opened {
  readonly name: string;
  readonly bytes: number;
  readonly handle: FileHandle;
}

async function opening(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new DamagedStore(`${path} is missing`);
    throw error;
  }
}

async function ledgerIn(dir: string): Promise<Ledger> {
  const tables = openTables(dir, true);
  const ledger = tables === null ? null : readLedger(tables);
  await tables?.close();
  if (ledger === null) throw new DamagedStore(`the copy in ${dir} holds no store`);
  return ledger;
}

async function copyBeginning({ name, bytes, handle: from }: Opened, to: string): Promise<void> {
  const target = await open(to, "w", 0o600);
  try {
    const buffer = Buffer.alloc(Math.min(COPY_BYTES, Math.max(1, bytes)));
    for (let at = 0; at < bytes; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
      if (bytesRead === 0) throw new DamagedStore(`${name} is shorter than it must be`);
      await target.write(buffer, 0, bytesRead);
      at += bytesRead;
    }
    await target.sync();
  } finally {
    await target.close();
  }
}

async function digestOf(dir: string): Promise<string> {
  const store = await openReadOnly(dir, () => {});
  try {
    return stateDigest(store);
  } finally {
    await store.close();
  }
}

/** All files but what locks and describes them. */
async function filesOf(dir: string): Promise<Backup["files"]> {
  const names = (await readdir(dir)).filter((name) => name !== BACKUP_FILE && name !== `${DATA_FILE}-lock`);
  const files = await Promise.all(names.sort().map(async (name) => [name, await fileOf(join(dir, name))] as const));
  return Object.fromEntries(files);
}

async function fileOf(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash("sha256");
  const handle = await open(path, "r");
  for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer);
  return { bytes: (await stat(path)).size, sha256: hash.digest("hex") };
}

async function writeDurably(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await syncFile(path);
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}

function noStoreIfMissing(dir: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new NoStore(dir);
    throw error;
  };
}
