import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { Severity } from "../../../engine/emission.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { alphaOf, SLOW_MS } from "../../statistics/ewma.ts";
import { rounded } from "../rounded.ts";
import type { Sample } from "./sample.ts";

/** How long and how far load has been above capacity. */
export interface Excess {
  readonly atMs: number;
  /** Hours of (K^2 - 1): what the losses above their rated value add up to. Ends when the load is back. */
  readonly hours: number;
  /** Hours above capacity, of which a month takes two thirds. */
  readonly overHours: number;
}

/** A longer gap between samples says nothing about what was between them. */
const GAP_MAX_MS = hours(1);

/** `transformer.overload`: load against capacity as of the record, both recomputed. Returns what is kept. */
export function judgeOverload(before: Excess | null, { atMs, load, ratedMw, loadMw }: Sample, out: Out<GridMessage>): Excess | null {
  if (load === null) {
    out.observe("transformer.overload", { holds: null, atMs, value: null, reason: "field_absent" });
    return before;
  }
  const { limitPercent, clearPercent, majorPercent, criticalPercent, majorExcessHours } = limitsOf(out, "transformer.overload");
  const percent = Math.round(10_000 * load) / 100;
  const excess = grown(before, atMs, load, percent < clearPercent);
  const severity: Severity =
    percent > criticalPercent ? "critical" : percent > majorPercent || excess.hours > majorExcessHours ? "major" : "warning";
  out.observe("transformer.overload", {
    holds: percent > limitPercent,
    atMs,
    value: percent,
    limit: limitPercent,
    clear: clearPercent,
    severity,
    evidence: { load_mw: loadMw, capacity_mw: ratedMw, excess_hours: rounded(excess.hours, 3) },
  });
  return excess;
}

function grown(before: Excess | null, atMs: number, load: number, isBack: boolean): Excess {
  const elapsedMs = before === null ? 0 : Math.max(0, atMs - before.atMs);
  const covered = Math.min(GAP_MAX_MS, elapsedMs) / hours(1);
  const kept = (before?.overHours ?? 0) * (1 - alphaOf(elapsedMs, SLOW_MS));
  return {
    atMs,
    hours: isBack ? 0 : (before?.hours ?? 0) + Math.max(0, load * load - 1) * covered,
    overHours: kept + (load > 1 ? covered : 0),
  };
}
