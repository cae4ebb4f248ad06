import type { HistoryRow } from "../history.ts";
import { parsedSearch } from "../http/route.ts";
import type { Inspection } from "../inspect.ts";
import { printableJson } from "../printable.ts";
import { isoMs } from "../time.ts";
import { type Parameter, type Query, textOf } from "../verb.ts";
import { type Html, html, lines } from "./html.ts";
import { lanes } from "./lanes.ts";
import type { Page, PageContext } from "./page.ts";
import { facts, nothing, panel, table } from "./panel.ts";
import { readingsPanel } from "./readings_chart.ts";
import { severityMark } from "./severity_mark.ts";
import { timeTravel } from "./time_travel.ts";
import { actorLink, alertLink, count, instant, label, shown } from "./words.ts";

const KEYS: readonly Parameter[] = [
  { name: "asOf", takes: "time", about: "as it was then" },
  { name: "knownAt", takes: "time", about: "as it was known then" },
  { name: "metric", takes: "text", about: "what the chart shows" },
];

/** `/a/{id}`: one actor, now or as of a time, as it was known at another. */
export async function actor(context: PageContext, id: string): Promise<Page> {
  const query = parsedSearch(context.search, KEYS);
  const { metric: _, ...times } = query;
  const now = (await context.ask("inspect", { id })).value as Inspection; // First, so that an id that does not exist is said once.
  const self = `${now.kind}/${now.id}`;
  const { asOf, ...known } = times;
  const isPast = asOf !== undefined || known["knownAt"] !== undefined;
  const [then, history, all] = await Promise.all([
    isPast ? context.ask("inspect", { id: self, ...times }) : { value: now },
    context.ask("history", { id: self, ...known, limit: "1000" }),
    context.ask("history", { id: self, all: true, limit: "1000" }),
  ]);
  const shownActor = then.value as Inspection;
  const versions = history.value as readonly HistoryRow[];
  const asOfMs = typeof asOf === "string" ? isoMs(asOf) : null;
  const inForce = asOfMs === null ? null : versionAt(versions, asOfMs);
  const body = html`${head(shownActor, times)}
${timeTravel({ path: context.path, query, inspection: now, facts: all.value as readonly HistoryRow[], nowMs: context.facts.nowMs() })}
<div class="panels" id="actor-panels"${isPast ? null : html` data-refresh="slow"`}>
${statePanel(shownActor, times)}
${isPast ? null : measuredPanel(shownActor)}
${await readingsPanel(context, now, query)}
${historyPanel(self, versions, inForce, times)}
${episodesPanel(shownActor, times)}
${rawPanel(shownActor, times)}
</div>`;
  return { title: `${now.id} (${now.kind})`, at: null, body };
}

function head({ id, kind, state, openAlerts }: Inspection, times: Query): Html {
  const at = [textOf(times, "asOf"), textOf(times, "knownAt")];
  return html`<header class="actor-head" id="actor-head"><p class="kind">${kind}</p><h1>${id}</h1>${
    state.status === null ? null : html`<p class="badge">${state.status.toLowerCase().replaceAll("_", " ")}</p>`
  }<p class="${openAlerts.length === 0 ? "none" : "open-count"}">${openAlerts.length === 0 ? "no open alert" : `${count(openAlerts.length)} open`}</p>${
    at[0] === undefined ? null : html`<p class="badge then">as of ${at[0]}</p>`
  }${at[1] === undefined ? null : html`<p class="badge then">known at ${at[1]}</p>`}</header>`;
}

