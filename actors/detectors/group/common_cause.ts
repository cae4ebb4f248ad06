import type { AlertTurn, Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import { type ActorId, actorIdFrom } from "../../../engine/ids.ts";
import type { GridMessage } from "../../message.ts";
import type { CommonCauseRule } from "../../rules/groups.ts";
import { limitsOf } from "../../rules.ts";
import type { ChildAlerted } from "../../tells.ts";
import { type GroupLimits, groupSize, isOver } from "./shared.ts";

/** What a parent knows of its children's alerts. Changed in place. */
export interface Alarms {
  /** Family -> child -> when it was raised, for alerts that are not over. */
  open: Record<string, Record<string, number>>;
  /** Family -> the children whose alerts of it are covered, for each that many share. */
  covered: Record<string, readonly string[]>;
}

/** So many children are counted, and covered, at most. */
const CHILDREN_MAX = 200;

/** Silence is judged by `children_silent`, and what a parent says itself is no child's. */
const NOT_COUNTED = ["comms", "grid"];

export function alarms(): Alarms {
  return { open: {}, covered: {} };
}

/** Tells the parent, and the region, of an alert of warning or more. */
export function tellAlert(
  { rule, severity, isLatched, isOver: isEnded, isCovered, atMs }: AlertTurn,
  parent: ActorId | null,
  region: ActorId | null,
  out: Pick<Out<GridMessage>, "self" | "tell">,
): void {
  if (severity === "info") return;
  const about = { rule: rule.id, family: rule.family, atMs };
  if (parent !== null && !NOT_COUNTED.includes(rule.family))
    out.tell(parent, { type: "child_alerted", child: out.self, isOver: isEnded, ...about });
  if (region === null || isEnded || isCovered || rule.family === "grid") return; // What is covered calls nobody.
  out.tell(region, { type: "alert_raised", actor: out.self, isGrave: severity === "critical" || isLatched, ...about });
}

/** `<kind>.common_cause`: a child's alert has been raised or is over. */
export function childAlerted(
  state: Alarms,
  alert: ChildAlerted,
  { rule, children }: { readonly rule: CommonCauseRule; readonly children: number },
  out: Out<GridMessage>,
): void {
  const { family, atMs } = alert;
  if (alert.isOver) return childOver(state, alert, { rule, children }, out);
  const open = { ...state.open[family], [alert.child]: atMs };
  if (Object.keys(open).length > CHILDREN_MAX) return; // A group anyway, if they are one.
  state.open[family] = open;
  const covered = state.covered[family];
  if (covered !== undefined) {
    state.covered[family] = claim([alert.child], covered, { rule, family, atMs }, out);
    return;
  }
  const { withinMinutes, ...limits } = limitsOf(out, rule);
  const needed = neededOf(children, limits);
  const near = Object.values(open).filter((raisedAtMs) => Math.abs(atMs - raisedAtMs) <= minutes(withinMinutes));
  if (near.length < needed) return;
  out.observe(rule, { holds: true, atMs, value: near.length, limit: needed, evidence: { family, children, needed } });
  if (out.alertOf(rule)?.isOpen === true) state.covered[family] = claim(Object.keys(open).sort(), [], { rule, family, atMs }, out);
}

function childOver(
  state: Alarms,
  { family, child, atMs }: ChildAlerted,
  { rule, children }: { readonly rule: CommonCauseRule; readonly children: number },
  out: Out<GridMessage>,
): void {
  const { [child]: _, ...left } = state.open[family] ?? {};
  const count = Object.keys(left).length;
  if (count > 0) state.open[family] = left;
  else delete state.open[family];
  const covered = state.covered[family];
  if (covered === undefined || !isOver(count, children, limitsOf(out, rule))) return;
  delete state.covered[family];
  const by = out.alertOf(rule)?.alertId ?? "";
  const others = Object.values(state.covered).flat();
  for (const one of covered) if (!others.includes(one)) out.tell(actorIdFrom(one), { type: "alerts_released", by, atMs });
  if (Object.keys(state.covered).length > 0) return;
  const needed = neededOf(children, limitsOf(out, rule));
  out.observe(rule, { holds: false, atMs, value: count, limit: needed, evidence: { family, children, needed } });
}

/** Three at least, also of two or three. */
function neededOf(children: number, limits: GroupLimits): number {
  return Math.min(CHILDREN_MAX, Math.max(limits.countMin, groupSize(children, limits)));
}

/** Covers the alerts of so many children at most. Returns all whose alerts are covered. */
function claim(
  children: readonly string[],
  before: readonly string[],
  { rule, family, atMs }: { readonly rule: CommonCauseRule; readonly family: string; readonly atMs: number },
  out: Out<GridMessage>,
): readonly string[] {
  const by = out.alertOf(rule)?.alertId ?? "";
  const fresh = children.filter((child) => !before.includes(child)).slice(0, CHILDREN_MAX - before.length);
  for (const child of fresh) out.tell(actorIdFrom(child), { type: "alerts_claimed", by, families: [family], atMs });
  return [...before, ...fresh];
}
