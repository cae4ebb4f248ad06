import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { invariant, orUnavailable } from "../engine/fault.ts";
import { moveFile } from "./folder_archive.ts";
import { FileChanged } from "./format.ts";
import type { Identity, Known, LandedFile } from "./landing_place.ts";
import { isGone } from "./listing.ts";

const CHUNK_BYTES = 1_048_576;

/** SHA-256 of a file, and of its first bytes, as many as were asked for. */
export interface Hashes {
  readonly sha256: string;
  readonly prefixSha256: string | null;
}

/** An open file of a folder. */
export class OpenFile implements LandedFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag = null;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #archive: string | null;

  constructor(path: string, handle: FileHandle, { size, mtimeMs }: Stats, archive: string | null) {
    this.#path = path;
    this.#handle = handle;
    this.#archive = archive;
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

  async identity(known: Known | undefined, signal: AbortSignal): Promise<Identity> {
    const prefixBytes = known !== undefined && known.sizeBytes <= this.sizeBytes ? known.sizeBytes : null;
    const { sha256, prefixSha256 } = await this.hashes(prefixBytes, signal);
    return { contentId: sha256, continues: prefixSha256 !== null && prefixSha256 === known?.contentId, madeAtMs: null };
  }

  /** In one pass. Ends with the signal's reason if it fires. */
  async hashes(prefixBytes: number | null, signal: AbortSignal): Promise<Hashes> {
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

  /** That a file which has become longer has only grown is believed until a hash says otherwise. */
  async mustBeSame(): Promise<void> {
    const { size, mtimeMs } = await orUnavailable(this.#path, this.#handle.stat());
    if (size < this.sizeBytes || (size === this.sizeBytes && mtimeMs !== this.modifiedMs)) throw new FileChanged();
  }

  async archive(target: string, contentId: string, signal: AbortSignal): Promise<boolean> {
    invariant(this.#archive !== null, "who archives has an archive");
    if (!(await this.#isInPlace())) return false;
    await orUnavailable(this.#archive, moveFile(this.#path, this.#archive, target, contentId, signal));
    return true;
  }

  async remove(): Promise<boolean> {
    if (!(await this.#isInPlace())) return false;
    await orUnavailable(this.#path, unlink(this.#path));
    return true;
  }

  /** Whether its path still leads to this file, as it was when it was opened. */
  async #isInPlace(): Promise<boolean> {
    const [here, there] = await orUnavailable(this.#path, Promise.all([this.#handle.stat(), statOrNull(this.#path)]));
    return there !== null && here.ino === there.ino && there.size === this.sizeBytes && there.mtimeMs === this.modifiedMs;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

const SAFELY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK; // A pipe in its place would block for ever.

/** Opens a file below `root`; null if it is gone, or no regular file with one link on the device of the root. It is archived in `archive`. */
export async function openFile(root: string, path: string, device: number, archive: string | null = null): Promise<OpenFile | null> {
  const full = join(root, path);
  const handle = await orUnavailable(full, openOrNull(full));
  if (handle === null) return null;
  const stats = await handle.stat();
  if (stats.isFile() && stats.nlink === 1 && stats.dev === device) return new OpenFile(full, handle, stats, archive);
  await handle.close();
  return null;
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
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
