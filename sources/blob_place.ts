import { environmentCredential } from "./azure_credential.ts";
import type { BlobPlaceOptions } from "./blob_address.ts";
import type { BlobFolder } from "./blob_folder.ts";
import type { LandingPlace } from "./landing_place.ts";

/**
 * Blobs of an Azure container. A blob shows when it is complete, so nothing settles; each change gives it a new etag, which is its identity together
 * with path and size. Append blobs grow. There are no hints. Blobs in the archive tier, and marks of folders, are not seen.
 */
export function blobPlace(options: BlobPlaceOptions): LandingPlace {
  let loading: Promise<BlobFolder> | null = null;
  const blobs = (): Promise<BlobFolder> => {
    loading ??= load(options);
    return loading;
  };
  return {
    settles: false,
    origin: ({ contentId, etag }) => `blob:${etag ?? contentId}/`,
    list: async (globs, signal) => (await blobs()).list(globs, signal),
    open: async (path, signal) => (await blobs()).open(path, signal),
    watch: () => async () => {},
  };
}

/** The library takes half a second to load. */
async function load(options: BlobPlaceOptions): Promise<BlobFolder> {
  const { BlobFolder } = await import("./blob_folder.ts");
  const isSigned = options.address.sas !== null && options.archive?.address.sas !== null;
  return new BlobFolder(options, isSigned ? null : await environmentCredential());
}
