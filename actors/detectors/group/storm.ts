import type { Out } from "../../../engine/behaviour.ts";
import { actorIdFrom } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import { CHILDREN_AT_ONCE } from "../../rules/groups.ts";
import type { AlertRaised } from "../../tells.ts";

/** What a region keeps of a storm. Changed in place. */
export interface Storm {
  /** The alert `region.storm`. */
  readonly by: string;
  /** Actors whose silence it covers. */
  covered: readonly string[];
  /** It has ended, and they are being told. */
  isOver: boolean;
}

export const STORM_TIMER = "storm";

const COMMS = "comms";
const COVERED_MAX = 500;

/** After an hour was judged: a storm has begun, goes on, or is over. Null: there is none. */
export function followStorm(storm: Storm | null, atMs: number, out: Out<GridMessage>): Storm | null {
  const alert = out.alertOf("region.storm");
  if (alert?.isOpen === true) return storm ?? { by: alert.alertId, covered: [], isOver: false };
  if (storm === null || storm.isOver) return storm;
  storm.isOver = true;
  out.uncover(storm.by, atMs);
  out.wakeAt(STORM_TIMER, atMs);
  return storm;
}

/** In a storm silence is no news: what is raised of it is covered. False: it is something else. */
export function coverInStorm(storm: Storm | null, { actor, family, atMs }: AlertRaised, out: Out<GridMessage>): boolean {
  if (storm === null || storm.isOver || family !== COMMS) return false;
  if (storm.covered.includes(actor)) return true;
  if (storm.covered.length >= COVERED_MAX) return false;
  storm.covered = [...storm.covered, actor];
  out.tell(actor, { type: "alerts_claimed", by: storm.by, families: [COMMS], atMs });
  return true;
}

/** Whether the storm covers an alert of the region itself. */
export function stormOn(storm: Storm | null, family: string): string | null {
  return storm !== null && !storm.isOver && family === COMMS ? storm.by : null;
}

/** Lets go of so many actors at a time. Null: all are told. */
export function endStorm(storm: Storm, atMs: number, out: Out<GridMessage>): Storm | null {
  const now = storm.covered.slice(0, CHILDREN_AT_ONCE);
  for (const actor of now) out.tell(actorIdFrom(actor), { type: "alerts_released", by: storm.by, atMs });
  storm.covered = storm.covered.slice(now.length);
  if (storm.covered.length === 0) return null;
  out.wakeAt(STORM_TIMER, atMs + 1);
  return storm;
}
