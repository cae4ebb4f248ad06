import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { Compressors } from "hyparquet";
import { compressors, decompressZstd } from "hyparquet-compressors";
import { sound } from "./damage.ts";

type Codec = (input: Uint8Array, outputLength: number) => Uint8Array;

/** Decompressors that never make more than the page header says, which was checked before. Those of Node are bounded by themselves. */
export const CODECS: Compressors = {
  GZIP: (input, maxOutputLength) => gunzipSync(input, { maxOutputLength: Math.max(1, maxOutputLength) }),
  BROTLI: (input, maxOutputLength) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, maxOutputLength) }),
  ZSTD: (input, outputLength) => decompressZstd(input, new Uint8Array(outputLength)), // Without an output it would trust the frame.
  SNAPPY: (input, outputLength) => {
    sound(snappyLength(input) === outputLength, "a page says two different lengths");
    return present(compressors.SNAPPY)(input, outputLength);
  },
  LZ4: present(compressors.LZ4),
  LZ4_RAW: present(compressors.LZ4_RAW),
};

function present(codec: Codec | undefined): Codec {
  sound(codec !== undefined, "a codec is missing");
  return codec;
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
