import type { LogEntry } from "./log_entry.ts";
import { blockEnd, bodyStart, checkBlock, openCommitted, readFully } from "./segment_file.ts";

// An entry of the log as a record: sequence (f64), length (u32), bytes.

/** What goes before an entry's bytes. */
export const ENTRY_HEAD_BYTES = 12;
/** Where the length stands in it. */
export const LENGTH_AT = 8;
const WINDOW_BYTES = 65_536; // Read at once, and the distance between blocks that the index knows.

/** A segment of a stream, as readers know it. */
export interface LogSegment {
  readonly name: string;
  /** Its first sequence. */
  readonly first: number;
  /** Up to here it is committed and flushed; all else is not there. */
  lengthBytes: number;
  /** A sparse index, grown by reading: first sequences of some blocks, and where these begin. */
  readonly sequences: number[];
  readonly offsets: number[];
  /** Up to here the index is complete. */
  scannedBytes: number;
}

export function logSegment(name: string, first: number, lengthBytes: number): LogSegment {
  return { name, first, lengthBytes, sequences: [], offsets: [], scannedBytes: 0 };
}

/** Entries with `sequence >= from` of the segments of a stream (in order), at least one if there is one, about `bytesMax` at most. */
export async function readEntries(dir: string, segments: readonly LogSegment[], from: number, bytesMax: number): Promise<LogEntry[]> {
  const taking: Taking = { from, bytesLeft: bytesMax, entries: [] };
  const firsts = segments.map(({ first }) => first);
  for (let n = Math.max(0, lastAtMost(firsts, from)); n < segments.length && wantsMore(taking); n += 1) {
    await readSegment(dir, segments[n] as LogSegment, taking);
  }
  return taking.entries;
}

interface Taking {
  readonly from: number;
  bytesLeft: number;
  readonly entries: LogEntry[];
}

function wantsMore({ bytesLeft, entries }: Taking): boolean {
  return bytesLeft > 0 || entries.length === 0;
}

async function readSegment(dir: string, segment: LogSegment, taking: Taking): Promise<void> {
  const { name, lengthBytes } = segment;
  const handle = await openCommitted(dir, name, "r");
  const read: Read = async (at, bytes) => {
    const window = Buffer.allocUnsafeSlow(Math.min(bytes, lengthBytes - at));
    await readFully(handle, window, at, name);
    return window;
  };
  try {
    await scan(segment, lengthBytes, read);
    let at = segment.offsets[lastAtMost(segment.sequences, taking.from)] ?? 0;
    while (at < lengthBytes && wantsMore(taking)) {
      const window = await wholeBlocks(read, at, Math.max(taking.bytesLeft, WINDOW_BYTES));
      let block = 0;
      do {
        const end = checkBlock(window, block, name);
        takeEntries(window, block, end, taking);
        block = end;
      } while (isWhole(window, block) && wantsMore(taking));
      at += block;
    }
  } finally {
    await handle.close();
  }
}

/** Reads from `at`; less than asked for at the end of the segment. */
type Read = (at: number, bytes: number) => Promise<Buffer>;

/** Reads one whole block at least: a block is longer than the window only if it holds a long record. */
async function wholeBlocks(read: Read, at: number, bytes: number): Promise<Buffer> {
  const window = await read(at, bytes);
  return isWhole(window, 0) ? window : read(at, isHead(window, 0) ? blockEnd(window, 0) : bytes);
}

/** Brings the sparse index up to `toBytes`, from the heads of the blocks alone: a wrong one leads to a block that fails its checksum. */
async function scan(segment: LogSegment, toBytes: number, read: Read): Promise<void> {
  const from = segment.scannedBytes;
  const found: (readonly [sequence: number, offset: number])[] = [];
  let indexed = segment.offsets.at(-1) ?? Number.NEGATIVE_INFINITY;
  let at = from;
  while (at < toBytes) {
    const window = await read(at, WINDOW_BYTES);
    let block = 0;
    while (isHead(window, block)) {
      if (at + block - indexed >= WINDOW_BYTES) {
        indexed = at + block;
        found.push([window.readDoubleLE(bodyStart(block)), indexed]);
      }
      block = blockEnd(window, block);
    }
    if (block === 0) return; // No block begins here: reading will say so.
    at += block;
  }
  if (segment.scannedBytes !== from) return; // Another reader was faster.
  for (const [sequence, offset] of found) {
    segment.sequences.push(sequence);
    segment.offsets.push(offset);
  }
  segment.scannedBytes = toBytes;
}

/** All entries of some blocks, in order: views. */
export function entriesOf(blocks: Buffer): readonly LogEntry[] {
  const taking: Taking = { from: 0, bytesLeft: Number.POSITIVE_INFINITY, entries: [] };
  for (let block = 0; block < blocks.length; block = blockEnd(blocks, block)) takeEntries(blocks, block, blockEnd(blocks, block), taking);
  return taking.entries;
}

function takeEntries(window: Buffer, block: number, end: number, taking: Taking): void {
  for (let at = bodyStart(block); at < end && wantsMore(taking); ) {
    const sequence = window.readDoubleLE(at);
    const next = at + ENTRY_HEAD_BYTES + window.readUInt32LE(at + LENGTH_AT);
    if (sequence >= taking.from) {
      taking.entries.push({ sequence, bytes: window.subarray(at + ENTRY_HEAD_BYTES, next) });
      taking.bytesLeft -= next - at - ENTRY_HEAD_BYTES;
    }
    at = next;
  }
}

/** Whether the window holds the head of the block at `block`, and the sequence behind it. */
function isHead(window: Buffer, block: number): boolean {
  return bodyStart(block) + ENTRY_HEAD_BYTES <= window.length;
}

function isWhole(window: Buffer, block: number): boolean {
  return isHead(window, block) && blockEnd(window, block) <= window.length;
}

/** The last n with `values[n] <= limit`, in rising values; -1: there is none. */
function lastAtMost(values: readonly number[], limit: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
