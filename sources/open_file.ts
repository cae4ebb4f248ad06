import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { orUnavailable } from "../engine/fault.ts";
import { type FileBytes, FileChanged } from "./format.ts";
import { isGone } from "./listing.ts";

const CHUNK_BYTES = 1_048_576;

/** What a file's content is known by. `prefixSha256`: of its first bytes, as many as were asked for. */
export interface Identity {
  readonly sha256: string;
  readonly prefixSha256: string | null;
}

/** An open file, cut off at the size it had when it was opened. Close it. */
export class OpenFile implements FileBytes {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle, { size, mtimeMs }: Stats) {
    this.#path = path;
    this.#handle = handle;
    this.sizeBytes = size;
    this.modifiedMs = mtimeMs;
  }

  async fill(target: Uint8Array, at: number): Promise<void> {
    for (let filled = 0; filled < target.length; ) {
      const reading = this.#handle.read(target, filled, target.length - filled, at + filled);
      const { bytesRead } = await orUnavailable(this.#path, reading);
      if (bytesRead === 0) throw new FileChanged();
      filled += bytesRead;
    }
  }

  /** SHA-256 of the whole, and of its first `prefixBytes`, in one pass. Ends with the signal's reason if it fires. */
  async identity(prefixBytes: number | null, signal: AbortSignal): Promise<Identity> {
    const whole = createHash("sha256");
    let prefixSha256 = prefixBytes === 0 ? whole.copy().digest("hex") : null;
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, this.sizeBytes));
    for (let at = 0; at < this.sizeBytes; ) {
      signal.throwIfAborted();
      const prefixLeft = prefixBytes === null || at >= prefixBytes ? chunk.length : prefixBytes - at;
      const part = chunk.subarray(0, Math.min(chunk.length, this.sizeBytes - at, prefixLeft));
      await this.fill(part, at);
      whole.update(part);
      at += part.length;
      if (at === prefixBytes) prefixSha256 = whole.copy().digest("hex");
    }
    return { sha256: whole.digest("hex"), prefixSha256 };
  }

  /** Throws `FileChanged` if the bytes up to `sizeBytes` may have changed since it was opened. A file that has become longer has only grown, until a hash says otherwise. */
  async mustBeSame(): Promise<void> {
    const { size, mtimeMs } = await orUnavailable(this.#path, this.#handle.stat());
    if (size < this.sizeBytes || (size === this.sizeBytes && mtimeMs !== this.modifiedMs)) throw new FileChanged();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

const SAFELY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK; // A pipe in its place would block for ever.

/** Opens a file below `root`; null if it is gone, or no regular file with one link on the device of the root. */
export async function openFile(root: string, path: string, device: number): Promise<OpenFile | null> {
  const full = join(root, path);
  const handle = await orUnavailable(full, openOrNull(full));
  if (handle === null) return null;
  const stats = await handle.stat();
  if (stats.isFile() && stats.nlink === 1 && stats.dev === device) return new OpenFile(full, handle, stats);
  await handle.close();
  return null;
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, SAFELY);
  } catch (error) {
    const isOther = error instanceof Error && "code" in error && (error.code === "ELOOP" || error.code === "ENXIO");
    if (isOther || isGone(error)) return null;
    throw error;
  }
}
