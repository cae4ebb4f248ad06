import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { sound } from "./damage.ts";
import { lz4Block, lz4Hadoop } from "./lz4.ts";
import { ByteReader } from "./runs.ts";

type Codec = (input: Uint8Array, outputLength: number) => Uint8Array;

/** Decompressors that never make more than the page header says, which was checked before. Those of Node are bounded by themselves. */
export const CODECS: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength: Math.max(1, maxOutputLength) }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, maxOutputLength) }),
  ZSTD: (input, outputLength) => {
    sound((zstandardLength(input) ?? outputLength) === outputLength, "a page says two different lengths");
    return decompressZstd(input, new Uint8Array(outputLength)); // Without an output it would trust the frame.
  },
  SNAPPY: (input, outputLength) => {
    sound(snappyLength(input) === outputLength, "a page says two different lengths");
    return present(compressors.SNAPPY)(input, outputLength);
  },
  LZ4: lz4Hadoop,
  LZ4_RAW: lz4Block,
};

function present(codec: Codec | undefined): Codec {
  sound(codec !== undefined, "a codec is missing");
  return codec;
}

/** The length in the header of a frame (RFC 8878, 3.1.1); null: its writer did not know it. */
function zstandardLength(input: Uint8Array): number | null {
  const reader = new ByteReader(input, 4);
  const head = reader.byte();
  const isSingle = (head & 0x20) !== 0;
  reader.part((isSingle ? 0 : 1) + ([0, 1, 2, 4][head & 3] ?? 0));
  const size = head >> 6;
  if (size === 0 && !isSingle) return null;
  return reader.fixed(size === 0 ? 1 : 1 << size) + (size === 1 ? 256 : 0);
}

/** The length that stands before the data. */
function snappyLength(input: Uint8Array): number {
  let length = 0;
  for (let n = 0, factor = 1; n < 5; n += 1, factor *= 128) {
    const byte = input[n] ?? 0;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return length;
}
