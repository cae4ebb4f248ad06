import type { CellValue } from "./emission.ts";

/** Two 32-bit lanes of a hash of text or values: fast and stable, not for secrets. Read at once; the next call overwrites them. */
export const lanes = { high: 0, low: 0 };

const scratch = new DataView(new ArrayBuffer(8));

/** Sets `lanes` to a 64-bit hash of a text (murmur-style mixing of UTF-16 units in two independent lanes). */
export function hashText(text: string): void {
  let high = 0x9e3779b9 ^ text.length;
  let low = 0x85ebca6b ^ text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x5bd1e995);
    high ^= high >>> 15;
    low = Math.imul(low ^ unit, 0x01000193);
    low ^= low >>> 13;
  }
  lanes.high = finish(high);
  lanes.low = finish(low ^ high);
}

/** 32-bit hash of the values of a row in the order of `names`, the one called `skip` left out. */
export function hashRow(row: Readonly<Record<string, CellValue>>, names: readonly string[], skip: string): number {
  let hash = 0x165667b1;
  for (const name of names) {
    if (name === skip) continue;
    const value = row[name];
    if (typeof value === "string") {
      for (let i = 0; i < value.length; i += 1) hash = Math.imul(hash ^ value.charCodeAt(i), 0x01000193);
      hash ^= hash >>> 15;
    } else if (typeof value === "number") {
      scratch.setFloat64(0, value);
      hash = Math.imul(hash ^ scratch.getInt32(0), 0x5bd1e995);
      hash = Math.imul(hash ^ (hash >>> 13) ^ scratch.getInt32(4), 0x5bd1e995);
    }
    hash = Math.imul(hash ^ (value === null || value === undefined ? 0x7f : value === true ? 0x81 : 0x80), 0x27d4eb2f);
  }
  return finish(hash);
}

function finish(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
