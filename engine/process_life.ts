import { readFileSync } from "node:fs";

/**
 * Whether the process that once had this number, and began at `start` (`processStart`; null: not known), still lives. A number may have gone to
 * another process since; in a container it is even likely. Two containers that share a folder do not see each other.
 */
export function isProcessAlive(pid: number, start: string | null): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !exists(pid)) return false;
  const actual = processStart(pid);
  return start === null || actual === null || actual === start;
}

/** When a process began, in ticks since the machine did; null where the system does not say, and for a process that is gone. */
export function processStart(pid: number): string | null {
  return statOf(pid)?.[19] ?? null;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return statOf(pid)?.[0] !== "Z"; // A zombie has ended, and waits to be noticed.
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // It lives, and belongs to somebody else.
  }
}

/** Fields 3 and on of what Linux says about a process; the name before them is in brackets and may hold anything. */
function statOf(pid: number): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? null;
  } catch {
    return null; // Another system, or the process has just ended: both mean that nothing is said.
  }
}
