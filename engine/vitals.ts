import { lanes } from "./hash.ts";
import type { Layout, Packing } from "./layout.ts";
import type { Cursor, SlotPlan } from "./slab.ts";

/** Recent arrivals that a slot holds; older ones still inside the dedup window overflow into the warm part. */
export const RING_ENTRIES = 4;

const COUNTS = ["accepted", "duplicates", "late", "quarantined", "conflicts", "alerts", "openEpisodes", "overflowed"] as const;
export type Count = (typeof COUNTS)[number];

/** Members that the engine keeps in the slot of every actor, before the behaviour's own: a clock per feed, counts, and the dedup ring. */
export function vitalsLayout(clocks: readonly string[], windowed: boolean): Layout {
  const layout: Record<string, Packing> = {};
  for (const feed of clocks) layout[`clock:${feed}`] = "nullable";
  if (windowed) for (let n = 0; n < RING_ENTRIES; n += 1) layout[`ring:time${n}`] = "nullable";
  for (const count of COUNTS) layout[`count:${count}`] = "u32";
  if (!windowed) return layout;
  layout["ring:next"] = "u32";
  for (const lane of ["high", "low", "payload"]) for (let n = 0; n < RING_ENTRIES; n += 1) layout[`ring:${lane}${n}`] = "u32";
  return layout;
}

/** Offsets of the vitals in a slot, looked up once per kind. -1: the kind has no dedup ring. */
export interface VitalsAt {
  readonly clock: ReadonlyMap<string, number>;
  readonly count: Readonly<Record<Count, number>>;
  readonly time: number;
  readonly next: number;
  readonly high: number;
  readonly low: number;
  readonly payload: number;
}

export function vitalsAt(plan: SlotPlan, clocks: readonly string[]): VitalsAt {
  const word = (name: string): number => plan.u32At.get(name) ?? -1;
  return {
    clock: new Map(clocks.map((feed) => [feed, plan.f64At.get(`clock:${feed}`) ?? -1])),
    count: Object.fromEntries(COUNTS.map((count) => [count, word(`count:${count}`)])) as Record<Count, number>,
    time: plan.f64At.get("ring:time0") ?? -1,
    next: word("ring:next"),
    high: word("ring:high0"),
    low: word("ring:low0"),
    payload: word("ring:payload0"),
  };
}

export function addCount(cursor: Cursor, at: VitalsAt, count: Count, by: number): void {
  const index = cursor.u + at.count[count];
  cursor.u32[index] = (cursor.u32[index] as number) + by;
}

export function setCount(cursor: Cursor, at: VitalsAt, count: Count, value: number): void {
  cursor.u32[cursor.u + at.count[count]] = value;
}

export function countOf(cursor: Cursor, at: VitalsAt, count: Count): number {
  return cursor.u32[cursor.u + at.count[count]] as number;
}

/** The actor's clock on a feed: latest event time it accepted on time; null before the first, or if the kind keeps no clock for it. */
export function clockOf(cursor: Cursor, at: VitalsAt, feed: string): number | null {
  const index = at.clock.get(feed);
  if (index === undefined) return null;
  const value = cursor.f64[cursor.f + index] as number;
  return Number.isNaN(value) ? null : value;
}

export function setClock(cursor: Cursor, at: VitalsAt, feed: string, ms: number): void {
  const index = at.clock.get(feed);
  if (index !== undefined) cursor.f64[cursor.f + index] = ms;
}

/** An entry of the dedup window that no longer fits the ring: [high, low, payload, time]. */
export type WindowEntry = readonly [high: number, low: number, payload: number, atMs: number];

export type Verdict = "new" | "duplicate" | "conflict";

/** Looks for the record with the id hashed in `lanes` among the recent ones, then for others of its time: of several, one with its payload. */
export function findRepeat(cursor: Cursor, at: VitalsAt, atMs: number, payload: number, overflow: readonly WindowEntry[]): Verdict {
  const { u32, u, f64, f } = cursor;
  let verdict: Verdict = "new";
  for (let n = 0; n < RING_ENTRIES; n += 1) {
    const time = f64[f + at.time + n] as number;
    if (Number.isNaN(time)) continue;
    if (u32[u + at.high + n] === lanes.high && u32[u + at.low + n] === lanes.low) return "duplicate";
    if (time !== atMs) continue;
    if (u32[u + at.payload + n] === payload) return "duplicate";
    verdict = "conflict";
  }
  for (const [high, low, samePayload, time] of overflow) {
    if (high === lanes.high && low === lanes.low) return "duplicate";
    if (time !== atMs) continue;
    if (samePayload === payload) return "duplicate";
    verdict = "conflict";
  }
  return verdict;
}

/** Puts the record into the ring. Returns the entry it pushed out, or null if the place was empty. */
export function pushRecent(cursor: Cursor, at: VitalsAt, atMs: number, payload: number): WindowEntry | null {
  const { u32, u, f64, f } = cursor;
  const n = u32[u + at.next] as number;
  const oldMs = f64[f + at.time + n] as number;
  const pushed: WindowEntry | null = Number.isNaN(oldMs)
    ? null
    : [u32[u + at.high + n] as number, u32[u + at.low + n] as number, u32[u + at.payload + n] as number, oldMs];
  f64[f + at.time + n] = atMs;
  u32[u + at.high + n] = lanes.high;
  u32[u + at.low + n] = lanes.low;
  u32[u + at.payload + n] = payload;
  u32[u + at.next] = (n + 1) % RING_ENTRIES;
  return pushed;
}
