import { hashBytes, SEAL_BYTES, seal } from "./codec.ts";
import { blockEnd, bodyStart, checkBlock, Draft } from "./segment_file.ts";

// The journal holds whole images of parts, as records: length of the id (u16), of the hot and of the warm image, each one more than it is, 0
// for none (u32), id, images. Before each image there is room for the seal it gets when it is folded, so that folding copies nothing.

const ID_BYTES_AT = 0;
const HOT_BYTES_AT = 2;
const WARM_BYTES_AT = 6;
const HEAD_BYTES = 10;

/** Changed actors, as they are appended to the journal. */
export class PartsDraft extends Draft {
  #actors = 0;

  /** How many have been added. */
  get actors(): number {
    return this.#actors;
  }

  /** Adds an actor, its id as bytes: whole images of the parts that changed, null for a part that did not; nothing if none of them did. */
  add(id: Uint8Array, hot: Uint8Array | null, warm: Uint8Array | null): void {
    if (hot === null && warm === null) return;
    const hotBytes = hot === null ? 0 : SEAL_BYTES + hot.length;
    const warmBytes = warm === null ? 0 : SEAL_BYTES + warm.length;
    const at = this.beginRecord();
    this.reserve(HEAD_BYTES + id.length + hotBytes + warmBytes);
    const bytes = this.chunk;
    bytes.set(id, at + HEAD_BYTES);
    writeU16(bytes, id.length, at + ID_BYTES_AT);
    writeU32(bytes, hot === null ? 0 : hot.length + 1, at + HOT_BYTES_AT);
    writeU32(bytes, warm === null ? 0 : warm.length + 1, at + WARM_BYTES_AT);
    const hotAt = at + HEAD_BYTES + id.length;
    if (hot !== null) bytes.set(hot, hotAt + SEAL_BYTES);
    if (warm !== null) bytes.set(warm, hotAt + hotBytes + SEAL_BYTES);
    this.at = hotAt + hotBytes + warmBytes;
    this.#actors += 1;
  }

  override clear(): void {
    super.clear();
    this.#actors = 0;
  }
}

/** The last image of every part in a journal: plain numbers, so that a thread can hand it over. Actors are numbered in id order. */
export interface Images {
  readonly journal: Buffer;
  /** For each actor the place of a record of it. */
  readonly ids: Uint32Array;
  /** The place of the last record with a hot image; `NONE` if there is none. */
  readonly hots: Uint32Array;
  readonly warms: Uint32Array;
}

const NONE = 0xffffffff;

/** Reads a journal whole: the last image wins. Throws `DamagedStore` at the first block that is not what was written. */
export function lastImages(journal: Buffer): Images {
  return inOrder(collect(journal));
}

/** The same, with the seal of each image written into the room that was left for it. */
export function sealedImages(journal: Buffer): Images {
  const images = collect(journal);
  sealAll(images); // Before they are in order: half the time, since memory is walked through from front to back.
  return inOrder(images);
}

/** The id of the n-th actor, as bytes. All bytes given out here are views of the journal. */
export function idAt({ journal, ids }: Images, n: number): Buffer {
  const at = ids[n] as number;
  return journal.subarray(at + HEAD_BYTES, hotStart(journal, at));
}

/** The hot image of the n-th actor, with its seal or the room for it in front; null: the journal has none. */
export function hotAt({ journal, hots }: Images, n: number): Buffer | null {
  const at = hots[n] as number;
  return at === NONE ? null : journal.subarray(hotStart(journal, at), warmStart(journal, at));
}

export function warmAt({ journal, warms }: Images, n: number): Buffer | null {
  const at = warms[n] as number;
  return at === NONE ? null : journal.subarray(warmStart(journal, at), recordEnd(journal, at));
}

