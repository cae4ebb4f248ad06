import type { Out } from "../../../engine/behaviour.ts";
import { days } from "../../../engine/duration.ts";
import type { Severity } from "../../../engine/emission.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { ewma, SLOW_MS } from "../../statistics/ewma.ts";
import { rounded } from "../rounded.ts";

/** What the health of a transformer is made of: each between 0 (sound) and 1 (as bad as counts), or null where nothing is known. */
export interface HealthTerms {
  readonly gas_level: number | null;
  readonly gas_rate: number | null;
  readonly thermal_residual: number | null;
  readonly ageing: number | null;
  readonly overload: number | null;
  readonly failures: number | null;
  readonly age: number | null;
  readonly master_index: number | null;
}

/** The index as it was, for its fall within a month. Changed in place. */
export interface Health {
  index: number;
  usual: number;
  days: number;
}

/** Points of 100 that a term takes when it is 1. */
const WEIGHTS: Readonly<Record<keyof HealthTerms, number>> = {
  gas_level: 30,
  gas_rate: 15,
  thermal_residual: 15,
  ageing: 10,
  overload: 10,
  failures: 10,
  age: 5,
  master_index: 5,
};
const NAMES = Object.keys(WEIGHTS) as readonly (keyof HealthTerms)[];
/** Before it has been known for so long, a fall says nothing. */
const DAYS_MIN = 30;

/** `transformer.health`, once a day: the index and its fall against the month's mean. Terms that are not known take nothing, and are listed. */
export function judgeHealth(before: Health | null, terms: HealthTerms, atMs: number, out: Out<GridMessage>): Health {
  const limits = limitsOf(out, "transformer.health");
  const index = rounded(healthIndex(terms), 2);
  const state = { index, usual: ewma(before?.usual ?? null, index, days(1), SLOW_MS), days: (before?.days ?? 0) + 1 };
  const drop = state.days < DAYS_MIN ? 0 : state.usual - index;
  const isLow = index < limits.limitIndex;
  const isFalling = drop > limits.monthlyDrop;
  const severity: Severity = index < limits.criticalIndex ? "critical" : isLow ? "major" : "warning";
  const isBetween = !isLow && (index < limits.clearIndex || drop > limits.dropClear);
  out.observe("transformer.health", {
    holds: isLow || isFalling ? true : isBetween ? null : false,
    atMs,
    value: index,
    limit: limits.limitIndex,
    severity,
    ...(isBetween && !isFalling ? { reason: "window_open" } : {}),
    evidence: { drop: rounded(drop, 2), ...terms, missing: NAMES.filter((name) => terms[name] === null).join(" ") },
  });
  return state;
}

/** 100 less what each term takes. */
export function healthIndex(terms: HealthTerms): number {
  return NAMES.reduce((index, name) => index - WEIGHTS[name] * Math.min(1, Math.max(0, terms[name] ?? 0)), 100);
}
