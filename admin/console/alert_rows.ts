import { changeOf, seen } from "../../engine/alert_line.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { html, type Part } from "./html.ts";
import type { Heading } from "./panel.ts";
import { severityMark } from "./severity_mark.ts";
import { actorLink, alertLink, instant } from "./words.ts";

/** Columns of lists of alerts. */
export const ALERT_HEADINGS: readonly Heading[] = [
  { name: "Severity" },
  { name: "Since" },
  { name: "Status" },
  { name: "Rule" },
  { name: "Actor" },
  { name: "Seen" },
  { name: "Alert" },
];

/** A list's row: an alert, as its newest event tells. */
export function alertRow(event: AlertEvent): readonly Part[] {
  const { severity, status, startsAt, rule, alertId } = event.data;
  return [
    severityMark(severity, status),
    instant(startsAt),
    status,
    html`<span class="rule">${rule}</span>`,
    actorLink(event.subject),
    seen(event),
    alertLink(alertId),
  ];
}

/** One event in a live feed, in the form that the script of the page makes too. */
export function feedItem(event: AlertEvent): Part {
  const { severity, status, rule, alertId } = event.data;
  return html`<li data-sequence="${Number(event.sequence)}">${instant(event.time)}${severityMark(severity, status)}<span class="change">${changeOf(event)}</span><a class="rule" href="/alerts/${alertId}">${rule}</a>${actorLink(event.subject)}<span class="seen">${seen(event)}</span></li>
`;
}
