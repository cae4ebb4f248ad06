import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { TargetInvalid, TargetUnavailable } from "./target.ts";

/** Whether the module at `moduleUrl` (its `import.meta.url`) is the program that was started, and not imported by one. */
export function isProgram(moduleUrl: string): boolean {
  const started = process.argv[1];
  return started !== undefined && realpathSync(started) === fileURLToPath(moduleUrl);
}

/** Waits for a program's work; a failure becomes one line on stderr and the exit code: 2 usage, 75 try again, else 1. */
export function exitWith(work: Promise<void>): void {
  work.catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = exitCodeOf(error);
  });
}

function exitCodeOf(error: unknown): number {
  if (error instanceof TargetUnavailable) return 75;
  const isUsage = error instanceof TargetInvalid || error instanceof RangeError || (error instanceof TypeError && "code" in error); // parseArgs throws the last.
  return isUsage ? 2 : 1;
}
