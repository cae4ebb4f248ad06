import type { Out, Woken } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import { ActorId, keyOf } from "../../../engine/ids.ts";
import { type Claimed, claimOn } from "../../claims.ts";
import type { GridMessage } from "../../message.ts";
import { CHILDREN_AT_ONCE, type SilentGroupRule } from "../../rules/groups.ts";
import { limitsOf } from "../../rules.ts";
import type { ChildBack, ChildQuiet } from "../../tells.ts";
import { groupSize, isOver } from "./shared.ts";

/** What a parent knows of its quiet children. Changed in place. */
export interface QuietGroup {
  /** Key of a child -> what is known of it, as one number (`packed`): there may be hundreds. */
  children: Record<string, number>;
  /** Alerts that cover children, as numbers name them. */
  readonly alerts: string[];
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
  /** The kind of its children. */
  readonly childKind: string;
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
/** More are not looked at together: each speaks for itself. */
const CHILDREN_MAX = 1_000;

export function quietGroup(): QuietGroup {
  return { children: {}, alerts: [], gathers: false, isShared: false, isTold: false, waits: false, spokeMs: 0 };
}

/** A child has fallen silent. It is looked at together with those that do so within the next minutes. */
export function childQuiet(group: QuietGroup, { child, sinceMs, atMs }: ChildQuiet, { rule }: SilentParent, out: Out<GridMessage>): void {
  const key = keyOf(child);
  const before = group.children[key];
  if (before === undefined && Object.keys(group.children).length >= CHILDREN_MAX) return out.tell(child, { type: "silence_judged", atMs });
  group.children[key] = packed({ sinceMs, isBack: false, told: before === undefined ? NOTHING : unpacked(before).told });
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
    const sinceMs = Math.min(...quiet.map((one) => one.sinceMs));
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
  const key = keyOf(child);
  const entry = group.children[key];
  if (entry === undefined) return;
  const known = unpacked(entry);
  if (known.told < FIRST_ALERT) delete group.children[key];
  else group.children[key] = packed({ ...known, isBack: true });
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
export function serveChildren(group: QuietGroup, { rule, childKind, claims }: SilentParent, atMs: number, out: Out<GridMessage>): void {
  const own = group.isShared && !group.waits ? (out.alertOf(rule)?.alertId ?? null) : null;
  const covered = numberOf(group, own ?? claimOn(claims, { rule: COMMS_ALERT, severity: "warning", isLatched: false }));
  let served = 0;
  for (const key of Object.keys(group.children).sort()) {
    const child = unpacked(group.children[key] as number);
    const due = child.isBack ? (group.isShared ? child.told : ALONE) : covered;
    if (child.told === due || (child.told === NOTHING && group.waits)) continue;
    if (served === CHILDREN_AT_ONCE) return serveLater(atMs + 1, out);
    served += 1;
    const id = ActorId(childKind, key);
    if (child.told >= FIRST_ALERT) out.tell(id, { type: "alerts_released", by: alertNamed(group, child.told), atMs });
    if (due >= FIRST_ALERT) out.tell(id, { type: "alerts_claimed", by: alertNamed(group, due), families: COMMS, atMs });
    if (child.told === NOTHING) out.tell(id, { type: "silence_judged", atMs });
    if (child.isBack) delete group.children[key];
    else group.children[key] = packed({ ...child, told: due });
  }
  if (Object.keys(group.children).length === 0) group.alerts.length = 0;
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
    const sinceMs = Math.min(...quiet.map((one) => one.sinceMs));
    const evidence = { quiet: quiet.length, children, since: sinceMs, needed: groupSize(children, limitsOf(out, rule)) };
    out.observe(rule, { holds: true, atMs, value: causeSince(sinceMs), evidence });
  }
  serveLater(atMs, out);
}

function quietOf(group: QuietGroup): readonly QuietChild[] {
  return Object.values(group.children)
    .map(unpacked)
    .filter(({ isBack }) => !isBack);
}

// Children as numbers -------------------------------------------------------------------------------------------------------------------

interface QuietChild {
  /** When it was heard last, to a minute. */
  readonly sinceMs: number;
  readonly isBack: boolean;
  /** `NOTHING`, `ALONE`, or the number of the alert that covers it. */
  readonly told: number;
}

const NOTHING = 0;
/** It may speak for itself. */
const ALONE = 1;
const FIRST_ALERT = 2;
/** Alerts that a group names at a time: its own, and those of its parents. */
const ALERTS_MAX = 14;

function packed({ sinceMs, isBack, told }: QuietChild): number {
  return Math.floor(sinceMs / minutes(1)) * 32 + (isBack ? 16 : 0) + told;
}

function unpacked(entry: number): QuietChild {
  return { sinceMs: Math.floor(entry / 32) * minutes(1), isBack: (entry & 16) !== 0, told: entry & 15 };
}

/** The number of an alert; a new one takes the place of one that covers nobody any more. */
function numberOf(group: QuietGroup, alertId: string | null): number {
  if (alertId === null) return ALONE;
  const known = group.alerts.indexOf(alertId);
  if (known >= 0) return known + FIRST_ALERT;
  const used = new Set(Object.values(group.children).map((entry) => unpacked(entry).told));
  const free = Array.from({ length: ALERTS_MAX }, (_, n) => n).find((n) => !used.has(n + FIRST_ALERT)) ?? 0;
  group.alerts[free] = alertId;
  return free + FIRST_ALERT;
}

function alertNamed(group: QuietGroup, number: number): string {
  return group.alerts[number - FIRST_ALERT] ?? "";
}
