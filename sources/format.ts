import type { SourceRecord } from "../engine/source.ts";

/** The content of one open file, cut off at the size it had when it was looked at. */
export interface FileBytes {
  readonly sizeBytes: number;
  /** Fills the whole of `target` with the bytes from offset `at` on. Throws `FileChanged` if the file ends before that, `Unavailable` if it cannot be read. */
  fill(target: Uint8Array, at: number): Promise<void>;
}

/** The file is no longer what it was when it was looked at: look again. */
export class FileChanged extends Error {
  constructor() {
    super("the file changed while it was read");
    this.name = "FileChanged";
  }
}

/** Where a format goes on in a file. */
export interface Place {
  /** Bytes used so far. */
  readonly offset: number;
  /** Number of the next record, 0 = first. */
  readonly row: number;
  /** How the format reads the file, in its own words; null until the content has told. */
  readonly shape: string | null;
}

export const START: Place = { offset: 0, row: 0, shape: null };

/** How much is handed over at once, at most; one record that is larger travels alone. */
export interface Bounds {
  readonly records: number;
  readonly bytes: number;
}

export interface Reading {
  readonly from: Place;
  readonly bounds: Bounds;
  /** Arrival of every record. */
  readonly arrivedAtMs: number;
  /** Reading ends early, with the reason of the signal as error. */
  readonly signal: AbortSignal;
}

/** Some records, and the place behind the last of them. */
export interface Slice {
  readonly records: readonly SourceRecord[];
  readonly end: Place;
}

/**
 * How the content ended. `complete`: everything was used. `incomplete`: what lies behind `at` could still be finished by its writer; `rest` is the
 * record to make of it if nobody does (null: none). `refused`: nothing behind `at` can be read; `rest` says why, as one record with a fault.
 */
export type Ending =
  | { readonly type: "complete"; readonly at: Place }
  | { readonly type: "incomplete"; readonly at: Place; readonly rest: SourceRecord | null }
  | { readonly type: "refused"; readonly at: Place; readonly rest: SourceRecord };

/** Takes the bytes of a file apart into records. It never asks what they mean. */
export interface Format {
  /** True: a file may grow, and is then read on at its old end. False: a file is one whole, any change makes it another. */
  readonly grows: boolean;
  /** Hands over the records from a place on, in order and within the bounds; the returned value tells how the content ended. */
  records(file: FileBytes, reading: Reading): AsyncGenerator<Slice, Ending>;
}