/** The number of an actor; -1: it is not in the journal. */
export function findId(images: Images, id: Uint8Array): number {
  let low = 0;
  let high = images.ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const difference = Buffer.compare(idAt(images, middle), id);
    if (difference === 0) return middle;
    if (difference < 0) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** Checks every block on the way. */
function countRecords(journal: Buffer): number {
  let records = 0;
  for (let block = 0; block < journal.length; ) {
    const end = checkBlock(journal, block, "the journal");
    for (let at = bodyStart(block); at < end; at = recordEnd(journal, at)) records += 1;
    block = end;
  }
  return records;
}

/** In the order of their first records. A hash table of numbers: of half a million actors, a Map of texts takes twice the time, eight times the memory. */
function collect(journal: Buffer): Images {
  const records = countRecords(journal);
  const mask = 2 ** Math.ceil(Math.log2(records * 2 + 2)) - 1;
  const table = new Uint32Array(mask + 1).fill(NONE);
  const ids = new Uint32Array(records);
  const hots = new Uint32Array(records).fill(NONE);
  const warms = new Uint32Array(records).fill(NONE);
  let size = 0;
  for (let block = 0; block < journal.length; ) {
    const end = blockEnd(journal, block);
    for (let at = bodyStart(block); at < end; at = recordEnd(journal, at)) {
      let place = hashOfId(journal, at) & mask;
      while (table[place] !== NONE && !isSameId(journal, at, ids[table[place] as number] as number)) place = (place + 1) & mask;
      if (table[place] === NONE) {
        ids[size] = at;
        table[place] = size;
        size += 1;
      }
      const n = table[place] as number;
      if (readU32(journal, at + HOT_BYTES_AT) !== 0) hots[n] = at;
      if (readU32(journal, at + WARM_BYTES_AT) !== 0) warms[n] = at;
    }
    block = end;
  }
  return { journal, ids: ids.slice(0, size), hots: hots.slice(0, size), warms: warms.slice(0, size) };
}

function inOrder({ journal, ids, hots, warms }: Images): Images {
  const order = orderOfIds(journal, ids);
  const ordered = (places: Uint32Array): Uint32Array => order.map((n) => places[n] as number);
  return { journal, ids: ordered(ids), hots: ordered(hots), warms: ordered(warms) };
}

function sealAll({ journal, ids, hots, warms }: Images): void {
  for (let n = 0; n < ids.length; n += 1) {
    const hash = hashOfId(journal, ids[n] as number);
    const hot = hots[n] as number;
    const warm = warms[n] as number;
    if (hot !== NONE) seal(journal, hotStart(journal, hot), warmStart(journal, hot), hash);
    if (warm !== NONE) seal(journal, warmStart(journal, warm), recordEnd(journal, warm), hash);
  }
}

function hashOfId(journal: Buffer, at: number): number {
  return hashBytes(journal, at + HEAD_BYTES, hotStart(journal, at));
}

function isSameId(journal: Buffer, a: number, b: number): boolean {
  const end = HEAD_BYTES + readU16(journal, a);
  if (end !== HEAD_BYTES + readU16(journal, b)) return false;
  for (let n = HEAD_BYTES; n < end; n += 1) if (journal[a + n] !== journal[b + n]) return false;
  return true;
}

/** Numbers of the records in the order of their ids: a three-way radix quicksort, since ids share long beginnings. */
function orderOfIds(journal: Buffer, records: Uint32Array): Uint32Array {
  const order = Uint32Array.from(records.keys());
  const byteAt = (n: number, depth: number): number => {
    const at = records[order[n] as number] as number;
    return depth < readU16(journal, at) ? (journal[at + HEAD_BYTES + depth] as number) : -1;
  };
  const swap = (a: number, b: number): void => {
    const kept = order[a] as number;
    order[a] = order[b] as number;
    order[b] = kept;
  };
  const sort = (from: number, to: number, sharedBytes: number): void => {
    let low = from;
    let high = to;
    for (let depth = sharedBytes; high - low > 1; depth += 1) {
      const pivot = median(byteAt(low, depth), byteAt((low + high) >> 1, depth), byteAt(high - 1, depth));
      let below = low;
      let above = high;
      for (let n = low; n < above; ) {
        const byte = byteAt(n, depth);
        if (byte < pivot) swap(below++, n++);
        else if (byte > pivot) swap(n, --above);
        else n += 1;
      }
      sort(low, below, depth);
      sort(above, high, depth);
      if (pivot < 0) return; // Ids that end here are one id.
      low = below;
      high = above;
    }
  };
  sort(0, order.length, 0);
  return order;
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function hotStart(journal: Buffer, at: number): number {
  return at + HEAD_BYTES + readU16(journal, at);
}

function warmStart(journal: Buffer, at: number): number {
  return hotStart(journal, at) + sealedBytes(readU32(journal, at + HOT_BYTES_AT));
}

function recordEnd(journal: Buffer, at: number): number {
  return warmStart(journal, at) + sealedBytes(readU32(journal, at + WARM_BYTES_AT));
}

/** Bytes of an image and its seal, from its length as it is recorded. */
function sealedBytes(recorded: number): number {
  return recorded === 0 ? 0 : SEAL_BYTES + recorded - 1;
}

function writeU16(bytes: Buffer, value: number, at: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

function writeU32(bytes: Buffer, value: number, at: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function readU16(bytes: Buffer, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function readU32(bytes: Buffer, at: number): number {
  return (readU16(bytes, at) | (readU16(bytes, at + 2) << 16)) >>> 0;
}