function statePanel({ id, kind, state, links, counts, clock }: Inspection, times: Query): Html {
  const linked = Object.entries(links);
  const attributes = Object.entries(state.attributes);
  return panel(
    { id: "state", title: "State", command: said("inspect", `${kind}/${id}`, times), isWide: Object.keys(times).length > 0 },
    html`${
      linked.length === 0
        ? null
        : html`<p class="path" aria-label="Links">${linked.map(
            ([name, target]) => html`<span><span class="kind">${name}</span>${actorLink(target)}</span>`,
          )}</p>`
    }
${attributes.length === 0 ? nothing("It has no attributes.") : facts(attributes.map(([name, value]) => [label(name), shown(value)]))}
<h3>Counts</h3>${facts([...Object.entries(counts).map(([name, value]) => [name, count(value)] as const), ...Object.entries(clock).map(([feed, at]) => [`clock ${feed.replaceAll("_", " ")}`, instant(at)] as const)])}`,
  );
}

function measuredPanel({ state }: Inspection): Html {
  const { latest, rolling } = state;
  const values = Object.entries(latest ?? {}).filter(([name]) => name !== "eventTime" && name !== "eventId");
  const eventTime = latest?.["eventTime"];
  return panel(
    { id: "measured", title: "Measured", note: typeof eventTime === "string" ? instant(eventTime) : null },
    html`${
      latest === null
        ? nothing("Nothing has been measured yet.")
        : html`<dl class="readings">${values.map(([name, value]) => html`<div><dt>${label(name)}</dt><dd>${shown(value)}</dd></div>`)}</dl>`
    }
${rolling === null ? null : html`<h3>Usual</h3>${facts(Object.entries(rolling).map(([name, value]) => [label(name), shown(value)]))}`}`,
  );
}

function historyPanel(id: string, versions: readonly HistoryRow[], inForce: HistoryRow | null, { asOf: _, ...known }: Query): Html {
  const { length } = versions;
  return panel(
    {
      id: "history",
      title: "History",
      note:
        length === 0
          ? null
          : inForce === null
            ? `${length} version${length === 1 ? "" : "s"}`
            : html`version <strong data-version>${inForce.version}</strong> in force`,
      command: said("history", id, known),
      isWide: true,
    },
    length === 0 ? nothing("It keeps no versions: only what it measures changes.") : lanes(versions, inForce),
  );
}

function episodesPanel({ id, kind, episodes }: Inspection, times: Query): Html {
  const rows = [...episodes]
    .reverse()
    .map((one) => [
      severityMark(one.severity, one.status),
      html`<span class="rule">${one.rule}</span>`,
      one.status,
      instant(one.startsAt),
      instant(one.endsAt),
      alertLink(one.alertId),
    ]);
  const headings = ["Severity", "Rule", "Status", "From", "To", "Alert"].map((name) => ({ name }));
  const isPast = Object.keys(times).length > 0;
  return panel(
    {
      id: "episodes",
      title: "Episodes",
      note: isPast ? "as told by then" : "the latest of each rule",
      command: `gridactor alerts --under ${kind}/${id}`,
      isWide: true,
    },
    rows.length === 0 ? nothing("None.") : table("Episodes of this actor, newest first", headings, rows),
  );
}

function rawPanel(inspection: Inspection, times: Query): Html {
  return panel(
    { id: "raw", title: "Raw state", command: `${said("inspect", `${inspection.kind}/${inspection.id}`, times)} --json`, isWide: true },
    html`<details><summary>JSON, as the API answers it</summary><pre tabindex="0" aria-label="Raw state">${lines(printableJson(inspection, 2))}</pre></details>`,
  );
}

function versionAt(versions: readonly HistoryRow[], atMs: number): HistoryRow | null {
  const ms = (text: string): number => isoMs(text) ?? Number.NaN;
  return versions.find(({ validFrom, validTo }) => ms(validFrom) <= atMs && (validTo === null || ms(validTo) > atMs)) ?? null;
}

function said(verb: string, id: string, times: Query): string {
  const flags = [
    ["--as-of", textOf(times, "asOf")],
    ["--known-at", textOf(times, "knownAt")],
  ].flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`]));
  return ["gridactor", verb, id, ...flags].join(" ");
}
