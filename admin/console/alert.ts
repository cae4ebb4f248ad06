import { changeOf, seen } from "../../engine/alert_line.ts";
import type { AlertEvent } from "../../engine/emission.ts";
import { ALERT_HEADINGS, alertRow } from "./alert_rows.ts";
import { explainPanel } from "./explain.ts";
import { type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { severityMark } from "./severity_mark.ts";
import { actorLink, alertLink, instant, label, shown } from "./words.ts";
import { alertWrites } from "./write_forms.ts";

const CHILDREN_MAX = 10_000;
const CHILDREN_SHOWN = 50;

/** `/alerts/{alertId}`: one alert: what happened to it, why, what it rests on, and what it keeps quiet. */
export async function alert(context: PageContext, alertId: string): Promise<Page> {
  const events = (await context.ask("alert", { alertId })).value as readonly AlertEvent[];
  const newest = events.at(-1);
  if (newest === undefined) return { title: alertId, at: "alerts", body: nothing("It has no events."), status: 404 };
  const { data } = newest;
  const children = await suppressedBy(context, data.alertId);
  const body = html`<div id="alert" data-refresh="alert">
<header class="actor-head"><p class="kind">alert</p><h1>${data.alertId}</h1>${severityMark(data.severity, data.status)}<p class="badge">${data.status}</p></header>
<p class="lede"><span class="rule">${data.rule}</span> on ${actorLink(data.actor)}: ${seen(newest)}</p>
<div class="panels">
${summaryPanel(newest)}
${alertWrites(context, data)}
${await explainPanel(context, data.alertId)}
${eventsPanel(events)}
${evidencePanel(newest)}
${childrenPanel(children)}
</div></div>`;
  return { title: `${data.rule} on ${data.actor}`, at: "alerts", body };
}

function summaryPanel({ data }: AlertEvent): Html {
  const { observation } = data;
  const seenNow = Object.entries(observation).filter(([name, value]) => value !== null && name !== "unit" && name !== "metric");
  return panel(
    { id: "summary", title: "What is seen", command: `gridactor alert ${data.alertId}` },
    html`${facts([
      ["since", instant(data.startsAt)],
      ["until", instant(data.endsAt)],
      ["times", shown(data.count)],
      ["origin", data.origin],
      ["path", data.path.length === 0 ? "–" : data.path.map((id) => html`${actorLink(id)} `)],
      ...(data.flags.length === 0 ? [] : [["flags", data.flags.join(", ")] as const]),
      ...(data.suppressedBy === null ? [] : [["suppressed by", alertLink(data.suppressedBy)] as const]),
    ])}
<h3>${label(observation.metric)}${observation.unit === "" || observation.unit === "1" || label(observation.metric).endsWith(observation.unit) ? null : html` <span class="unit">${observation.unit}</span>`}</h3>
${facts(seenNow.map(([name, value]) => [name, shown(value)]))}`,
  );
}

function eventsPanel(events: readonly AlertEvent[]): Html {
  const headings = [
    { name: "Sequence", isNumber: true },
    { name: "Time" },
    { name: "Event" },
    { name: "Severity" },
    { name: "Status" },
    { name: "Seen" },
  ];
  const rows = events.map((event) => [
    String(Number(event.sequence)),
    instant(event.time),
    changeOf(event),
    severityMark(event.data.severity, event.data.status),
    event.data.status,
    seen(event),
  ]);
  return panel(
    { id: "events", title: "Events", note: "oldest first", isWide: true },
    table("Events of this alert, oldest first", headings, rows),
  );
}

function evidencePanel({ data }: AlertEvent): Html {
  const headings = ["Feed", "Source", "Position", "Event"].map((name) => ({ name }));
  const rows = data.evidence.map(({ feed, source, position, eventId }) => [
    feed ?? "–",
    source ?? "–",
    html`<code>${position}</code>`,
    html`<code>${eventId ?? "–"}</code>`,
  ]);
  return panel(
    { id: "evidence", title: "Evidence", note: "the records it rests on", isWide: true },
    rows.length === 0 ? nothing("None.") : table("Records that the newest event rests on", headings, rows),
  );
}

function childrenPanel(children: readonly AlertEvent[]): Html | null {
  if (children.length === 0) return null;
  return panel(
    {
      id: "children",
      title: "Suppressed by it",
      note: children.length > CHILDREN_SHOWN ? `${CHILDREN_SHOWN} of ${children.length}` : String(children.length),
      isWide: true,
    },
    table("Alerts that this one suppresses", ALERT_HEADINGS, children.slice(0, CHILDREN_SHOWN).map(alertRow)),
  );
}

async function suppressedBy(context: PageContext, alertId: string): Promise<readonly AlertEvent[]> {
  const { value } = await context.ask("alerts", { status: "suppressed", limit: String(CHILDREN_MAX) });
  return (value as readonly AlertEvent[]).filter(({ data }) => data.suppressedBy === alertId);
}
