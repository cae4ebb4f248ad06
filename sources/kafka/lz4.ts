import { BadBatch } from "./bad_batch.ts";

const MAGIC = 0x184d2204;
const BLOCK_BYTES_MAX: readonly number[] = [0, 0, 0, 0, 65_536, 262_144, 1_048_576, 4_194_304];
const SHORTEST_MATCH = 4;

/** The content of LZ4 frames, of at most `bytesMax` bytes. Checksums of frames are not looked at: the batch around them has one. */
export function lz4(input: Buffer, bytesMax: number): Uint8Array {
  const output = new Output(Math.min(bytesMax, Math.max(65_536, input.length * 4)), bytesMax);
  try {
    for (let at = 0; at < input.length; ) at = frame(input, at, output);
  } catch (error) {
    throw error instanceof RangeError ? new BadBatch("an LZ4 frame is cut off") : error; // Node's word for reads beyond the end.
  }
  return output.bytes();
}

/** Bytes that grow up to a bound. */
class Output {
  length = 0;
  #bytes: Uint8Array;
  readonly #bytesMax: number;

  constructor(firstBytes: number, bytesMax: number) {
    this.#bytes = new Uint8Array(firstBytes);
    this.#bytesMax = bytesMax;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What stands `back` bytes before the end, again; it may overlap what it writes. */
  repeat(back: number, length: number): void {
    this.#reserve(length);
    const bytes = this.#bytes;
    if (back >= length) bytes.copyWithin(this.length, this.length - back, this.length - back + length);
    else for (let to = this.length; to < this.length + length; to += 1) bytes[to] = bytes[to - back] as number;
    this.length += length;
  }

  #reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.#bytesMax) throw new BadBatch(`the batch is larger than ${this.#bytesMax} bytes inside`);
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(needed, this.#bytes.length * 2)));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

/** Takes one frame apart; returns where it ends. */
function frame(input: Buffer, start: number, output: Output): number {
  if (input.readUInt32LE(start) !== MAGIC) throw new BadBatch("no LZ4 frame begins here");
  const flags = input.readUInt8(start + 4);
  const blockBytesMax = BLOCK_BYTES_MAX[(input.readUInt8(start + 5) >> 4) & 7] ?? 0;
  const isLinked = (flags & 0x20) === 0;
  const blockEnd = (flags & 0x10) === 0 ? 0 : 4;
  const contentSize = (flags & 0x08) === 0 ? 0 : 8;
  const dictionary = (flags & 0x01) === 0 ? 0 : 4;
  if (flags >> 6 !== 1 || blockBytesMax === 0 || dictionary > 0) throw new BadBatch("the LZ4 frame is of a kind that is not read");
  const frameFrom = output.length;
  let at = start + 7 + contentSize;
  for (;;) {
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) return at + ((flags & 0x04) === 0 ? 0 : 4);
    const length = word & 0x7fffffff;
    if (length > blockBytesMax || at + length > input.length) throw new BadBatch("an LZ4 block is longer than it may be");
    const block = input.subarray(at, at + length);
    if (word >= 0x80000000) output.append(block);
    else inflate(block, output, isLinked ? frameFrom : output.length);
    at += length + blockEnd;
  }
}

/** One block: literals, then a match, and so on; the last sequence is literals only. Matches reach back to `from` at most. */
function inflate(block: Buffer, output: Output, from: number): void {
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; length += byte) byte = block.readUInt8(at++);
    return length;
  };
  while (at < block.length) {
    const token = block.readUInt8(at++);
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length) throw new BadBatch("an LZ4 block is cut off");
    output.append(block.subarray(at, at + literals));
    at += literals;
    if (at === block.length) return;
    const back = block.readUInt16LE(at);
    at += 2;
    if (back === 0 || back > output.length - from) throw new BadBatch("an LZ4 block refers to what was never there");
    output.repeat(back, lengthFrom(token & 15) + SHORTEST_MATCH);
  }
}
