import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Makes a name in `folder` survive a power loss: a file's own sync does not cover the entry in its folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the folder and those above it, and syncs the entries that are new. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let above = dirname(resolve(folder)); ; above = dirname(above)) {
    await syncFolder(above);
    if (above === top) return;
  }
}

/** Writes a whole new file, synced; one of that name is overwritten. The entry in its folder is not synced. */
export async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, "w");
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
