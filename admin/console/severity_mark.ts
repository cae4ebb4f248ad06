import type { AlertStatus, Severity } from "../../engine/emission.ts";
import { type Html, html } from "./html.ts";

/** A severity as shape, word and colour; grey where it is over. */
export function severityMark(severity: Severity, status: AlertStatus = "open"): Html {
  const isOver = status === "cleared" || status === "retracted" || status === "suppressed";
  return html`<span class="severity ${isOver ? "over" : severity}">${shape(severity)}${severity}</span>`;
}

/** The shape alone, for where the word stands elsewhere. */
export function shape(severity: Severity): Html {
  return html`<svg class="shape ${severity}" viewBox="0 0 12 12" aria-hidden="true"><path d="${SHAPES[severity]}"/></svg>`;
}

/** Paths in a box of 12, by severity. */
export const SHAPES: Readonly<Record<Severity, string>> = {
  critical: "M6 0 12 6 6 12 0 6z",
  major: "M6 .8 12 11.2H0z",
  warning: "M1.2 1.2h9.6v9.6H1.2z",
  info: "M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zm0 1.6a2.9 2.9 0 1 1 0 5.8 2.9 2.9 0 0 1 0-5.8z",
};
