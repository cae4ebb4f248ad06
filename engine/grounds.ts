import type { AlertDetails, CellValue } from "./emission.ts";
import type { RuleLimits } from "./rule.ts";

/** What an event rests on, as the alert event shows it. */
export type Grounds = AlertDetails;

/** A longer text is cut: evidence of an event has 2 KiB at most. */
const TEXT_MAX = 400;
const TEXTS = new WeakMap<RuleLimits, string>();

/** Grounds as JSON text: equal grounds, equal text. */
export function groundsJson({ facts, limits, limitsFrom, before, after, versions }: Grounds): string {
  const rest = JSON.stringify({ limitsFrom, before, after, versions });
  return `{"facts":${JSON.stringify(cut(facts))},"limits":${limitsJson(limits)},${rest.slice(1)}`;
}

/** The limits of a rule hardly ever change: their text is made once. */
function limitsJson(limits: RuleLimits): string {
  let text = TEXTS.get(limits);
  if (text === undefined) {
    text = JSON.stringify(limits);
    TEXTS.set(limits, text);
  }
  return text;
}

function cut(facts: Grounds["facts"]): Grounds["facts"] {
  const isLong = (value: CellValue): value is string => typeof value === "string" && value.length > TEXT_MAX;
  if (!Object.values(facts).some(isLong)) return facts;
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, isLong(value) ? `${value.slice(0, TEXT_MAX)}…` : value]));
}
