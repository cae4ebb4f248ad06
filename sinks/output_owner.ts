import { readdir, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { BrokenInvariant, Unavailable } from "../engine/fault.ts";
import { isProcessAlive, processStart } from "../engine/process_life.ts";
import { makeFolder, syncFolder, writeSynced } from "./durable.ts";

/** The right to write an output. Kept beside it, in `<path>.owner`. */
export interface Ownership {
  /** Says that nobody writes at present. Without it (after a crash) the next owner looks whether the process still lives. */
  release(): Promise<void>;
}

interface Owner {
  readonly storeId: string;
  readonly pid: number | null;
  /** When that process began, in the system's own count; null where the system does not say. */
  readonly born: string | null;
}

/**
 * Takes an output (a file or a folder) for a store. What another store wrote there is moved aside as `<path>.<its store id>`, what nobody owns as
 * `<path>.unowned`; this store's own output comes back if it was moved aside before. Nothing is overwritten or mixed. Throws `Unavailable` while
 * the other store's process lives, `BrokenInvariant` if the place to move to is taken.
 */
export async function ownOutput(path: string, storeId: string): Promise<Ownership> {
  await makeFolder(dirname(path));
  const owner = await readOwner(path);
  if (owner?.storeId !== storeId) {
    if (owner !== null && isLive(owner)) {
      throw new Unavailable(path, new Error(`store ${owner.storeId} writes it (process ${owner.pid})`));
    }
    if (await holdsAnything(path)) await move(path, `${path}.${owner?.storeId ?? "unowned"}`);
  }
  // Owned first, moved back then: a crash in between leaves nothing of ours under another's name.
  await writeOwner(path, { storeId, pid: process.pid, born: processStart(process.pid) });
  if (!(await holdsAnything(path)) && (await exists(`${path}.${storeId}`))) await rename(`${path}.${storeId}`, path);
  await syncFolder(dirname(path));
  return { release: () => writeOwner(path, { storeId, pid: null, born: null }).catch(passIfNoRoom) };
}

async function move(from: string, to: string): Promise<void> {
  if (await exists(to))
    throw new BrokenInvariant(`${from} belongs to another store and cannot be moved aside: ${to} exists; move one of them`);
  await rename(from, to);
}

async function readOwner(path: string): Promise<Owner | null> {
  const text = await readFile(`${path}.owner`, "utf8").catch(nullIfAbsent);
  return text === null ? null : (JSON.parse(text) as Owner);
}

async function writeOwner(path: string, owner: Owner): Promise<void> {
  await writeSynced(`${path}.owner.tmp`, Buffer.from(`${JSON.stringify(owner)}\n`));
  await rename(`${path}.owner.tmp`, `${path}.owner`);
}

/** One that cannot be told from us by its start is not another. */
function isLive({ pid, born }: Owner): boolean {
  return pid !== null && !(born === null && pid === process.pid) && isProcessAlive(pid, born);
}

async function holdsAnything(path: string): Promise<boolean> {
  const found = await stat(path).catch(nullIfAbsent);
  if (found === null) return false;
  return found.isDirectory() ? (await readdir(path)).length > 0 : found.size > 0;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(nullIfAbsent)) !== null;
}

/** On a full disk an engine can still stop: what is written there as the owner ends with the process anyway. */
function passIfNoRoom(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") throw error;
}

function nullIfAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT") return null;
  throw error;
}
