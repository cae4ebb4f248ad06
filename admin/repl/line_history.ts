import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export const LINES_MAX = 1_000;

/** Where the lines of former sessions are kept. */
export function historyPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local/state"), "gridactor", "history");
}

/** The kept lines, latest first; none if there is no file, or it cannot be read. */
export function readHistory(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").filter(Boolean).reverse().slice(0, LINES_MAX);
  } catch {
    return [];
  }
}

/** Keeps lines (latest first) for the next session, each once, in a file of one's own. A line that begins with a space is not kept. */
export function writeHistory(path: string, lines: readonly string[]): void {
  const kept = [...new Set(lines.filter((line) => line !== "" && !line.startsWith(" ")))].slice(0, LINES_MAX);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(
      path,
      kept
        .reverse()
        .map((line) => `${line}\n`)
        .join(""),
      { mode: 0o600 },
    );
  } catch {
    // A session works without one.
  }
}
