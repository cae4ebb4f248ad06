import type { Out, Woken } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import { type ActorId, actorIdFrom } from "../../../engine/ids.ts";
import { type Claimed, claimOn } from "../../claims.ts";
import type { GridMessage } from "../../message.ts";
import { CHILDREN_AT_ONCE, type SilentGroupRule } from "../../rules/groups.ts";
import { limitsOf } from "../../rules.ts";
import type { ChildBack, ChildQuiet } from "../../tells.ts";
import { groupSize, isOver } from "./shared.ts";

/** What a parent knows of its quiet children. Changed in place. */
export interface QuietGroup {
  /** Child -> when it was heard last, whether it is back, and what it was told: nothing yet, that it may speak (""), or the alert that covers it. */
  children: Record<string, readonly [sinceMs: number, isBack: boolean, told: string | null]>;
  /** A timer gathers children that fall silent together. */
  gathers: boolean;
  /** Enough children are quiet. */
  isShared: boolean;
  /** The parent's own parent knows; `waits`: it has not answered yet, and may know of more. */
  isTold: boolean;
  waits: boolean;
  /** When the parent's own alert was raised, or would have been. */
  spokeMs: number;
}

/** What a parent is, as far as its children's silence goes. */
export interface SilentParent {
  readonly rule: SilentGroupRule;
  /** How many children it has. */
  readonly children: number;
  readonly parent: ActorId | null;
  readonly claims: Claimed;
  /** What the silence is of, as far as the parent itself knows since then. */
  readonly causeSince: (sinceMs: number) => SilenceCause;
}

export type SilenceCause = "outage" | "communications" | "unknown";

export const GATHER_TIMER = "quiet";
export const SERVE_TIMER = "quiet served";

const COMMS = ["comms"];

export function quietGroup(): QuietGroup {
  return { children: {}, gathers: false, isShared: false, isTold: false, waits: false, spokeMs: 0 };
}

/** A child has fallen silent. It is looked at together with those that do so within the next minutes. */
export function childQuiet(group: QuietGroup, { child, sinceMs, atMs }: ChildQuiet, { rule }: SilentParent, out: Out<GridMessage>): void {
  group.children[child] = [sinceMs, false, group.children[child]?.[2] ?? null];
  if (group.gathers) return;
  group.gathers = true;
  out.wakeAt(GATHER_TIMER, atMs + minutes(limitsOf(out, rule).waitMinutes));
}

/** `<kind>.children_silent`: the children have had their time. What they share is first told upwards, where it may be shared by more. */
export function judgeGathered(group: QuietGroup, place: SilentParent, { dueMs }: Woken, out: Out<GridMessage>): void {
  group.gathers = false;
  const quiet = quietOf(group);
  if (quiet.length >= groupSize(place.children, limitsOf(out, place.rule))) group.isShared = true;
  const isWhole = group.isShared || (place.children === 1 && quiet.length === 1);
  if (isWhole && !group.isTold && place.parent !== null) {
    const sinceMs = Math.min(...quiet.map(([, [since]]) => since));
    out.tell(place.parent, { type: "child_quiet", child: out.self, sinceMs, atMs: dueMs });
    group.isTold = true;
    group.waits = true;
    return;
  }
  if (!group.waits) speak(group, place, dueMs, out);
}

/** The parent has answered. */
export function silenceJudged(group: QuietGroup, place: SilentParent, atMs: number, out: Out<GridMessage>): void {
  if (!group.waits) return;
  group.waits = false;
  speak(group, place, atMs, out);
}

/** A child is heard again; the silence is over once few are left. */
export function childBack(group: QuietGroup, { child, atMs: heardAtMs }: ChildBack, place: SilentParent, out: Out<GridMessage>): void {
  const atMs = Math.max(heardAtMs, group.spokeMs + 1); // A meter that has moved away does not know when.
  const entry = group.children[child];
  if (entry === undefined) return;
  const [sinceMs, , told] = entry;
  if (told === null || told === "") delete group.children[child];
  else group.children[child] = [sinceMs, true, told];
  const left = quietOf(group).length;
  if ((!group.isShared && !group.isTold) || !isOver(left, place.children, limitsOf(out, place.rule))) return;
  if (group.isTold && place.parent !== null) out.tell(place.parent, { type: "child_back", child: out.self, atMs });
  group.isShared = false;
  group.isTold = false;
  group.waits = false;
  const { rule, children } = place;
  const needed = groupSize(children, limitsOf(out, rule));
  out.observe(rule, { holds: false, atMs, value: "heard", evidence: { quiet: left, children, needed } });
  serveLater(atMs, out);
}

/** Tells children what covers them, so many at a time. Those that wait for the parent's parent are told later. */
export function serveChildren(group: QuietGroup, { rule, claims }: SilentParent, atMs: number, out: Out<GridMessage>): void {
  const own = group.isShared && !group.waits ? (out.alertOf(rule)?.alertId ?? null) : null;
  const covered = own ?? claimOn(claims, { rule: COMMS_ALERT, severity: "warning", isLatched: false }) ?? "";
  let served = 0;
  for (const [child, entry] of Object.entries(group.children).sort(byId)) {
    const [sinceMs, isBack, told] = entry;
    const due = isBack ? (group.isShared ? told : "") : covered;
    if (told === due || (told === null && group.waits)) continue;
    if (served === CHILDREN_AT_ONCE) return serveLater(atMs + 1, out);
    served += 1;
    const id = actorIdFrom(child);
    if (told !== null && told !== "") out.tell(id, { type: "alerts_released", by: told, atMs });
    if (due !== null && due !== "") out.tell(id, { type: "alerts_claimed", by: due, families: COMMS, atMs });
    if (told === null) out.tell(id, { type: "silence_judged", atMs });
    if (isBack) delete group.children[child];
    else group.children[child] = [sinceMs, false, due];
  }
}

/** What covers the parent has changed: so may what covers its children. */
export function serveLater(atMs: number, out: Out<GridMessage>): void {
  out.wakeAt(SERVE_TIMER, atMs);
}

const COMMS_ALERT = { family: "comms" } as const;

function speak(group: QuietGroup, place: SilentParent, atMs: number, out: Out<GridMessage>): void {
  const { rule, children, causeSince } = place;
  const quiet = quietOf(group);
  group.spokeMs = atMs;
  if (group.isShared && out.alertOf(rule)?.isOpen !== true) {
    const sinceMs = Math.min(...quiet.map(([, [since]]) => since));
    const evidence = { quiet: quiet.length, children, since: sinceMs, needed: groupSize(children, limitsOf(out, rule)) };
    out.observe(rule, { holds: true, atMs, value: causeSince(sinceMs), evidence });
  }
  serveLater(atMs, out);
}

function quietOf(group: QuietGroup): readonly (readonly [string, readonly [sinceMs: number, isBack: boolean, told: string | null]])[] {
  return Object.entries(group.children).filter(([, [, isBack]]) => !isBack);
}

function byId([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
