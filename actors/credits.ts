import type { ActorId } from "../engine/ids.ts";
import { dateOf, dayOf, dayStart, type Hours, startMs } from "./hours.ts";
import { linkAt } from "./links.ts";
import type { Link, MeterDay } from "./tells.ts";

/** What a transformer is told of a day of a meter. */
export interface Credit extends Pick<MeterDay, "date" | "wh" | "was"> {
  readonly transformer: ActorId;
}

/** What a meter knows when it tells: its hours, and its links, which say who fed it. */
export interface Known {
  readonly hours: Hours;
  readonly links: readonly Link[];
}

/** The credit of the day that `hour` lies in, the first one of that day; null: nothing was read, or nobody is known to have fed the meter. */
export function creditOf(known: Known, hour: number): Credit | null {
  const start = dayStart(hour);
  const { transformer, wh } = shareOf(known, start);
  return transformer === null ? null : { transformer, date: dateOf(start), wh, was: null };
}

/**
 * How the credits of the days before that of `openHour` (they have been told) differ after a change: for just the days and transformers that it
 * affects, hours that are taken back included.
 */
export function corrections(before: Known, after: Known, openHour: number): readonly Credit[] {
  const found: Credit[] = [];
  const first = dayStart(Math.min(...[before.hours, after.hours].flatMap(({ first, wh }) => (wh.length === 0 ? [] : [first]))));
  for (let start = first; start < dayStart(openHour); start += 24) {
    const date = dateOf(start);
    const [old, now] = [shareOf(before, start), shareOf(after, start)];
    if (old.transformer !== null && old.transformer !== now.transformer) {
      found.push({ transformer: old.transformer, date, wh: NOTHING, was: old.wh });
    }
    if (now.transformer === null) continue;
    const was = old.transformer === now.transformer ? old.wh : null;
    if (was === null || was.some((value, n) => value !== now.wh[n])) found.push({ transformer: now.transformer, date, wh: now.wh, was });
  }
  return found;
}

/** Whether a change of links moves hours that are no longer held. */
export function isOutOfWindow({ dropped }: Hours, before: readonly Link[], after: readonly Link[]): boolean {
  return dropped > 0 && feederAt(before, dropped) !== feederAt(after, dropped);
}

const NOTHING: Credit["wh"] = Array.from({ length: 24 }, () => null);

/** Links hold by civil date, so that all hours of a day are of one transformer. */
function shareOf({ hours, links }: Known, start: number): { readonly transformer: ActorId | null; readonly wh: Credit["wh"] } {
  const wh = dayOf(hours, start);
  return { transformer: wh.every((value) => value === null) ? null : feederAt(links, start), wh };
}

function feederAt(links: readonly Link[], hour: number): ActorId | null {
  return linkAt(links, startMs(hour))?.transformer ?? null;
}
