import type { BlobItem } from "@azure/storage-blob";
import { BlobContainer, type ContainerAddress, isStatus } from "./blob_container.ts";
import { type BlobArchive, type BlobFacts, BlobFile } from "./blob_file.ts";
import type { Glob } from "./glob.ts";
import { isBeingWritten, isHidden, type LandedFile, type LandingPlace, type Seen } from "./landing_place.ts";

/** A part of a container: what begins with the prefix, as with the path of a folder. */
export interface BlobFolder {
  readonly address: ContainerAddress;
  /** Empty: the whole container. */
  readonly prefix: string;
}

export interface BlobPlaceOptions extends BlobFolder {
  /** Null if nothing is archived. In the same account, or the server could not copy. */
  readonly archive: BlobFolder | null;
  /** Blobs of one answer to a listing. Default: as many as the service gives, which is 5,000. */
  readonly pageSize?: number;
}

/**
 * Blobs of an Azure container. A blob shows when it is complete, so nothing settles; each change gives it a new etag, which is its identity together
 * with path and size. Append blobs grow. There are no hints. Blobs in the archive tier, and marks of folders, are not seen.
 */
export function blobPlace({ address, prefix, archive, pageSize = 5_000 }: BlobPlaceOptions): LandingPlace {
  const container = new BlobContainer(address);
  const root = folderPrefix(prefix);
  const moved: BlobArchive | null =
    archive === null ? null : { container: new BlobContainer(archive.address), prefix: folderPrefix(archive.prefix) };
  return {
    settles: false,
    origin: ({ contentId, etag }) => `blob:${etag ?? contentId}/`,
    list: (globs, signal) => listed({ container, root, pageSize }, globs, signal),
    open: (path, signal) => opened(container, root + path, moved, signal),
    watch: () => async () => {},
  };
}

function folderPrefix(prefix: string): string {
  return prefix === "" ? "" : `${prefix.replace(/\/$/, "")}/`;
}

interface Listing {
  readonly container: BlobContainer;
  readonly root: string;
  readonly pageSize: number;
}

async function listed({ container, root, pageSize }: Listing, globs: readonly Glob[], signal: AbortSignal): Promise<readonly Seen[]> {
  const seen: Seen[] = [];
  let continuationToken: string | undefined;
  do {
    const page = await container.request(signal, async (abortSignal) => {
      const pages = container.client.listBlobsFlat({ prefix: root, includeMetadata: true, abortSignal });
      const settings = { maxPageSize: pageSize, ...(continuationToken === undefined ? {} : { continuationToken }) };
      return (await pages.byPage(settings).next()).value;
    });
    for (const item of page?.segment.blobItems ?? []) {
      const path = item.name.slice(root.length);
      if (isMeant(path, item) && globs.some((one) => one.matches(path))) seen.push({ path, ...seenOf(item) });
    }
    continuationToken = page?.continuationToken || undefined;
  } while (continuationToken !== undefined);
  return seen;
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

async function opened(
  container: BlobContainer,
  name: string,
  archive: BlobArchive | null,
  signal: AbortSignal,
): Promise<LandedFile | null> {
  const client = container.client.getBlobClient(name);
  try {
    const properties = await container.request(signal, (abortSignal) => client.getProperties({ abortSignal }));
    return new BlobFile({ container, client, facts: factsOf(properties), archive, signal });
  } catch (error) {
    if (isStatus(error, 404)) return null;
    throw error;
  }
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
