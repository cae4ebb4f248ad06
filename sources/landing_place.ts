import type { FileBytes } from "./format.ts";
import type { Glob } from "./glob.ts";

/** A file as a listing shows it. */
export interface Seen {
  /** Relative to the place, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The place's own mark of the content, another one for every change; null where there is none. */
  readonly etag: string | null;
}

/** What a content is known by. */
export interface Identity {
  /** The same for the same content: SHA-256 of a file, MD5 of a blob. A blob without MD5 has its etag, which no other one has. */
  readonly contentId: string;
  /** True: it begins with all of the content that was asked about. */
  readonly continues: boolean;
  /** When a blob was made to which can only be added; null for all others. */
  readonly madeAtMs: number | null;
}

/** What is remembered of a file, to tell it again. */
export interface Known extends Seen, Omit<Identity, "continues"> {}

/** An open file, cut off at the size it had when it was opened. Close it. */
export interface LandedFile extends FileBytes, Omit<Seen, "path"> {
  /** Ends with the signal's reason if it fires. Throws `FileChanged`, `Unavailable`. */
  identity(known: Known | undefined, signal: AbortSignal): Promise<Identity>;
  /** Throws `FileChanged` if the bytes up to `sizeBytes` may have changed since it was opened. A file that has become longer has only grown. */
  mustBeSame(): Promise<void>;
  /** Moves it to `target` in the archive, or to a name beside if there is another content. False: it is no longer what was opened, and stays. */
  archive(target: string, contentId: string, signal: AbortSignal): Promise<boolean>;
  /** False: it is no longer what was opened, and stays. */
  remove(signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}

/** Where files land: a folder, or a container of blobs. All of it throws `Unavailable` if the place cannot be reached. */
export interface LandingPlace {
  /** False: what it shows is complete, so that nothing has to come to rest first. */
  readonly settles: boolean;
  /** Provenance before the record's number. */
  origin(known: Known): string;
  /** The files that a glob means, in no order. Passes over hidden names and those of files being written. */
  list(globs: readonly Glob[], signal: AbortSignal): Promise<readonly Seen[]>;
  /** Null: it is gone, or is nothing to be read. Before it was listed nothing can be opened. */
  open(path: string, signal: AbortSignal): Promise<LandedFile | null>;
  /** Calls `hint` when something may have happened; returns what ends it. */
  watch(hint: () => void): () => Promise<void>;
}

const HIDDEN = /^[._~]/;
const BEING_WRITTEN = /\.(?:tmp|part|partial|crdownload)$/;

/** Whether a name, of a file or of a folder, is passed over. */
export function isHidden(name: string): boolean {
  return HIDDEN.test(name);
}

/** Whether a file's name is that of one being written. */
export function isBeingWritten(name: string): boolean {
  return BEING_WRITTEN.test(name);
}
