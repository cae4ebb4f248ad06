import { createHash } from "node:crypto";
import { type FaultCode, fault } from "../engine/fault.ts";
import type { Limits } from "../engine/limits.ts";
import type { SourceRecord } from "../engine/source.ts";
import type { FileBytes } from "./format.ts";

/** The limits that formats keep. */
export type FormatLimits = Pick<Limits, "recordBytesMax" | "quarantineHeadBytes" | "csvColumnsMax">;

/** What is kept of bytes that may be too many to keep: their beginning, and length and SHA-256 of all. */
export class Excerpt {
  readonly #headBytesMax: number;
  readonly #hash = createHash("sha256");
  #head: Buffer[] = [];
  #headBytes = 0;
  #length = 0;

  constructor(limits: Pick<Limits, "quarantineHeadBytes">) {
    this.#headBytesMax = limits.quarantineHeadBytes;
  }

  add(bytes: Uint8Array): void {
    const room = this.#headBytesMax - this.#headBytes;
    if (room > 0) {
      const part = Buffer.from(bytes.subarray(0, room)); // A copy: the rest of the memory can go.
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    this.#hash.update(bytes);
    this.#length += bytes.length;
  }

  /** The record that stands for these bytes in quarantine. To be called once, at their end. */
  record(at: number, arrivedAtMs: number, code: FaultCode, why: string): SourceRecord {
    const error = `${why} (${this.#length} bytes, SHA-256 ${this.#hash.digest("hex")})`;
    return { at, arrivedAtMs, bytes: Buffer.concat(this.#head), fault: fault(code, error) };
  }
}

const CHUNK_BYTES = 1_048_576;

/** Everything from `offset` to the end of the file, in an excerpt. */
export async function excerptOfRest(file: FileBytes, offset: number, limits: FormatLimits, signal: AbortSignal): Promise<Excerpt> {
  const excerpt = new Excerpt(limits);
  for (let at = offset; at < file.sizeBytes; ) {
    signal.throwIfAborted();
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, file.sizeBytes - at));
    await file.fill(chunk, at);
    excerpt.add(chunk);
    at += chunk.length;
  }
  return excerpt;
}
