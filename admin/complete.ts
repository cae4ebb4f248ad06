import { keyOf, kindOf } from "../engine/ids.ts";
import { factsReader } from "./actor_facts.ts";
import { alertFilter, newestAlerts } from "./alerts.ts";
import { CommandError } from "./errors.ts";
import { listQuarantine } from "./quarantine.ts";
import { readActors } from "./reader.ts";
import type { Known } from "./verb.ts";

/** What can be completed from what a state holds. */
export const COMPLETED = ["id", "alert", "quarantine", "field"] as const;
export const COMPLETIONS_MAX = 50;

/** Words that begin as the given one does, in any case. `kind`: whose fields. Throws USAGE. */
export async function completions(
  { view, rules }: Known,
  what: string,
  begin: string,
  kind: string | undefined,
): Promise<readonly string[]> {
  const lower = begin.toLowerCase();
  const fits = (word: string): boolean => word.toLowerCase().startsWith(lower);
  switch (COMPLETED.find((one) => one === what)) {
    case "id":
      return firstIds(view.store.actors(), lower);
    case "alert": {
      const { alerts } = await newestAlerts(view, alertFilter(view, {}, rules), Number.POSITIVE_INFINITY);
      return alerts
        .map(({ event }) => event.data.alertId)
        .filter(fits)
        .slice(-COMPLETIONS_MAX);
    }
    case "quarantine":
      return listQuarantine(view, { all: true }, Number.POSITIVE_INFINITY)
        .rows.map(({ id }) => id)
        .filter(fits)
        .slice(0, COMPLETIONS_MAX);
    case "field": {
      const factsOf = factsReader(view);
      const fields = new Set<string>();
      let looked = 0;
      for (const actor of readActors(view, (id) => kind === undefined || kindOf(id) === kind)) {
        for (const name of Object.keys(factsOf(actor))) fields.add(name);
        looked += 1;
        if (looked === ACTORS_LOOKED_AT) break;
      }
      return [...fields].filter(fits).sort().slice(0, COMPLETIONS_MAX);
    }
    case undefined:
      throw new CommandError("USAGE", `what: "${what}" is none of ${COMPLETED.join(", ")}`);
  }
}

/** Fields differ little within a kind. */
const ACTORS_LOOKED_AT = 100;

/** Keys, or ids with their kind if the word has a slash. */
function firstIds(actors: ReturnType<Known["view"]["store"]["actors"]>, lower: string): readonly string[] {
  const found: string[] = [];
  for (const [id] of actors) {
    const word = lower.includes("/") ? id : keyOf(id);
    if (word.toLowerCase().startsWith(lower)) found.push(word);
    if (found.length === COMPLETIONS_MAX) break;
  }
  return found;
}
