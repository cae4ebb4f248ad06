import { sound } from "./damage.ts";
import { ByteReader } from "./runs.ts";

/** Decompresses a block of LZ4 that holds exactly `length` bytes. Throws `Damage` for any other, and never writes or copies more than that. */
export function lz4Block(input: Uint8Array, length: number): Uint8Array {
  const reader = new ByteReader(input);
  const output = new Uint8Array(length);
  let at = 0;
  while (reader.left > 0) {
    const token = reader.byte();
    const literals = reader.part(lengthOf(reader, token >> 4, length)).bytes;
    sound(literals.length <= length - at, "a page is longer than it claims");
    output.set(literals, at);
    at += literals.length;
    if (reader.left === 0) break; // The last sequence has no match.
    const distance = reader.fixed(2);
    const match = lengthOf(reader, token & 15, length) + 4;
    sound(distance > 0 && distance <= at && match <= length - at, "a page repeats what it does not have");
    for (const end = at + match; at < end; at += 1) output[at] = output[at - distance] as number; // They may overlap.
  }
  sound(at === length, "a page is shorter than it claims");
  return output;
}

/** The older frame of Hadoop: blocks with both lengths in front. Some writers put a bare block under the same name. */
export function lz4Hadoop(input: Uint8Array, length: number): Uint8Array {
  return framed(input, length) ?? lz4Block(input, length);
}

function framed(input: Uint8Array, length: number): Uint8Array | null {
  const view = Buffer.from(input.buffer, input.byteOffset, input.length);
  const output = new Uint8Array(length);
  let filled = 0;
  let at = 0;
  while (at + 8 <= view.length) {
    const decoded = view.readUInt32BE(at);
    const stored = view.readUInt32BE(at + 4);
    if (decoded > length - filled || stored > view.length - at - 8) return null;
    output.set(lz4Block(view.subarray(at + 8, at + 8 + stored), decoded), filled);
    filled += decoded;
    at += 8 + stored;
  }
  return at === view.length && filled === length ? output : null;
}

/** A length of four bits, and more bytes if it is the highest. */
function lengthOf(reader: ByteReader, nibble: number, most: number): number {
  let length = nibble;
  for (let byte = nibble === 15 ? 255 : 0; byte === 255; ) {
    byte = reader.byte();
    length += byte;
    sound(length <= most, "a page is longer than it claims");
  }
  return length;
}
