import type { Description } from "../engine/behaviour.ts";
import type { CellValue } from "../engine/emission.ts";
import type { AnyBehaviour } from "../engine/population.ts";
import { aligned } from "./aligned.ts";
import { CommandError } from "./errors.ts";
import { grouped } from "./format.ts";
import { readActors, type View } from "./reader.ts";
import { nearest } from "./suggest.ts";
import { readCounters } from "./summary.ts";

/** What actors are counted by. `link`: of the kinds that have a master, those it has told of and those it has not (yet). */
export const COUNTED_BY = ["kind", "region", "status", "link"] as const;

/** Name -> number of actors. Kinds are all there, also at 0; regions and statuses as the actors have them, `none` for those without. */
export type Counts = Readonly<Record<string, number>>;

/** Counts the actors of a state. Kinds and links are read from counters, the others from each actor. Throws USAGE. */
export function count(view: View, by: string): Counts {
  switch (checked(by)) {
    case "kind":
      return byKind(view, "actor", () => true);
    case "link": {
      const actors = sum(byKind(view, "actor", ({ hasMaster }) => hasMaster === true));
      const orphan = sum(orphans(view));
      return { linked: actors - orphan, orphan };
    }
    case "region":
      return byAttribute(view, ({ attributes }) => attributes["region"]);
    case "status":
      return byAttribute(view, ({ status }) => status);
  }
}

/** Actors that master data has not told of, by kind; kinds without a master are left out. */
export function orphans(view: View): Counts {
  return byKind(view, "orphan", ({ hasMaster }) => hasMaster === true);
}

/** The counts for people: one to a line. */
export function countText(counts: Counts): string {
  return aligned(Object.entries(counts).map(([name, number]) => [name, grouped(number)]));
}

function byKind(view: View, group: string, takes: (behaviour: AnyBehaviour) => boolean): Counts {
  const counters = readCounters(view).group(group);
  return Object.fromEntries(view.domain.behaviours.filter(takes).map(({ kind }) => [kind, counters[kind] ?? 0]));
}

function byAttribute(view: View, of: (description: Description) => CellValue | undefined): Counts {
  const counts = new Map<string, number>();
  for (const { description } of readActors(view)) {
    const value = of(description);
    const name = typeof value === "string" ? value : "none";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, number) => total + number, 0);
}

function checked(by: string): (typeof COUNTED_BY)[number] {
  const known = COUNTED_BY.find((one) => one === by);
  if (known !== undefined) return known;
  const near = nearest(by, COUNTED_BY);
  throw new CommandError("USAGE", `--by: "${by}" is none of ${COUNTED_BY.join(", ")}`, { candidates: near === null ? [] : [near] });
}
