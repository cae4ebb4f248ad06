import { promisify } from "node:util";
import { gunzip as zlibGunzip } from "node:zlib";
import { BadBatch } from "./bad_batch.ts";
import { lz4 } from "./lz4.ts";
import { snappy } from "./snappy.ts";
import { zstd } from "./zstd.ts";

/** However little came: no batch is larger inside. */
const BYTES_MAX = 67_108_864;
const RATIO_MAX = 200;

const gunzip = promisify(zlibGunzip);
const CODECS: Readonly<Record<number, (input: Buffer, bytesMax: number) => Uint8Array | Promise<Uint8Array>>> = {
  1: (input, maxOutputLength) => gunzip(input, { maxOutputLength }),
  2: snappy,
  3: lz4,
  4: zstd,
};

/**
 * Takes the records of a batch out of their compression; `codec` is the number in its attributes, 0 for none. The content is at most 64 MiB and
 * 200 times what came, and no more is allocated on its word. Throws `BadBatch`.
 */
export async function decompress(codec: number, input: Buffer): Promise<Buffer> {
  if (codec === 0) return input;
  const inflate = CODECS[codec];
  if (inflate === undefined) throw new BadBatch(`compression ${codec} is not known`);
  try {
    const output = await inflate(input, Math.min(BYTES_MAX, Math.max(1, input.length * RATIO_MAX)));
    return Buffer.from(output.buffer, output.byteOffset, output.byteLength);
  } catch (error) {
    if (error instanceof BadBatch) throw error;
    throw new BadBatch(`the records cannot be decompressed: ${error instanceof Error ? error.message : String(error)}`);
  }
}
