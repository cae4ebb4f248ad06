import { crc32 } from "node:zlib";
import { DamagedStore } from "./damaged_store.ts";

/** What goes before a value's body where it is stored: CRC-32 of format and body, begun from the hash of the key (u32, little-endian); the format. */
export const SEAL_BYTES = 5;

const FORMAT = 1;
const FORMAT_AT = 4;

/**
 * Seals the value whose body was written into `bytes` from `start + SEAL_BYTES` to `end`. The hash of the key goes into the sum: a value that is
 * found under another key is damage, too.
 */
export function seal(bytes: Buffer, start: number, end: number, keyHash: number): void {
  bytes[start + FORMAT_AT] = FORMAT;
  bytes.writeUInt32LE(crc32(bytes.subarray(start + FORMAT_AT, end), keyHash), start);
}

/** A sealed value in memory of its own. */
export function sealed(body: Uint8Array, key: Uint8Array): Buffer {
  const value = Buffer.allocUnsafe(SEAL_BYTES + body.length);
  value.set(body, SEAL_BYTES);
  seal(value, 0, value.length, hashBytes(key, 0, key.length));
  return value;
}

/** The body of a sealed value, in the same memory. Throws `DamagedStore` if it is not what was sealed under this key. */
export function unseal(value: Buffer, key: Uint8Array): Buffer {
  const keyHash = hashBytes(key, 0, key.length);
  const isIntact = value.length >= SEAL_BYTES && value.readUInt32LE(0) === crc32(value.subarray(FORMAT_AT), keyHash);
  if (!isIntact) throw new DamagedStore(`the value of ${textOf(key)} fails its checksum`);
  if (value[FORMAT_AT] !== FORMAT) throw new DamagedStore(`the value of ${textOf(key)} has the unknown format ${value[FORMAT_AT]}`);
  return value.subarray(SEAL_BYTES);
}

/** FNV-1a, 32 bits: two keys that differ in one byte never have the same. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return hash >>> 0;
}

function textOf(key: Uint8Array): string {
  return JSON.stringify(Buffer.from(key).toString());
}
