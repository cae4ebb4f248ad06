import type { AlertEvent } from "../../engine/emission.ts";
import { parsedSearch } from "../http/route.ts";
import { SEVERITIES } from "../severity.ts";
import { type Parameter, type Query, textOf } from "../verb.ts";
import { ALERT_FILTERS } from "../verbs.ts";
import { ALERT_HEADINGS, alertRow } from "./alert_rows.ts";
import { encoded, type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { nothing, panel, table } from "./panel.ts";
import { count } from "./words.ts";

const ROWS = 100;
const KEYS: readonly Parameter[] = [
  ...ALERT_FILTERS,
  { name: "since", takes: "time", about: "event time" },
  { name: "limit", takes: "number", about: "rows at most" },
];

/** `/alerts`: the newest event of each alert, with filters that are kept in the address. */
export async function alerts(context: PageContext): Promise<Page> {
  const query = parsedSearch(context.search, KEYS);
  const { value, found = 0 } = await context.ask("alerts", { ...query, limit: textOf(query, "limit") ?? String(ROWS) });
  const events = [...(value as readonly AlertEvent[])].reverse();
  const last = Number(events[0]?.sequence ?? 0);
  const body = html`<h1>Alerts</h1>
${filters(query)}
${panel(
  {
    id: "alerts",
    title: found === 1 ? "1 alert" : `${count(found)} alerts`,
    note: html`<span data-feed-state>newest first</span>`,
    command: command(query),
    isWide: true,
  },
  html`<div id="alert-list" data-refresh="alert" data-after="${last}">${
    events.length === 0 ? nothing("No alert fits.") : table("Alerts, newest first", ALERT_HEADINGS, events.map(alertRow))
  }${events.length < found ? html`<p class="more"><a href="${address({ ...query, limit: String(Math.min(10_000, events.length * 5)) })}">Show more: these are ${count(events.length)} of ${count(found)}</a></p>` : null}</div>
<div class="unseen" role="log" aria-label="New alerts" data-feed-log></div>`,
)}`;
  return { title: "Alerts", at: "alerts", body };
}

function filters(query: Query): Html {
  const levels = SEVERITIES.flatMap((level) => (level === "critical" ? [level] : [level, `${level}+`])).reverse();
  const choices = Object.fromEntries(ALERT_FILTERS.map(({ name, takes }) => [name, typeof takes === "object" ? takes : []]));
  return html`<form class="filters" action="/alerts" aria-label="Filters" data-auto>
${select("Severity", "severity", levels, query)}
${select("Status", "status", choices["status"] ?? [], query)}
${field("Rule", "rule", "transformer.*", query)}
${field("Under", "under", "SUB-N-012", query)}
${select("Origin", "origin", choices["origin"] ?? [], query)}
${field("Since", "since", "6h", query)}
<button>Filter</button><a class="clear" href="/alerts">Clear</a>
</form>`;
}

function select(name: string, key: string, words: readonly string[], query: Query): Html {
  const chosen = textOf(query, key) ?? "";
  return html`<label>${name}<select name="${key}"><option value="">any</option>${words.map(
    (word) => html`<option value="${word}"${word === chosen ? html` selected` : null}>${word.replace("+", " and worse")}</option>`,
  )}</select></label>`;
}

function field(name: string, key: string, example: string, query: Query): Html {
  return html`<label>${name}<input name="${key}" value="${textOf(query, key) ?? ""}" placeholder="${example}" autocomplete="off" spellcheck="false" maxlength="128"></label>`;
}

function address(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) => (typeof value === "string" ? [`${name}=${encoded(value)}`] : []));
  return pairs.length === 0 ? "/alerts" : `/alerts?${pairs.join("&")}`;
}

function command(query: Query): string {
  const flags = Object.entries(query).flatMap(([name, value]) => (typeof value === "string" ? [`--${name} ${quoted(value)}`] : []));
  return ["gridactor alerts", ...flags].join(" ");
}

function quoted(value: string): string {
  return /^[\w./+-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
