import type { ActorId } from "../engine/ids.ts";
import { civilDate } from "./civil_day.ts";
import type { Link } from "./tells.ts";

/** The links of an actor after one customer has told its own anew: by `from`, then by customer. */
export function replaceLinks(links: readonly Link[], customer: ActorId, told: readonly Link[]): readonly Link[] {
  return [...links.filter((link) => link.customer !== customer), ...told].sort(
    (a, b) => compare(a.from, b.from) || compare(a.customer, b.customer),
  );
}

/** The link in force at an instant, or null. Of two the one with the later `from` holds. */
export function linkAt(links: readonly Link[], atMs: number): Link | null {
  return links.length === 0 ? null : linkOn(links, civilDate(atMs));
}

function linkOn(links: readonly Link[], date: string): Link | null {
  let found: Link | null = null;
  for (const link of links) if (link.from <= date && (link.to === null || date < link.to)) found = link;
  return found;
}

/** Whether any day has another transformer, or is linked in the one list only. */
export function areMoved(before: readonly Link[], after: readonly Link[]): boolean {
  const days = new Set([...before, ...after].flatMap(({ from, to }) => (to === null ? [from] : [from, to])));
  return [...days].some((day) => {
    const [old, now] = [linkOn(before, day), linkOn(after, day)];
    return (old === null) !== (now === null) || old?.transformer !== now?.transformer;
  });
}

/** The link that stands open, or null: the one to show where no time is asked for. */
export function openLink(links: readonly Link[]): Link | null {
  return links.findLast((link) => link.to === null) ?? null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
