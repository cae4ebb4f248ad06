import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { ByteWriter } from "./byte_writer.ts";
import { DamagedStore } from "./damaged_store.ts";

// A segment file is a row of blocks and nothing else. A block: length of its body (u32), CRC-32 of the body that began from this length
// (u32), body. What lies beyond the committed length, which LMDB holds, does not exist.

const HEAD_BYTES = 8;
const BLOCK_BYTES = 262_144; // A reader who starts in the middle of a block reads this much too much.
const READ_BYTES = 1 << 30; // Node reads less than 2 GiB at once.

/** Blocks for the end of one file, built in memory that is used again for every commit. Cells go into the record that was begun last. */
export class Draft extends ByteWriter {
  /** Where the block begins that is being filled; -1: none is. */
  #block = -1;
  #markAt = 0;
  #markBlock = -1;

  constructor() {
    super(BLOCK_BYTES);
  }

  /** Bytes that are filled; of the block that is being filled, too. */
  get length(): number {
    return this.at;
  }

  /** What is filled: a view, valid until more is. */
  get filled(): Buffer {
    return this.chunk.subarray(0, this.at);
  }

  /** Begins a record, which never spans two blocks. Returns where. */
  beginRecord(): number {
    if (this.at - this.#block >= BLOCK_BYTES) this.closeBlock();
    if (this.#block < 0) {
      this.reserve(HEAD_BYTES);
      this.#block = this.at;
      this.at += HEAD_BYTES;
    }
    return this.at;
  }

  /** Frames the block that is being filled, if one is. */
  closeBlock(): void {
    const block = this.#block;
    if (block < 0) return;
    const bodyBytes = this.at - block - HEAD_BYTES;
    this.chunk.writeUInt32LE(bodyBytes, block);
    this.chunk.writeUInt32LE(crc32(this.chunk.subarray(block + HEAD_BYTES, this.at), bodyBytes), block + 4);
    this.#block = -1;
  }

  /** What is filled from here on can be taken back. */
  mark(): void {
    this.#markAt = this.at;
    this.#markBlock = this.#block;
  }

  /** Takes back what was filled since the last `mark`. */
  backToMark(): void {
    this.at = this.#markAt;
    this.#block = this.#markBlock;
  }

  clear(): void {
    this.at = 0;
    this.#block = -1;
  }
}

/** A file that is being appended to. */
export interface Segment {
  readonly name: string;
  readonly handle: FileHandle;
  lengthBytes: number;
}

/** Makes an empty file, which must not be there yet, and syncs the directory: a transaction may name it. */
export async function createSegment(dir: string, name: string): Promise<Segment> {
  const handle = await open(join(dir, name), "wx");
  await syncDirectory(dir);
  return { name, handle, lengthBytes: 0 };
}

/** Opens a file to append after its committed length, to which `cutBack` has brought it. */
export async function openSegment(dir: string, name: string, lengthBytes: number): Promise<Segment> {
  return { name, handle: await open(join(dir, name), "r+"), lengthBytes };
}

/** Writes the blocks of a draft behind the rest; `lengthBytes` moves. They are not yet synced. */
export async function append(segment: Segment, draft: Draft): Promise<void> {
  const { filled } = draft;
  for (let done = 0; done < filled.length; ) {
    const { bytesWritten } = await segment.handle.write(filled, done, filled.length - done, segment.lengthBytes + done);
    done += bytesWritten;
  }
  segment.lengthBytes += filled.length;
}

/** Removes what a crash left beyond the committed length, and syncs the cut. Throws `DamagedStore` if the file is missing or shorter. */
export async function cutBack(dir: string, name: string, committedBytes: number): Promise<void> {
  const handle = await openCommitted(dir, name, "r+");
  try {
    const { size } = await handle.stat();
    if (size < committedBytes) throw tooShort(name, size, committedBytes);
    if (size === committedBytes) return;
    await handle.truncate(committedBytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The committed bytes of several segments, one behind the other. Throws `DamagedStore` if one is missing or too short. */
export function readSegments(dir: string, segments: readonly (readonly [name: string, committedBytes: number])[]): Buffer {
  const bytes = Buffer.allocUnsafeSlow(segments.reduce((sum, [, committedBytes]) => sum + committedBytes, 0));
  let at = 0;
  for (const [name, committedBytes] of segments) {
    const file = openToRead(dir, name);
    try {
      for (const end = at + committedBytes; at < end; ) {
        const bytesRead = readSync(file, bytes, at, Math.min(end - at, READ_BYTES), at - end + committedBytes);
        if (bytesRead === 0) throw tooShort(name, at - end + committedBytes, committedBytes);
        at += bytesRead;
      }
    } finally {
      closeSync(file);
    }
  }
  return bytes;
}

/** Fills `target` from the file at `position`. Throws `DamagedStore` if the file ends before. */
export async function readFully(handle: FileHandle, target: Buffer, position: number, name: string): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, Math.min(target.length - done, READ_BYTES), position + done);
    if (bytesRead === 0) throw tooShort(name, position + done, position + target.length);
    done += bytesRead;
  }
}

/** Opens a segment that LMDB names. Throws `DamagedStore` if it is not there. */
export async function openCommitted(dir: string, name: string, flags: "r" | "r+"): Promise<FileHandle> {
  try {
    return await open(join(dir, name), flags);
  } catch (error) {
    throw damageIfMissing(name, error);
  }
}

/** Where the body of the block at `at` ends, according to its head, which must lie in `bytes`. */
export function blockEnd(bytes: Buffer, at: number): number {
  return at + HEAD_BYTES + bytes.readUInt32LE(at);
}

/** Where the body of the block at `at` begins. */
export function bodyStart(at: number): number {
  return at + HEAD_BYTES;
}

/** Checks the block at `at` and returns where it ends. Throws `DamagedStore` if it is not what was written. */
export function checkBlock(bytes: Buffer, at: number, name: string): number {
  const end = at + HEAD_BYTES <= bytes.length ? blockEnd(bytes, at) : Number.POSITIVE_INFINITY;
  const bodyBytes = end - bodyStart(at);
  // An empty block is never written: zeros in place of a block would pass for one.
  const intact =
    bodyBytes > 0 && end <= bytes.length && bytes.readUInt32LE(at + 4) === crc32(bytes.subarray(bodyStart(at), end), bodyBytes);
  if (!intact) throw new DamagedStore(`${name} fails its checksum`);
  return end;
}

/** Deletes a segment; one that is gone already is no error. */
export async function deleteSegment(dir: string, name: string): Promise<void> {
  await rm(join(dir, name), { force: true });
}

/** Makes new and renamed files of a directory survive a power loss. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function tooShort(name: string, bytes: number, committedBytes: number): DamagedStore {
  return new DamagedStore(`${name} ends at ${bytes} bytes, but ${committedBytes} were committed`);
}

function openToRead(dir: string, name: string): number {
  try {
    return openSync(join(dir, name), "r");
  } catch (error) {
    throw damageIfMissing(name, error);
  }
}

function damageIfMissing(name: string, error: unknown): unknown {
  const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
  return isMissing ? new DamagedStore(`${name} is missing`) : error;
}
