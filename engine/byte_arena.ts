import { grown } from "./grown.ts";

const CHUNK_BYTES = 1 << 20;
const LENGTH_BYTES = 4;
const NONE = 0;
const ASCII_MAX = 0x7f;

/**
 * One value of bytes for each of many numbers, in a few large chunks: a view for each takes a hundred bytes more, and keeps a
 * part of Node's buffer pool. A value that is replaced stays where it is until `compact`, so that it can be put back.
 */
export class ByteArena {
  #places = new Uint32Array(0);
  #chunks: Buffer[] = [];
  /** Where the next value goes in the last chunk. */
  #at = CHUNK_BYTES;
  #usedBytes = 0;
  #liveBytes = 0;

  /** Where the value of `n` is; 0: it has none. */
  place(n: number): number {
    return this.#places[n] ?? NONE;
  }

  get(n: number): Buffer | null {
    const place = this.place(n);
    return place === NONE ? null : this.#valueAt(place);
  }

  set(n: number, bytes: Uint8Array): void {
    this.#places = grown(this.#places, n + 1);
    const before = this.place(n);
    this.#places[n] = this.#append(bytes);
    this.#liveBytes += bytes.length - (before === NONE ? 0 : this.#lengthAt(before));
  }

  /** Puts the value back that was at a place since the last `compact`. */
  putBack(n: number, place: number): void {
    const now = this.place(n);
    if (now === place) return;
    this.#places[n] = place;
    this.#liveBytes += (place === NONE ? 0 : this.#lengthAt(place)) - (now === NONE ? 0 : this.#lengthAt(now));
  }

  /** Whether the value is this text in UTF-8; an empty text is none. */
  isText(n: number, text: string): boolean {
    const place = this.place(n);
    const bytes = place === NONE ? 0 : this.#lengthAt(place);
    if (bytes < text.length || bytes === 0) return false;
    const chunk = this.#chunkOf(place);
    const start = startIn(place);
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit > ASCII_MAX) return chunk.toString("utf8", start, start + bytes) === text;
      if (unit !== chunk[start + at]) return false;
    }
    return bytes === text.length;
  }

  isEqual(n: number, bytes: Uint8Array): boolean {
    const place = this.place(n);
    if (place === NONE || this.#lengthAt(place) !== bytes.length) return false;
    const start = startIn(place);
    return this.#chunkOf(place).compare(bytes, 0, bytes.length, start, start + bytes.length) === 0;
  }

  /** Lets go of replaced values once they are more than the others. Views and places from before are void. */
  compact(): void {
    if (this.#usedBytes - this.#liveBytes <= this.#liveBytes + CHUNK_BYTES) return;
    const old = this.#chunks;
    this.#chunks = [];
    this.#at = CHUNK_BYTES;
    this.#usedBytes = 0;
    for (let n = 0; n < this.#places.length; n += 1) {
      const place = this.#places[n] as number;
      if (place !== NONE) this.#places[n] = this.#append(valueIn(old, place));
    }
  }

  #append(bytes: Uint8Array): number {
    const needed = LENGTH_BYTES + bytes.length;
    if (this.#at + needed > CHUNK_BYTES) {
      this.#chunks.push(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, needed)));
      this.#at = 0;
    }
    const chunk = this.#chunks.at(-1) as Buffer;
    chunk.writeUInt32LE(bytes.length, this.#at);
    chunk.set(bytes, this.#at + LENGTH_BYTES);
    // Counted in units of four bytes, so that 32 bits reach 16 GiB; one more than it is, since 0 is no place.
    const place = ((this.#chunks.length - 1) * CHUNK_BYTES + this.#at) / 4 + 1;
    this.#at = Math.ceil((this.#at + needed) / 4) * 4;
    this.#usedBytes += bytes.length;
    return place;
  }

  #chunkOf(place: number): Buffer {
    return chunkIn(this.#chunks, place);
  }

  #valueAt(place: number): Buffer {
    return valueIn(this.#chunks, place);
  }

  #lengthAt(place: number): number {
    return this.#chunkOf(place).readUInt32LE(startIn(place) - LENGTH_BYTES);
  }
}

function chunkIn(chunks: readonly Buffer[], place: number): Buffer {
  return chunks[Math.floor(((place - 1) * 4) / CHUNK_BYTES)] as Buffer;
}

function startIn(place: number): number {
  return (((place - 1) * 4) % CHUNK_BYTES) + LENGTH_BYTES;
}

function valueIn(chunks: readonly Buffer[], place: number): Buffer {
  const chunk = chunkIn(chunks, place);
  const start = startIn(place);
  return chunk.subarray(start, start + chunk.readUInt32LE(start - LENGTH_BYTES));
}
