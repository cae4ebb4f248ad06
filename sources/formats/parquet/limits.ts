/** What a file may ask for before it is refused. Bytes, except where the name says otherwise. */
export const PARQUET_LIMITS = {
  fileMax: 4 * 2 ** 30,
  footerMax: 16 * 2 ** 20,
  pageMax: 16 * 2 ** 20,
  rowGroupMax: 256 * 2 ** 20,
  rowGroupsMax: 10_000,
  /** What values of a column may take as objects: a whole number of 8 bytes takes four times that. */
  heapMax: 2 ** 30,
  /** Decoded to stored size of a page, beyond `freePage`. */
  ratioMax: 200,
  freePage: 2 ** 20,
} as const;
