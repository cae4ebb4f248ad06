import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Does `body` with a new, empty folder, which is removed afterwards. */
export async function inTempFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await newTempFolder();
  try {
    await body(folder);
  } finally {
    await removeFolder(folder);
  }
}

/** A new, empty folder, for those who remove it themselves. */
export function newTempFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "gridactor-"));
}

/** Removes a folder with all it holds. */
export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}
