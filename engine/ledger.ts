import { sealed } from "./codec.ts";
import { DamagedStore } from "./damaged_store.ts";
import type { Tables, View } from "./lmdb_tables.ts";
import type { Stream } from "./sink.ts";

/** What LMDB knows about the rest of the directory: the last transaction decides what exists. */
export interface Ledger {
  readonly storeId: string;
  /** When the state was restored last, in epoch milliseconds, each time a higher number; 0: never. */
  readonly generation: number;
  /** Counts the transactions of all processes that ever had the directory open: who finds another number than he left has been replaced. */
  readonly epoch: number;
  readonly nextSequence: number;
  /** Number of the first journal segment that is not wholly folded. */
  readonly journalStart: number;
  /** From this number on everything of a stream is kept; 1 until something was cut. */
  readonly logStart: Readonly<Record<Stream, number>>;
  /** Name -> committed length in bytes. */
  readonly segments: ReadonlyMap<string, number>;
}

/** Segment files by what they hold. */
export type SegmentKind = "journal" | Stream;

/** Journal segments are numbered from 1, segments of the log by their first sequence. */
export function segmentName(kind: SegmentKind, number: number): string {
  return `${kind}-${String(number).padStart(16, "0")}.seg`;
}

/** The segments of a kind in their order: name, number, committed length. */
export function segmentsOf({ segments }: Ledger, kind: SegmentKind): readonly (readonly [name: string, number: number, bytes: number])[] {
  return [...segments]
    .filter(([name]) => name.startsWith(`${kind}-`))
    .map(([name, bytes]) => [name, numberOf(name), bytes] as const)
    .sort(([, a], [, b]) => a - b);
}

/** What the segment with this name holds. */
export function kindOf(name: string): SegmentKind {
  return name.slice(0, name.indexOf("-")) as SegmentKind;
}

/** The number in a segment's name. */
export function numberOf(name: string): number {
  return Number(/-(\d+)\.seg$/.exec(name)?.[1]);
}

/** Nothing was cut yet. */
export const WHOLE_LOG: Ledger["logStart"] = { alerts: 1, curated: 1 };

const STATE_KEY = Buffer.from("state");
const SEGMENT_PREFIX = "segment/";

/** Null: the store was never made. Throws `DamagedStore`. */
export function readLedger(tables: Tables, view?: View): Ledger | null {
  const state = tables.get("meta", STATE_KEY, view);
  if (state === null) return null;
  const segments = new Map<string, number>();
  for (const [key, length] of tables.range("meta", Buffer.alloc(0), view)) {
    const name = key.toString(); // The whole table is read, for then it is noticed if a damaged page hides a row.
    if (name.startsWith(SEGMENT_PREFIX)) segments.set(name.slice(SEGMENT_PREFIX.length), length.readDoubleLE(0));
  }
  return { ...parseState(state.toString()), segments };
}

/** The epoch as it is stored now. Throws `DamagedStore`. */
export function readEpoch(tables: Tables): number | null {
  const state = tables.get("meta", STATE_KEY);
  return state === null ? null : parseState(state.toString()).epoch;
}

/** Within a transaction: puts all but the segments, and of these the ones that `changed` (null: no longer there). */
export function putLedger(tables: Tables, ledger: Omit<Ledger, "segments">, changed: ReadonlyMap<string, number | null>): void {
  const { storeId, generation, epoch, nextSequence, journalStart, logStart } = ledger;
  const state = { storeId, generation, epoch, nextSequence, journalStart, logStart };
  tables.put("meta", STATE_KEY, sealed(Buffer.from(JSON.stringify(state)), STATE_KEY));
  for (const [name, bytes] of changed) {
    const key = Buffer.from(SEGMENT_PREFIX + name);
    if (bytes === null) tables.remove("meta", key);
    else tables.put("meta", key, sealed(lengthBytes(bytes), key));
  }
}

function parseState(text: string): Omit<Ledger, "segments"> {
  const state = JSON.parse(text);
  const { storeId, generation = 0, epoch, nextSequence, journalStart, logStart: { alerts, curated } = WHOLE_LOG } = state; // An older state has all.
  if (typeof storeId !== "string" || ![generation, epoch, nextSequence, journalStart, alerts, curated].every(Number.isSafeInteger)) {
    throw new DamagedStore("the state in LMDB lacks what it must hold");
  }
  return { storeId, generation, epoch, nextSequence, journalStart, logStart: { alerts, curated } };
}

function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(length);
  return bytes;
}
