import { Decompress } from "fzstd";
import { BadBatch } from "./bad_batch.ts";

const MAGIC = 0xfd2fb528;
/** What every decoder has to offer by the format's own word; the library allocates as much, and moves it with each block. */
const WINDOW_BYTES_MAX = 8_388_608;
const RLE = 1;
const RESERVED = 3;

/** The content of Zstandard frames, of at most `bytesMax` bytes. */
export function zstd(input: Buffer, bytesMax: number): Uint8Array {
  try {
    for (let at = 0; at < input.length; ) at = frameEnd(input, at);
  } catch (error) {
    throw error instanceof RangeError ? new BadBatch("a Zstandard frame is cut off") : error; // Node's word for reads beyond the end.
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  const decoder = new Decompress((part) => {
    length += part.length;
    if (length > bytesMax) throw new BadBatch(`the batch is larger than ${bytesMax} bytes inside`);
    parts.push(part);
  });
  decoder.push(input, true);
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, length);
}

/** Walks over one frame, so that nothing is allocated on a header's word alone. Returns where it ends. */
function frameEnd(input: Buffer, start: number): number {
  if (input.readUInt32LE(start) !== MAGIC) throw new BadBatch("no Zstandard frame begins here");
  const flags = input.readUInt8(start + 4);
  const isSingleSegment = (flags & 0x20) !== 0;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6] as number;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] as number;
  let at = start + 5;
  const windowBytes = isSingleSegment ? contentSize(input, at + dictionaryBytes, sizeBytes) : windowSize(input.readUInt8(at++));
  if (windowBytes > WINDOW_BYTES_MAX) throw new BadBatch(`a Zstandard window of ${windowBytes} bytes is larger than it may be`);
  at += dictionaryBytes + sizeBytes;
  for (let isLast = false; !isLast; ) {
    const word = input.readUIntLE(at, 3);
    const type = (word >> 1) & 3;
    if (type === RESERVED) throw new BadBatch("a Zstandard block is of no known kind");
    at += 3 + (type === RLE ? 1 : word >> 3);
    isLast = (word & 1) === 1;
  }
  const end = at + ((flags & 0x04) === 0 ? 0 : 4);
  if (end > input.length) throw new BadBatch("a Zstandard frame is cut off");
  return end;
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function contentSize(input: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(input.readBigUInt64LE(at));
  return input.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}
