import { ACTOR_COLUMNS } from "../actors/labels.ts";
import type { CuratedRow } from "../engine/emission.ts";
import { SEVERITIES } from "../engine/episode.ts";
import { ActorId } from "../engine/ids.ts";
import type { EpisodeTruth } from "./episode_truth.ts";
import type { ScoredAlert } from "./score_episodes.ts";

/** How often an alert of warning or more was raised where nothing was wrong. */
export interface CleanScore {
  readonly cleanActorDays: number;
  readonly falseAlerts: number;
  /** Null: there were no clean days. */
  readonly per1000: number | null;
  /** The first ones. */
  readonly falseIds: readonly string[];
}

const DAY_MS = 86_400_000;
const IDS_MAX = 20;
const WARNING = SEVERITIES.indexOf("warning");

/** The days of all actors that rows name, in UTC; those with a label, and those that follow one, are not clean. */
export class CleanDays {
  readonly #days = new Map<ActorId, Set<number>>();
  readonly #labelled = new Map<ActorId, Set<number>>();

  /** A row at its event time: all actors that it names were there on that day; if it is labelled, none of them is clean. */
  takeRow({ cells }: CuratedRow, atMs: number, isLabelled: boolean): void {
    const day = Math.floor(atMs / DAY_MS);
    for (const [column, kind] of Object.entries(ACTOR_COLUMNS)) {
      const key = cells[column];
      if (typeof key !== "string" || key === "") continue;
      const id = ActorId(kind, key);
      add(this.#days, id, day);
      if (isLabelled) this.#mark(id, day, day);
    }
  }

  takeTruth(truth: readonly EpisodeTruth[]): void {
    for (const { actor, label, fromMs, toMs } of truth) {
      const [first, last] = [Math.floor(fromMs / DAY_MS), Math.floor(toMs / DAY_MS)];
      for (let day = first; day <= last; day += 1) add(this.#days, actor, day);
      if (label !== null) this.#mark(actor, first, last);
    }
  }

  score(alerts: readonly ScoredAlert[]): CleanScore {
    let cleanActorDays = 0;
    for (const [id, days] of this.#days) for (const day of days) if (!this.#isLabelled(id, day)) cleanActorDays += 1;
    const wrong = alerts.filter(
      ({ actor, onsetMs, severity }) => SEVERITIES.indexOf(severity) >= WARNING && !this.#isLabelled(actor, Math.floor(onsetMs / DAY_MS)),
    );
    return {
      cleanActorDays,
      falseAlerts: wrong.length,
      per1000: cleanActorDays === 0 ? null : (1_000 * wrong.length) / cleanActorDays,
      falseIds: wrong.slice(0, IDS_MAX).map(({ id }) => id),
    };
  }

  #mark(id: ActorId, first: number, last: number): void {
    for (let day = first; day <= last + 1; day += 1) add(this.#labelled, id, day);
  }

  #isLabelled(id: ActorId, day: number): boolean {
    return this.#labelled.get(id)?.has(day) === true;
  }
}

function add(days: Map<ActorId, Set<number>>, id: ActorId, day: number): void {
  const known = days.get(id);
  if (known === undefined) days.set(id, new Set([day]));
  else known.add(day);
}
