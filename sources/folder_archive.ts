import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { access, mkdir, open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { isGone } from "./listing.ts";

/**
 * Moves a file of this content (SHA-256) to `target`, relative to `archive`; onto another device by a copy that is flushed before the file goes. What is
 * in the archive is never replaced: another content there leaves this one the name with its hash behind it. Rejects with the error of the system.
 */
export async function moveFile(from: string, archive: string, target: string, sha256: string, signal: AbortSignal): Promise<void> {
  const wanted = join(archive, target);
  const to = (await isThere(wanted)) && (await sha256Of(wanted, signal)) !== sha256 ? `${wanted}.${sha256.slice(0, 12)}` : wanted;
  await mkdir(dirname(to), { recursive: true });
  try {
    await rename(from, to);
  } catch (error) {
    if (!isOtherDevice(error)) throw error;
    await copyThere(from, to, signal);
    await flushed(dirname(to));
    await unlink(from);
    return;
  }
  await flushed(dirname(to));
}

async function copyThere(from: string, to: string, signal: AbortSignal): Promise<void> {
  const part = join(dirname(to), `.${basename(to).slice(0, 200)}.part`);
  await pipeline(createReadStream(from), createWriteStream(part, { flush: true }), { signal });
  await rename(part, to);
}

async function flushed(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest("hex");
}

function isOtherDevice(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EXDEV";
}
