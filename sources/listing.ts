import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Glob } from "./glob.ts";
import { isBeingWritten, isHidden, type Seen } from "./landing_place.ts";

/**
 * The files under `root` that a glob means, in the order in which the system names them. Only regular files with one link; no link is followed. Names
 * that begin with `.`, `_` or `~` (of folders, too) are passed over, and names of files that end like those of a file being written.
 */
export async function listing(root: string, globs: readonly Glob[]): Promise<readonly Seen[]> {
  const depth = Math.max(...globs.map((one) => one.depth));
  const meant: string[] = [];
  for await (const path of pathsIn(root, "", depth)) if (globs.some((one) => one.matches(path))) meant.push(path);
  const seen: Seen[] = [];
  for (let n = 0; n < meant.length; n += LOOKS_AT_ONCE) {
    const some = await Promise.all(meant.slice(n, n + LOOKS_AT_ONCE).map((path) => look(root, path)));
    seen.push(...some.filter((one) => one !== null));
  }
  return seen;
}

const LOOKS_AT_ONCE = 64;

async function* pathsIn(root: string, folder: string, depth: number): AsyncGenerator<string, void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (folder !== "" && isGone(error)) return [];
    throw error;
  });
  for (const entry of entries) {
    if (isHidden(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && depth > 0) yield* pathsIn(root, path, depth - 1);
    if (entry.isFile() && !isBeingWritten(entry.name)) yield path;
  }
}

async function look(root: string, path: string): Promise<Seen | null> {
  try {
    const { size, mtimeMs, nlink } = await lstat(join(root, path));
    return nlink === 1 ? { path, sizeBytes: size, modifiedMs: mtimeMs, etag: null } : null;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

/** The file went away in the meantime. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
