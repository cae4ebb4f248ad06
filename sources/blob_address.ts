/** Where a container is, and what opens it. */
export interface ContainerAddress {
  /** URL of the account, such as `https://account.blob.core.windows.net`. */
  readonly endpoint: string;
  readonly container: string;
  /** Shared access signature, with or without its question mark; null: the credential of the environment. */
  readonly sas: string | null;
}

/** A part of a container: what begins with the prefix, as with the path of a folder. */
export interface BlobFolderAddress {
  readonly address: ContainerAddress;
  /** Empty: the whole container. */
  readonly prefix: string;
}

export interface BlobPlaceOptions extends BlobFolderAddress {
  /** Null if nothing is archived. In the same account, or the server could not copy. */
  readonly archive: BlobFolderAddress | null;
  /** Blobs of one answer to a listing. Default: as many as the service gives, which is 5,000. */
  readonly pageSize?: number;
}
