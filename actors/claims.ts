import type { AlertTurn, Out } from "../engine/behaviour.ts";
import type { GridMessage } from "./message.ts";
import type { AlertsClaimed, AlertsReleased } from "./tells.ts";

/** A parent's alert that covers alerts of an actor. `families` null: all, but those that are critical or latched. */
export interface Claim {
  readonly by: string;
  readonly families: readonly string[] | null;
}

/** An actor that parents' alerts may cover. Absent: none does. */
export interface Claimed {
  claims?: readonly Claim[];
}

/** A parent has found what its children share: open alerts of theirs are covered, and those to come while the claim stands. */
export function takeClaim(state: Claimed, { by, families, atMs }: AlertsClaimed, out: Out<GridMessage>): void {
  const before = (state.claims ?? []).find((one) => one.by === by);
  const claim: Claim = { by, families: before?.families == null || families === null ? families : [...before.families, ...families] };
  state.claims = [...(state.claims ?? []).filter((one) => one.by !== by), claim];
  out.cover(by, (rule, severity) => isCovered(claim, { rule, severity, isLatched: rule.latched === true }), atMs);
}

/** That alert is over. What it covered stands by itself, or is covered by the next one. */
export function dropClaim(state: Claimed, { by, atMs }: AlertsReleased, out: Out<GridMessage>): void {
  const left = (state.claims ?? []).filter((one) => one.by !== by);
  if (left.length > 0) state.claims = left;
  else delete state.claims;
  out.uncover(by, atMs);
}

/** The alert that covers one which is being raised; null: none does. */
export function claimOn({ claims = [] }: Claimed, alert: Coverable): string | null {
  return claims.find((claim) => isCovered(claim, alert))?.by ?? null;
}

interface Coverable extends Pick<AlertTurn, "severity" | "isLatched"> {
  readonly rule: Pick<AlertTurn["rule"], "family">;
}

function isCovered({ families }: Claim, { rule, severity, isLatched }: Coverable): boolean {
  if (families !== null) return families.includes(rule.family);
  return severity !== "critical" && !isLatched && rule.family !== "grid";
}
