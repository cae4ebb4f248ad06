import type { RegionRow } from "../regions.ts";
import type { PageContext } from "./page.ts";

/** A region, with how many records a second it takes; null until it has been looked at twice. */
export interface WatchedRegion extends RegionRow {
  readonly recordsPerSecond: number | null;
}

/** Looks at the regions for all open pages together: they are summed up at most once in `FRESH_MS`. */
export interface RegionWatch {
  look(context: Pick<PageContext, "ask">): Promise<readonly WatchedRegion[]>;
}

const FRESH_MS = 2_000;
/** Rates are told over at least so long, so that they do not jump. */
const RATE_OVER_MS = 4_000;
/** A look before this says nothing of now. */
const RATE_OVER_MAX_MS = 60_000;

interface Look {
  readonly atMs: number;
  readonly rows: readonly RegionRow[];
}

/** `nowMs`: of the wall. */
export function regionWatch(nowMs: () => number): RegionWatch {
  let looks: readonly Look[] = []; // Oldest first.
  let under: Promise<readonly WatchedRegion[]> | null = null;

  const look = async ({ ask }: Pick<PageContext, "ask">): Promise<readonly WatchedRegion[]> => {
    const { value } = await ask("regions");
    const now = { atMs: nowMs(), rows: value as readonly RegionRow[] };
    looks = [...looks.filter(({ atMs }) => now.atMs - atMs < RATE_OVER_MAX_MS), now].slice(-30);
    return rated(looks, now);
  };

  return {
    async look(context) {
      const last = looks.at(-1);
      if (last !== undefined && nowMs() - last.atMs < FRESH_MS) return rated(looks, last);
      under ??= look(context).finally(() => {
        under = null;
      });
      return under;
    },
  };
}

function rated(looks: readonly Look[], now: Look): readonly WatchedRegion[] {
  const before = looks.findLast(({ atMs }) => now.atMs - atMs >= RATE_OVER_MS) ?? looks.find(({ atMs }) => atMs < now.atMs - FRESH_MS / 2);
  return now.rows.map((row) => {
    const records = before?.rows.find(({ id }) => id === row.id)?.records;
    const rate = before === undefined || records === undefined ? null : ((row.records - records) * 1_000) / (now.atMs - before.atMs);
    return { ...row, recordsPerSecond: rate === null ? null : Math.round(rate * 10) / 10 };
  });
}
