import type { BlobClient } from "@azure/storage-blob";
import { minutes } from "../engine/duration.ts";
import { invariant } from "../engine/fault.ts";
import { type BlobContainer, isStatus } from "./blob_container.ts";
import { FileChanged } from "./format.ts";
import type { Identity, Known, LandedFile } from "./landing_place.ts";

/** What the properties of a blob say. */
export interface BlobFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  /** MD5 as hex; null if its writer left it out, or the blob may grow: it would be that of the beginning. */
  readonly md5: string | null;
  /** When it was made, if it is one to which can only be added. */
  readonly madeAtMs: number | null;
}

/** Where the archive is. */
export interface BlobArchive {
  readonly container: BlobContainer;
  /** Ends in a slash, or is empty. */
  readonly prefix: string;
}

export interface BlobFileOptions {
  readonly container: BlobContainer;
  readonly client: BlobClient;
  readonly facts: BlobFacts;
  readonly archive: BlobArchive | null;
  readonly signal: AbortSignal;
}

/** What is asked for at once, at least: formats read on in smaller steps. */
const AHEAD_BYTES = 4 * 1_048_576;

/** Within an account a copy is mostly done at once. */
const COPY_MS = minutes(10);

/** One content of a blob: each read tells the server its etag, and fails if it has another by now. */
export class BlobFile implements LandedFile {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly #options: BlobFileOptions;
  #ahead: { readonly at: number; readonly bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };

  constructor(options: BlobFileOptions) {
    const { sizeBytes, modifiedMs, etag } = options.facts;
    this.sizeBytes = sizeBytes;
    this.modifiedMs = modifiedMs;
    this.etag = etag;
    this.#options = options;
  }

  async fill(target: Uint8Array, at: number): Promise<void> {
    if (at + target.length > this.sizeBytes) throw new FileChanged();
    if (target.length === 0) return;
    if (target.length >= AHEAD_BYTES) return this.#download(Buffer.from(target.buffer, target.byteOffset, target.length), at);
    if (at < this.#ahead.at || at + target.length > this.#ahead.at + this.#ahead.bytes.length) {
      const bytes = Buffer.allocUnsafeSlow(Math.min(AHEAD_BYTES, this.sizeBytes - at));
      await this.#download(bytes, at);
      this.#ahead = { at, bytes };
    }
    target.set(this.#ahead.bytes.subarray(at - this.#ahead.at).subarray(0, target.length));
  }

  async identity(known: Known | undefined): Promise<Identity> {
    const { etag, madeAtMs, md5, sizeBytes } = this.#options.facts;
    const continues = madeAtMs !== null && known?.madeAtMs === madeAtMs && known.sizeBytes <= sizeBytes;
    return { contentId: md5 === null ? etag : `md5:${md5}`, continues, madeAtMs };
  }

  async mustBeSame(): Promise<void> {} // Every read has made sure.

  async archive(target: string, _contentId: string, signal: AbortSignal): Promise<boolean> {
    const { archive } = this.#options;
    invariant(archive !== null, "who archives has an archive");
    const name = archive.prefix + target;
    const isCopied =
      (await this.#copy(archive, name, { ifNoneMatch: "*" }, signal)) || (await this.#copy(archive, `${name}.${this.etag}`, {}, signal));
    return isCopied && this.remove(signal);
  }

  async remove(signal: AbortSignal): Promise<boolean> {
    const { client, container } = this.#options;
    try {
      await container.request(signal, (abortSignal) =>
        client.delete({ abortSignal, conditions: this.#same(), deleteSnapshots: "include" }),
      );
      return true;
    } catch (error) {
      if (isStatus(error, 404, 409, 412)) return false;
      throw error;
    }
  }

  async close(): Promise<void> {}

  #same(): { readonly ifMatch: string } {
    return { ifMatch: `"${this.etag}"` };
  }

  async #download(target: Buffer, at: number): Promise<void> {
    const { client, container, signal } = this.#options;
    const options = { conditions: this.#same(), concurrency: 1, blockSize: AHEAD_BYTES, maxRetryRequestsPerBlock: 0 };
    try {
      await container.request(signal, (abortSignal) => client.downloadToBuffer(target, at, target.length, { ...options, abortSignal }));
    } catch (error) {
      if (isStatus(error, 404, 409, 412, 416)) throw new FileChanged();
      throw error;
    }
  }

  /** On the server, and only if it is the same content. False: it is another one by now, or a condition does not hold. */
  async #copy({ container }: BlobArchive, name: string, unless: { readonly ifNoneMatch?: string }, signal: AbortSignal): Promise<boolean> {
    const { client } = this.#options;
    const target = container.client.getBlobClient(name);
    const conditions = { conditions: unless, sourceConditions: this.#same() };
    try {
      const copied = await container.request(
        signal,
        async (abortSignal) => {
          const copying = await target.beginCopyFromURL(client.url, { ...conditions, abortSignal });
          return copying.pollUntilDone();
        },
        COPY_MS,
      );
      return copied.copyStatus === "success";
    } catch (error) {
      if (isStatus(error, 404, 409, 412)) return false;
      throw error;
    }
  }
}
