import { Packr } from "msgpackr";
import type { Origin } from "./emission.ts";
import type { ActorId } from "./ids.ts";

/**
 * A tell whose actor lives elsewhere, with all that its cause says: whoever hears it does what would have been done here, under the same ids. It is
 * kept in the table `tell` until it is known to have been handed over.
 */
export interface Told {
  readonly id: ActorId;
  readonly message: { readonly type: string };
  readonly hops: number;
  /** Of the record that has led to it. */
  readonly late: boolean;
  readonly cause: ToldCause;
}

/** The cause of a tell. `head` and `at` are those of its curated rows; `position` is the whole provenance. */
export interface ToldCause {
  readonly feed: string;
  readonly head: Uint8Array;
  readonly at: number;
  readonly position: string;
  readonly origin: Origin;
  readonly source: string | null;
  readonly path: string | null;
  readonly arrivedAtMs: number;
  readonly eventTimeMs: number;
  readonly key: string;
  readonly date: string;
  readonly schemaVersion: number;
}

const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true });

export function encodeTold(told: Told): Uint8Array {
  return packr.pack(told);
}

/** Reads back what `encodeTold` made. */
export function decodeTold(bytes: Uint8Array): Told {
  return packr.unpack(bytes) as Told;
}

/** The key in table `tell` of the n-th tell that goes elsewhere, from 1. */
export function toldKey(number: number): string {
  return String(number).padStart(16, "0");
}

/** Counts tells that go elsewhere, and those of other places that were heard. */
export const TOLD_GROUP = "told";
