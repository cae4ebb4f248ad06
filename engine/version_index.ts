import { Packr } from "msgpackr";
import type { ChangedRow } from "./commit.ts";
import type { CellValue } from "./emission.ts";
import { factPrefix } from "./fact_codec.ts";
import type { History, HistoryOptions, Values, Version, VersionChange } from "./history.ts";
import { type ActorId, longHash } from "./ids.ts";
import type { Store } from "./store.ts";

// Versions follow from facts, so that facts are all that is kept; but who has many should not have to be read whole for one of them. A history of
// more than `INDEXED_FACTS` facts therefore has its present versions as rows, too (table `version`): key `<actorId> NUL <from>`, value a msgpack
// array. The row `<actorId> NUL` says under which options they were made: under others they do not count, and the next change makes all of them
// anew. They are in no digest. Histories whose places are not times (CDC) have none.
const INDEXED_FACTS = 64;
const packr = new Packr({ useRecords: false });

type Packed = readonly [to: string | null, knownFromMs: number, cells: readonly CellValue[]];

/** What a row says of a version. */
export interface IndexedVersion {
  readonly from: string;
  readonly to: string | null;
  readonly values: Values;
  /** Since when exactly this has been believed, epoch ms. */
  readonly knownFromMs: number;
}

/** Whether the present versions of a history of so many facts are rows of the store, under these options. */
export function isIndexed(store: Pick<Store, "get">, id: ActorId, options: HistoryOptions, facts = Number.POSITIVE_INFINITY): boolean {
  if (facts <= INDEXED_FACTS) return false;
  const mark = store.get("version", factPrefix(id));
  return mark !== null && Buffer.from(mark).toString() === markOf(options);
}

/**
 * The rows that a change makes; null: the history has none. `before` says whether it had; if not, all are made, and of those that lie in the store
 * from another time what no longer holds goes.
 */
export function indexRows(
  before: History,
  after: History,
  changes: readonly VersionChange[],
  store: Pick<Store, "range">,
): readonly ChangedRow[] | null {
  const { key, facts, options } = after;
  if (facts.length <= INDEXED_FACTS || facts.at(-1)?.atMs !== null) return null;
  if (before.isIndexed) return changes.map(({ change, version }) => rowOf(key, version, change === "retracted"));
  const rows = after.versions.map((version) => rowOf(key, version, false));
  const made = new Set(rows.map((row) => row.key));
  const left = [...store.range("version", factPrefix(key))].filter(([stored]) => !made.has(stored));
  const mark: ChangedRow = { table: "version", key: factPrefix(key), value: Buffer.from(markOf(options)) };
  return [...left.map(([stored]): ChangedRow => ({ table: "version", key: stored, value: null })), ...rows, mark];
}

/** Of an indexed history: the version in force at `at`, null: the one that stands open. One look, whatever the history has lived through. */
export function indexedAt(store: Pick<Store, "range">, id: ActorId, at: string | null): IndexedVersion | null {
  const prefix = factPrefix(id);
  for (const [key, bytes] of store.range("version", prefix, { from: `${prefix}${at ?? LAST}`, backwards: true })) {
    if (key === prefix) return null;
    const version = decoded(key.slice(prefix.length), bytes);
    const holds = version.to === null || (at !== null && at < version.to);
    return holds ? version : null;
  }
  return null;
}

/** All rows of an indexed history, oldest first. */
export function* indexedVersions(store: Pick<Store, "range">, id: ActorId): Generator<IndexedVersion, void> {
  const prefix = factPrefix(id);
  for (const [key, bytes] of store.range("version", prefix)) if (key !== prefix) yield decoded(key.slice(prefix.length), bytes);
}

const LAST = "\u{10ffff}";

function rowOf(id: ActorId, { from, to, values, knownFromMs }: Version, isGone: boolean): ChangedRow {
  const key = `${factPrefix(id)}${from}`;
  if (isGone) return { table: "version", key, value: null };
  const packed: Packed = [to, knownFromMs, Object.entries(values).flat()];
  return { table: "version", key, value: packr.pack(packed) };
}

function decoded(from: string, bytes: Uint8Array): IndexedVersion {
  const [to, knownFromMs, cells] = packr.unpack(bytes) as Packed;
  const values: Record<string, CellValue> = {};
  for (let at = 0; at < cells.length; at += 2) values[String(cells[at])] = cells[at + 1] ?? null;
  return { from, to, values, knownFromMs };
}

function markOf({ untracked, ignored, ignoreNulls }: HistoryOptions): string {
  return longHash([untracked.join("\n"), ignored.join("\n"), ignoreNulls.join("\n")]);
}
