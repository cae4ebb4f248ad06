import * as assert from "uvu/assert";
import type { ChangedRow, Commit } from "../../engine/commit.ts";
import { ActorId } from "../../engine/ids.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { Stream } from "../../engine/sink.ts";
import type { Store } from "../../engine/store.ts";
import { type ChangedEntry, type ChangedParts, type Contents, changes, contents } from "../contract/store.ts";

// A series of commits, the same each time: commit k (from 1) of `SERIES_LENGTH` depends on k alone. Row `position/series` says how far a store got.

export const SERIES_LENGTH = 24;
export const SERIES_LIMITS = { segmentBytes: 4_000, foldAtBytes: 120_000 };

const PARTS_PER_COMMIT = 250;
const ACTORS = 1_700; // A fold takes more than one slice.
const ENTRIES_PER_COMMIT = 12;

/** Commits what is left of the series, up to `last`. `committed` hears of each commit that has resolved. */
export async function commitSeries(store: Store, last: number, committed: (k: number) => void): Promise<void> {
  for (let k = positionOf(store) + 1; k <= last; k += 1) {
    await store.commit(seriesCommit(k));
    committed(k);
  }
}

/** How many commits of the series the store holds. */
export function positionOf(store: Pick<Store, "get">): number {
  return Number(Buffer.from(store.get("position", "series") ?? "0"));
}

/** What a store holds after k commits, at index k. */
export async function expectedContents(): Promise<readonly Contents[]> {
  const store = openMemoryStore();
  const all = [await contents(store)];
  for (let k = 1; k <= SERIES_LENGTH; k += 1) {
    await store.commit(seriesCommit(k));
    all.push(await contents(store));
  }
  return all;
}

/** Fails with the first difference only: all of them are thousands of lines. */
export function assertSame(actual: Partial<Contents>, expected: Contents | undefined, what: string): void {
  for (const member of ["parts", "rows", "log"] as const) {
    const rows = actual[member];
    if (rows === undefined) continue;
    const wanted: readonly unknown[] = expected?.[member] ?? [];
    const at = Array.from({ length: Math.max(rows.length, wanted.length) }).findIndex(
      (_, n) => JSON.stringify(rows[n]) !== JSON.stringify(wanted[n]),
    );
    assert.equal(rows[at], wanted[at], `${what}: ${member}, row ${at} of ${rows.length}`);
  }
  if (actual.nextSequence !== undefined) assert.is(actual.nextSequence, expected?.nextSequence, what);
}

function seriesCommit(k: number): Commit {
  const first = (k - 1) * ENTRIES_PER_COMMIT + 1;
  return changes({
    parts: Array.from({ length: PARTS_PER_COMMIT }, (_, n) => changedParts(k, n)),
    rows: changedRows(k),
    entries: Array.from({ length: ENTRIES_PER_COMMIT }, (_, n) => changedEntry(k, first + n)),
  });
}

/** Some actors are new, some are not; hot, warm or both. */
function changedParts(k: number, n: number): ChangedParts {
  const actor = (k * 331 + n * 7) % ACTORS;
  const id = ActorId("meter", actor % 50 === 0 ? `é-${actor}` : `SM-${actor}`);
  return { id, hot: n % 7 === 3 ? null : Buffer.from(`hot ${k} `.repeat(4)), warm: n % 7 > 2 ? null : Buffer.from(`warm ${k}`) };
}

/** A timer that moves, a fact, a row that is deleted again. */
function changedRows(k: number): readonly ChangedRow[] {
  return [
    { table: "position", key: "series", value: Buffer.from(String(k)) },
    { table: "timer", key: `due ${k - 1}`, value: null },
    { table: "timer", key: `due ${k}`, value: Buffer.from("silence") },
    { table: "fact", key: `fact ${k % 10}`, value: Buffer.from(`${k}`.repeat(k)) },
  ];
}

/** Commits with alerts alone, with curated rows alone, with both. */
function changedEntry(k: number, sequence: number): ChangedEntry {
  const stream: Stream = k % 3 === 0 ? "alerts" : k % 3 === 1 ? "curated" : sequence % 5 === 0 ? "alerts" : "curated";
  return { stream, sequence, bytes: Buffer.from(`${stream} ${sequence} `.repeat(8)) };
}
