import fs, { type FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const OF_FILES = ["appendFile", "writeFile", "sync", "datasync"] as const;
const OF_FOLDERS = ["link", "mkdir"] as const;

/**
 * Lets the disk of this process be full from its n-th change on (0: the first), for `times` changes, while `body` runs: a write writes half of what it was
 * given, then it and everything else that needs room fails with ENOSPC. Resolves to whether it was full at all.
 */
export async function onFullDisk(n: number, times: number, body: () => Promise<void>): Promise<boolean> {
  let changes = 0;
  const isFull = (): boolean => {
    changes += 1;
    return changes > n && changes <= n + times;
  };
  const files = await fileMethods();
  const before = { files: { ...pick(files, OF_FILES) }, folders: { ...pick(fs, OF_FOLDERS) } };
  for (const name of OF_FILES) {
    const real = before.files[name] as (this: FileHandle, ...args: unknown[]) => Promise<unknown>;
    Object.assign(files, {
      async [name](this: FileHandle, ...args: unknown[]): Promise<unknown> {
        if (!isFull()) return real.apply(this, args);
        const [bytes] = args;
        if (bytes instanceof Uint8Array) await real.call(this, bytes.subarray(0, bytes.length >> 1));
        throw noSpace(name);
      },
    });
  }
  for (const name of OF_FOLDERS) {
    const real = before.folders[name] as (...args: unknown[]) => Promise<unknown>;
    Object.assign(fs, { [name]: async (...args: unknown[]) => (isFull() ? Promise.reject(noSpace(name)) : real(...args)) });
  }
  syncBuiltinESMExports();
  try {
    await body();
    return changes > n;
  } finally {
    Object.assign(files, before.files);
    Object.assign(fs, before.folders);
    syncBuiltinESMExports();
  }
}

function noSpace(syscall: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${syscall}`), { code: "ENOSPC", errno: -28, syscall });
}

async function fileMethods(): Promise<Record<(typeof OF_FILES)[number], unknown>> {
  const handle = await fs.open("/dev/null", "r");
  await handle.close();
  return Object.getPrototypeOf(handle);
}

function pick<K extends string>(from: Readonly<Record<K, unknown>>, names: readonly K[]): Record<K, unknown> {
  return Object.fromEntries(names.map((name) => [name, from[name]])) as Record<K, unknown>;
}
