import type { CellValue } from "../engine/emission.ts";
import { statusOf } from "../engine/episode.ts";
import { columnTypes, shownCells } from "./cell.ts";
import type { Actor, View } from "./reader.ts";
import { instantText } from "./time.ts";

/** Name -> what an actor says of itself now: status, open alerts, counts, attributes, latest values, rolling statistics. One name each. */
export type ActorFacts = Readonly<Record<string, CellValue>>;

/** Makes the reader of facts, by which actors are chosen and ranked. Of several facts with one name the one that says less of the past counts. */
export function factsReader({ domain }: View): (actor: Actor) => ActorFacts {
  const types = new Map(domain.behaviours.map((behaviour) => [behaviour.kind, columnTypes(domain, behaviour)]));
  return ({ behaviour, description, counts, episodes }) => {
    const { status, attributes, latest, rolling } = description;
    const cells = shownCells({ ...rolling, ...latest, ...attributes }, types.get(behaviour.kind) ?? new Map());
    return { ...cells, ...counts, openAlerts: openAlerts(episodes), status };
  };
}

/** How many of an actor's alerts are neither cleared nor retracted. */
export function openAlerts(episodes: Actor["episodes"]): number {
  return episodes.map(statusOf).filter((status) => status !== "cleared" && status !== "retracted").length;
}

/** An actor's clock: the latest of its feeds'; null while it has none. */
export function clockText({ clocks }: Actor): string | null {
  const latestMs = [...clocks.values()].reduce(
    (latest, atMs) => (atMs !== null && (latest === null || atMs > latest) ? atMs : latest),
    null,
  );
  return latestMs === null ? null : instantText(latestMs);
}
