import type { FileBytes } from "./format.ts";

/** Bytes taken at once. Records are parts of this memory, so that it lives as long as the batch they are in. */
const CHUNK_BYTES = 1_048_576;

/** A stretch of a file in memory, which moves towards the end of the file. */
export class Window {
  readonly #file: FileBytes;
  #bytes: Buffer = Buffer.alloc(0);
  #base: number;

  constructor(file: FileBytes, offset: number) {
    this.#file = file;
    this.#base = offset;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Offset in the file of the first byte in memory. */
  get base(): number {
    return this.#base;
  }

  /** True: the last byte in memory is the file's last. */
  get atEnd(): boolean {
    return this.#base + this.#bytes.length >= this.#file.sizeBytes;
  }

  /** Lets go of the bytes before index `keep` and reads on. What was handed out before stays as it is: the memory is new each time. */
  async advance(keep: number, atMost = CHUNK_BYTES): Promise<void> {
    const kept = this.#bytes.length - keep;
    const readTo = this.#base + this.#bytes.length;
    const next = Buffer.allocUnsafeSlow(kept + Math.min(atMost, this.#file.sizeBytes - readTo));
    this.#bytes.copy(next, 0, keep);
    await this.#file.fill(next.subarray(kept), readTo);
    this.#bytes = next;
    this.#base += keep;
  }
}
