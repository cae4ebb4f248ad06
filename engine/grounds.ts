import type { AlertDetails, CellValue } from "./emission.ts";
import type { RuleLimits } from "./rule.ts";

/** What an event rests on, as the alert event shows it. */
export type Grounds = AlertDetails;

/** What is left of a text when there is too much of them. */
const TEXT_MAX = 64;
const TEXTS = new WeakMap<RuleLimits, string>();

/**
 * Grounds as JSON text: equal grounds, equal text. Beyond `bytesMax` long texts are cut, then statistics are left out; numbers are not, for a rule's
 * verdict follows from them.
 */
export function groundsJson(grounds: Grounds, bytesMax: number): string {
  const whole = written(grounds);
  if (whole.length <= bytesMax / 3 || Buffer.byteLength(whole) <= bytesMax) return whole;
  const facts = shortened(grounds.facts);
  const short = written({ ...grounds, facts });
  return Buffer.byteLength(short) <= bytesMax ? short : written({ ...grounds, facts, before: null, after: null });
}

function written({ facts, limits, limitsFrom, before, after, versions }: Grounds): string {
  const rest = JSON.stringify({ limitsFrom, before, after, versions });
  return `{"facts":${JSON.stringify(facts)},"limits":${limitsJson(limits)},${rest.slice(1)}`;
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

function shortened(facts: Grounds["facts"]): Grounds["facts"] {
  const isLong = (value: CellValue): value is string => typeof value === "string" && value.length > TEXT_MAX;
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, isLong(value) ? `${value.slice(0, TEXT_MAX)}…` : value]));
}
