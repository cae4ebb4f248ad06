import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import { actorIdFrom } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import { CHILDREN_AT_ONCE } from "../../rules/groups.ts";
import { limitsOf } from "../../rules.ts";
import type { AlertRaised } from "../../tells.ts";

/** What a region knows of the alerts that are raised in it. Changed in place. */
export interface Flood {
  /** The latest of them: when, whose, of which rule, and whether it may be grouped away. One more than make a flood. */
  lately: readonly (readonly [atMs: number, actor: string, rule: string, isGrave: boolean])[];
  /** While there is a flood: alerts by rule. Null: there is none. */
  counts: Record<string, number> | null;
  /** The alert of a flood that is over, whose actors are still to be told. */
  ended: string | null;
}

/** Who keeps the actors whose alerts are covered, so many at most: apart, for they are many, and each alert changes the rest. Absent: there are none. */
export interface Covering {
  covered?: readonly string[];
}

export const FLOOD_TIMER = "flood";

const COVERED_MAX = 500;

export function flood(): Flood {
  return { lately: [], counts: null, ended: null };
}

/** `grid.flood`: an alert has been raised in the region. More than anybody can look at become one. */
export function judgeFlood(state: Flood, covering: Covering, { actor, rule, isGrave, atMs }: AlertRaised, out: Out<GridMessage>): void {
  const { limitCount, windowMinutes } = limitsOf(out, "grid.flood");
  const latestMs = Math.max(atMs, ...state.lately.map(([raisedAtMs]) => raisedAtMs));
  if (atMs < latestMs - minutes(windowMinutes)) return; // Of another time.
  const within = [...state.lately, [atMs, actor, rule, isGrave] as const].filter(([at]) => at > latestMs - minutes(windowMinutes));
  state.lately = within.slice(-(limitCount + 1));
  if (state.counts !== null) {
    if (state.lately.length <= limitCount) return judgeFloodEnd(state, covering, atMs, out); // The clock of its timer may lag.
    state.counts[rule] = (state.counts[rule] ?? 0) + 1;
    if (!isGrave) cover(covering, [actor], atMs, out);
    return;
  }
  if (state.lately.length <= limitCount || state.ended !== null) return;
  const counts: Record<string, number> = {};
  for (const [, , id] of state.lately) counts[id] = (counts[id] ?? 0) + 1;
  out.observe("grid.flood", { holds: true, atMs, value: state.lately.length, limit: limitCount, evidence: evidenceOf(counts) });
  if (out.alertOf("grid.flood")?.isOpen !== true) return;
  state.counts = counts;
  const mild = state.lately.flatMap(([, id, , grave]) => (grave ? [] : [id]));
  cover(covering, mild, atMs, out);
  out.wakeAt(FLOOD_TIMER, latestMs + minutes(windowMinutes));
}

/** The window has passed: it is over once there are no more than may be. Then its actors are told, so many at a time. */
export function judgeFloodEnd(state: Flood, covering: Covering, dueMs: number, out: Out<GridMessage>): void {
  const { limitCount, windowMinutes } = limitsOf(out, "grid.flood");
  if (state.counts !== null) {
    const left = state.lately.filter(([atMs]) => atMs > dueMs - minutes(windowMinutes));
    const oldestMs = left[0]?.[0] ?? dueMs;
    if (left.length > limitCount) return out.wakeAt(FLOOD_TIMER, oldestMs + minutes(windowMinutes));
    state.lately = left;
    state.ended = out.alertOf("grid.flood")?.alertId ?? "";
    out.observe("grid.flood", { holds: false, atMs: dueMs, value: left.length, limit: limitCount, evidence: evidenceOf(state.counts) });
    state.counts = null;
  }
  const { covered = [] } = covering;
  const now = covered.slice(0, CHILDREN_AT_ONCE);
  for (const actor of now) out.tell(actorIdFrom(actor), { type: "alerts_released", by: state.ended ?? "", atMs: dueMs });
  const left = covered.slice(now.length);
  if (left.length > 0) covering.covered = left;
  else delete covering.covered;
  if (left.length > 0) out.wakeAt(FLOOD_TIMER, dueMs + 1);
  else state.ended = null;
}

function cover(covering: Covering, actors: readonly string[], atMs: number, out: Out<GridMessage>): void {
  const { covered = [] } = covering;
  if (covered.length >= COVERED_MAX) return;
  const by = out.alertOf("grid.flood")?.alertId ?? "";
  const fresh = [...new Set(actors)].filter((actor) => !covered.includes(actor)).slice(0, COVERED_MAX - covered.length);
  for (const actor of fresh) out.tell(actorIdFrom(actor), { type: "alerts_claimed", by, families: null, atMs });
  if (fresh.length > 0) covering.covered = [...covered, ...fresh];
}

/** Counts by rule, the largest first. */
function evidenceOf(counts: Readonly<Record<string, number>>) {
  const all = Object.entries(counts).sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const shown = all.slice(0, 10).map(([rule, count]) => `${rule} ${count}`);
  return { alerts: all.reduce((sum, [, count]) => sum + count, 0), rules: all.length, by_rule: shown.join("; ") };
}
