import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isProcessAlive, processStart } from "./process_life.ts";

/** While it is there the engine deletes no segments that it needs no more. */
export interface SegmentPin {
  release(): void;
}

/**
 * Asks the engine that runs on `dir`, now or later, to leave all segments where they are. Whatever the store names from now on, at any moment until the
 * release, is there: a segment goes only after the store has ceased to name it, and the engine looks for pins in between. A pin ends with its process.
 */
export function pinSegments(dir: string): SegmentPin {
  const draft = mkdtempSync(join(dir, "pinning-"));
  const path = join(dir, `${basename(draft)}${SUFFIX}`);
  try {
    writeFileSync(join(draft, "pin"), `${process.pid} ${processStart(process.pid) ?? UNKNOWN_START}\n`);
    renameSync(join(draft, "pin"), path); // It appears with its content.
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return { release: () => rmSync(path, { force: true }) };
}

/** Whether a process that lives has pinned the segments. Pins of others are removed. */
export function arePinned(dir: string): boolean {
  let found = false;
  for (const name of readdirSync(dir).filter((each) => each.endsWith(SUFFIX))) {
    if (isLive(join(dir, name))) found = true;
    else rmSync(join(dir, name), { force: true });
  }
  return found;
}

const SUFFIX = ".pin";
const UNKNOWN_START = "-";

function isLive(path: string): boolean {
  try {
    const [, digits = "", start = ""] = /^(\d+) (\S+)\n$/.exec(readFileSync(path, "utf8")) ?? [];
    return isProcessAlive(Number(digits), start === UNKNOWN_START ? null : start);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false; // Just released.
    throw error;
  }
}
