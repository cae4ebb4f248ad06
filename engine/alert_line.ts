import type { AlertEvent, Severity } from "./emission.ts";
import { keyOf } from "./ids.ts";

/**
 * One line for people, without line end: number, time of day (UTC; `isDated`: with its date), severity, change, rule, actor, what was seen, alert.
 *
 *     #3613  16:23:45Z  MAJOR     raised  meter.spike              SM-N-00042  86.412 kWh, limit 50      ALR-7K2Q9D4M1T5XHB3R
 *
 * A word that is wider than its column pushes the rest to the right. The severity is a word first; `color` only adds to it. Control characters,
 * which could come from a record, are shown as `?`: a line never steers a terminal.
 */
export function alertLine(event: AlertEvent, sequence: number, color: boolean, isDated = false): string {
  const { severity, rule, alertId } = event.data;
  const plain = (text: string, width: number): string => `${printable(text).padEnd(width - 1)} `;
  const level = printable(severity.toUpperCase());
  const cells = [
    `#${sequence}  ${isDated ? `${event.time.slice(0, 10)} ` : ""}${event.time.slice(11, 19)}Z  `,
    `${color ? `${STYLES[severity]}${level}${RESET}` : level}${" ".repeat(Math.max(1, 10 - level.length))}`,
    plain(changeOf(event), 8),
    plain(rule, 25),
    plain(keyOf(event.subject), 12),
    plain(seen(event), 26),
  ];
  return cells.join("") + printable(alertId);
}

const STYLES: Readonly<Record<Severity, string>> = {
  info: "\u001b[36m", // cyan
  warning: "\u001b[33m", // yellow
  major: "\u001b[1;33m", // bold yellow: red and green are never told apart by colour alone
  critical: "\u001b[1;37;41m", // bold white on red
};
const RESET = "\u001b[0m";

/** The word in the event's type: `energy.alert.raised.v1` -> `raised`; `retracted` where an amendment takes the alert back. */
export function changeOf({ type, data }: AlertEvent): string {
  return data.status === "retracted" ? "retracted" : (type.split(".")[2] ?? type);
}

/** `86.412 kWh, limit 50`: the limit is the one that was passed, else the upper one. */
export function seen({ data }: AlertEvent): string {
  const { value, unit, lower, upper } = data.observation;
  const limit = typeof value === "number" && lower !== null && value < lower ? lower : (upper ?? lower);
  const measured = `${typeof value === "number" ? short(value) : (value ?? "-")}${unit === "" || unit === "1" ? "" : ` ${unit}`}`;
  return limit === null ? measured : `${measured}, limit ${short(limit)}`;
}

/** At most three decimals, or three digits of a number below one. */
function short(value: number): string {
  return String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3)));
}

function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}|[\u2028\u2029]/gu, "?");
}
