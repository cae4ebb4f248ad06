import { Counters } from "../engine/counters.ts";
import { aligned } from "./aligned.ts";
import { grouped } from "./format.ts";
import type { View } from "./reader.ts";
import { spanText } from "./time.ts";

/** Numbers of one feed. `read = accepted + duplicates + quarantined`; `late` is a part of `accepted`. */
export type FeedCounts = Readonly<Record<(typeof COUNTS)[number], number>>;

/** What a run of `run --drain` did, and what the state then holds. */
export interface Summary {
  /** Of this run, every feed. */
  readonly feeds: Readonly<Record<string, FeedCounts>>;
  /** In the state, every kind. */
  readonly actors: Readonly<Record<string, number>>;
  /** Raised alerts in the state, by rule; rules without any are left out. */
  readonly alerts: Readonly<Record<string, number>>;
  /** Rows written by this run, by table; tables without any are left out. */
  readonly curated: Readonly<Record<string, number>>;
  readonly digest: string;
  readonly seconds: number;
}

export interface SummaryFacts {
  readonly before: Counters;
  readonly after: Counters;
  readonly digest: string;
  readonly tookMs: number;
}

/** The stored counters as they are now: taken before and after a run they tell what it did. */
export function readCounters({ store }: { readonly store: Pick<View["store"], "range"> }): Counters {
  const counters = new Counters();
  for (const [key, value] of store.range("count", "")) counters.restore(key, value);
  return counters;
}

/** Sums a run up. */
export function summary({ behaviours, feeds }: View["domain"], { before, after, digest, tookMs }: SummaryFacts): Summary {
  const ofRun = (group: string, name: string): number => (after.group(group)[name] ?? 0) - (before.group(group)[name] ?? 0);
  const feedCounts = (feed: string) => Object.fromEntries(COUNTS.map((name) => [name, ofRun(`feed ${feed}`, name)])) as FeedCounts;
  const actors = after.group("actor");
  const written = Object.keys(after.group("table")).map((name) => [name, ofRun("table", name)] as const);
  return {
    feeds: Object.fromEntries(feeds.map(({ name }) => [name, feedCounts(name)])),
    actors: Object.fromEntries(behaviours.map(({ kind }) => [kind, actors[kind] ?? 0])),
    alerts: after.group("alert"),
    curated: Object.fromEntries(written.filter(([, rows]) => rows > 0)),
    digest,
    seconds: Math.round(tookMs / 10) / 100,
  };
}

/** The summary for people. */
export function summaryText({ feeds, actors, alerts, digest, seconds }: Summary): string {
  const counts = Object.entries(feeds).map(([name, one]) => [name, ...COUNTS.map((count) => grouped(one[count]))]);
  return [
    aligned([["feed", ...COUNTS], ...counts]),
    `alerts   ${listed(alerts) || "none"}\n`,
    `actors   ${listed(actors)}\n`,
    `digest   ${digest} · ${spanText(seconds * 1_000)}\n`,
  ].join("");
}

const COUNTS = ["read", "accepted", "duplicates", "late", "quarantined"] as const;

function listed(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${grouped(count)}`)
    .join(" · ");
}
