import { snappyUncompressor } from "hysnappy";
import { BadBatch } from "./bad_batch.ts";

/** How Java's library begins a stream of blocks: this, two versions, then blocks with their length before them. */
const FRAMED = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const FRAMED_HEAD = 16;
/** One instance of the kernel for all: each keeps memory of its own, which grows and does not shrink. */
const uncompress = snappyUncompressor();

/** The content of a Snappy block or of a framed stream of them, of at most `bytesMax` bytes. */
export function snappy(input: Buffer, bytesMax: number): Uint8Array {
  const isFramed = input.length >= FRAMED_HEAD && input.subarray(0, FRAMED.length).equals(FRAMED);
  const blocks = isFramed ? [...framed(input)] : [input];
  const lengths = blocks.map(declaredLength);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total > bytesMax) throw new BadBatch(`the batch is larger than ${bytesMax} bytes inside`);
  const parts = blocks.map((block, n) => (lengths[n] === 0 ? new Uint8Array(0) : uncompress(block, lengths[n] as number)));
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, total);
}

function* framed(input: Buffer): Generator<Buffer> {
  for (let at = FRAMED_HEAD; at < input.length; ) {
    const from = at + 4;
    const end = from > input.length ? from : from + input.readUInt32BE(at);
    if (end > input.length) throw new BadBatch("a Snappy stream is cut off");
    yield input.subarray(from, end);
    at = end;
  }
}

/** What a block says that it is inside: a varint before it. */
function declaredLength(block: Buffer): number {
  let length = 0;
  for (let n = 0; n < 5; n += 1) {
    const byte = block[n];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * n);
    if (byte < 0x80) return length;
  }
  throw new BadBatch("a Snappy block does not say how long it is");
}
