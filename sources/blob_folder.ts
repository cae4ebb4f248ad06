import type { BlobItem } from "@azure/storage-blob";
import type { Credential } from "./azure_credential.ts";
import type { BlobPlaceOptions } from "./blob_address.ts";
import { BlobContainer, isStatus } from "./blob_container.ts";
import { type BlobArchive, type BlobFacts, BlobFile } from "./blob_file.ts";
import type { Glob } from "./glob.ts";
import { isBeingWritten, isHidden, type LandedFile, type Seen } from "./landing_place.ts";

/** What a blob place asks of its container. */
export class BlobFolder {
  readonly #container: BlobContainer;
  /** Ends in a slash, or is empty. */
  readonly #root: string;
  readonly #archive: BlobArchive | null;
  readonly #pageSize: number;

  /** `credential`: for addresses without a signature. */
  constructor({ address, prefix, archive, pageSize = 5_000 }: BlobPlaceOptions, credential: Credential | null) {
    this.#container = new BlobContainer(address, credential);
    this.#root = folderPrefix(prefix);
    this.#archive =
      archive === null ? null : { container: new BlobContainer(archive.address, credential), prefix: folderPrefix(archive.prefix) };
    this.#pageSize = pageSize;
  }

  async list(globs: readonly Glob[], signal: AbortSignal): Promise<readonly Seen[]> {
    const seen: Seen[] = [];
    let continuationToken: string | undefined;
    do {
      const page = await this.#page(continuationToken, signal);
      for (const item of page?.segment.blobItems ?? []) {
        const path = item.name.slice(this.#root.length);
        if (isMeant(path, item) && globs.some((one) => one.matches(path))) seen.push({ path, ...seenOf(item) });
      }
      continuationToken = page?.continuationToken || undefined;
    } while (continuationToken !== undefined);
    return seen;
  }

  async open(path: string, signal: AbortSignal): Promise<LandedFile | null> {
    const container = this.#container;
    const client = container.client.getBlobClient(this.#root + path);
    try {
      const properties = await container.request(signal, (abortSignal) => client.getProperties({ abortSignal }));
      return new BlobFile({ container, client, facts: factsOf(properties), archive: this.#archive, signal });
    } catch (error) {
      if (isStatus(error, 404)) return null;
      throw error;
    }
  }

  #page(continuationToken: string | undefined, signal: AbortSignal) {
    const settings = { maxPageSize: this.#pageSize, ...(continuationToken === undefined ? {} : { continuationToken }) };
    return this.#container.request(signal, async (abortSignal) => {
      const pages = this.#container.client.listBlobsFlat({ prefix: this.#root, includeMetadata: true, abortSignal });
      return (await pages.byPage(settings).next()).value;
    });
  }
}

function folderPrefix(prefix: string): string {
  return prefix === "" ? "" : `${prefix.replace(/\/$/, "")}/`;
}

function isMeant(path: string, { metadata, properties }: BlobItem): boolean {
  const isFolder = path === "" || path.endsWith("/") || metadata?.["hdi_isfolder"] === "true";
  const isReadable = properties.accessTier !== "Archive";
  return !isFolder && isReadable && !path.split("/").some(isHidden) && !isBeingWritten(path);
}

function seenOf({ properties }: BlobItem): Omit<Seen, "path"> {
  const { contentLength = 0, etag, lastModified } = properties;
  return { sizeBytes: contentLength, modifiedMs: lastModified.getTime(), etag: unquoted(etag) };
}

/** What we read of a blob's properties. */
interface Properties {
  readonly contentLength?: number;
  readonly lastModified?: Date;
  readonly createdOn?: Date;
  readonly etag?: string;
  readonly contentMD5?: Uint8Array;
  readonly blobType?: string;
}

function factsOf({ contentLength = 0, lastModified, createdOn, etag = "", contentMD5, blobType }: Properties): BlobFacts {
  const grows = blobType === "AppendBlob" && createdOn !== undefined;
  return {
    sizeBytes: contentLength,
    modifiedMs: lastModified?.getTime() ?? 0,
    etag: unquoted(etag),
    md5: grows || contentMD5 === undefined ? null : Buffer.from(contentMD5).toString("hex"),
    madeAtMs: grows ? createdOn.getTime() : null,
  };
}

/** Headers have quotes around it, listings have none. */
function unquoted(etag: string): string {
  return etag.replaceAll('"', "");
}
