import { asCommandError } from "../errors.ts";
import type { RegionRow } from "../regions.ts";
import type { PageContext } from "./page.ts";

/** A region, with how many records a second it takes; null until it has been looked at twice. */
export interface WatchedRegion extends RegionRow {
  readonly recordsPerSecond: number | null;
}

/** `problem`: why they could not be summed up now, as when there are too many actors for one question; then `rows` are the last ones, if any. */
export interface Watched {
  readonly rows: readonly WatchedRegion[];
  readonly problem: string | null;
}

/** Looks at the regions for all open pages together: summing them up takes at most a ninth of the time. */
export interface RegionWatch {
  look(context: Pick<PageContext, "ask">): Promise<Watched>;
}

const FRESH_MS = 2_000;
const REST_FACTOR = 8;
/** Rates are told over at least so long, so that they do not jump. */
const RATE_OVER_MS = 4_000;
/** A look before this says nothing of now. */
const RATE_OVER_MAX_MS = 120_000;
const LOOKS_MAX = 60;

interface Look {
  readonly atMs: number;
  readonly tookMs: number;
  readonly rows: readonly RegionRow[];
  readonly problem: string | null;
}

/** `nowMs`: of the wall. */
export function regionWatch(nowMs: () => number): RegionWatch {
  let looks: readonly Look[] = []; // Oldest first.
  let under: Promise<Look> | null = null;

  const look = async ({ ask }: Pick<PageContext, "ask">): Promise<Look> => {
    const beganMs = nowMs();
    const { rows, problem } = await ask("regions").then(
      ({ value }) => ({ rows: value as readonly RegionRow[], problem: null }),
      (error: unknown) => ({ rows: looks.at(-1)?.rows ?? [], problem: retryable(error) }),
    );
    const now = { atMs: nowMs(), tookMs: nowMs() - beganMs, rows, problem };
    // Where nobody has looked for long, as without scripts, the last look still gives a rate: over all that time.
    const recent = looks.filter(({ atMs }) => now.atMs - atMs < RATE_OVER_MAX_MS);
    looks = [...(recent.length > 0 ? recent : looks.filter(({ problem }) => problem === null).slice(-1)), now].slice(-LOOKS_MAX);
    return now;
  };

  return {
    async look(context) {
      const last = looks.at(-1);
      const restMs = last === undefined || last.problem !== null ? FRESH_MS : Math.max(FRESH_MS, REST_FACTOR * last.tookMs);
      if (last !== undefined && nowMs() - last.atMs < restMs) return rated(looks, last);
      under ??= look(context).finally(() => {
        under = null;
      });
      return rated(looks, await under);
    },
  };
}

/** What a page can say and go on; throws anything else. */
function retryable(error: unknown): string {
  const { code, message } = asCommandError(error);
  if (code !== "RETRY") throw error;
  return message;
}

function rated(looks: readonly Look[], now: Look): Watched {
  const before = looks.findLast(({ atMs, problem }) => problem === null && now.atMs - atMs >= RATE_OVER_MS);
  const rows = now.rows.map((row) => {
    const records = before?.rows.find(({ id }) => id === row.id)?.records;
    const rate = before === undefined || records === undefined ? null : ((row.records - records) * 1_000) / (now.atMs - before.atMs);
    return { ...row, recordsPerSecond: rate === null ? null : Math.round(rate * 10) / 10 };
  });
  return { rows, problem: now.problem };
}
