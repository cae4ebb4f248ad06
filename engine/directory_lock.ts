import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isProcessAlive, processStart } from "./process_life.ts";

/** Another process has the state directory open. */
export class Locked extends Error {
  readonly pid: number;
  constructor(dir: string, pid: number) {
    super(`${dir} is open in process ${pid}`);
    this.name = "Locked";
    this.pid = pid;
  }
}

/** A directory that is ours until it is released. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the state directory for this process. A lock whose process has ended, or whose number another process has by now, is taken over. Throws
 * `Locked`. Two processes that take over at the same instant can both succeed; the epoch in the store then ends one of them.
 */
export function lockDirectory(dir: string): DirectoryLock {
  const path = join(dir, LOCK_FILE);
  const own = `${process.pid} ${processStart(process.pid) ?? UNKNOWN_START}\n`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, own);
  try {
    // A link appears with its content, or not at all: nobody reads a lock that is half written.
    while (!isMade(() => linkSync(draft, path), "EEXIST")) removeStale(dir, path);
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (read(path) === own) rmSync(path, { force: true });
    },
  };
}

/** The process that has the directory open; null: none has. */
export function lockHolder(dir: string): number | null {
  return liveHolder(read(join(dir, LOCK_FILE)));
}

const LOCK_FILE = "lock";
const UNKNOWN_START = "-";

function removeStale(dir: string, path: string): void {
  const seen = read(path);
  const pid = liveHolder(seen);
  if (pid !== null) throw new Locked(dir, pid);
  const aside = `${path}.${process.pid}.stale`;
  if (!isMade(() => renameSync(path, aside), "ENOENT")) return;
  // Somebody may have taken over between our two looks: then this is his lock, and he gets it back.
  if (read(aside) !== seen) isMade(() => linkSync(aside, path), "EEXIST");
  rmSync(aside, { force: true });
}

function liveHolder(lock: string | null): number | null {
  const [, digits = "", start = ""] = /^(\d+) (\S+)\n$/.exec(lock ?? "") ?? [];
  const pid = Number(digits);
  return isProcessAlive(pid, start === UNKNOWN_START ? null : start) ? pid : null;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Whether `make` succeeded, or failed in the way named. */
function isMade(make: () => void, otherwise: string): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (codeOf(error) === otherwise) return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : null;
}
