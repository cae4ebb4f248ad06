import type { AlertEvent, Severity } from "../../engine/emission.ts";
import type { Lag } from "../lag.ts";
import type { Progress } from "../progress.ts";
import { SEVERITIES } from "../severity.ts";
import { feedItem } from "./alert_rows.ts";
import { type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { nothing, panel } from "./panel.ts";
import { sourceState } from "./pipeline.ts";
import type { RegionWatch, Watched, WatchedRegion } from "./region_watch.ts";
import { shape } from "./severity_mark.ts";
import { actorPath, age, count, shown } from "./words.ts";

const FEED_EVENTS = 40;
const STALE_SECONDS = 900;
const WORST_FIRST = [...SEVERITIES].reverse();

/** `/`: a tile for each region, the latest alerts as they come, and how far each feed is behind. */
export async function overview(context: PageContext, watch: RegionWatch): Promise<Page> {
  const [regions, alerts, lag, progress] = await Promise.all([
    watch.look(context),
    context.wants("feed") ? context.ask("alerts", { limit: String(FEED_EVENTS) }) : { value: [] },
    context.ask("lag"),
    context.ask("progress"),
  ]);
  const events = alerts.value as readonly AlertEvent[];
  const body = html`<h1 class="unseen">Overview</h1>
${tiles(regions)}
<div class="columns">
${feedPanel(events)}
${lagPanel(lag.value as Lag, progress.value as Progress)}
</div>`;
  return { title: "Overview", at: "overview", body };
}

function tiles({ rows: regions, problem }: Watched): Html {
  const why = problem === null ? null : nothing(`The regions could not be summed up just now: ${problem}.`);
  if (regions.length === 0)
    return html`<div id="regions" data-refresh="time">${why ?? nothing("No region yet: nothing has been read.")}</div>`;
  return html`<div id="regions" data-refresh="time"><ul class="tiles" aria-label="Regions">${regions.map(tile)}</ul>${why}</div>`;
}

function tile(region: WatchedRegion): Html {
  const { id, loadMw, capacityMw, productionMw, recordsPerSecond, expected, reporting, ageSeconds, latest } = region;
  const isStale = ageSeconds === null || ageSeconds > STALE_SECONDS;
  const load = loadMw === null || capacityMw === null || capacityMw === 0 ? null : (100 * loadMw) / capacityMw;
  const complete = expected === 0 ? null : (100 * reporting) / expected;
  const path = `region/${id}`;
  return html`<li class="tile${isStale ? " stale" : ""}">
<header><h2><a href="${actorPath(path)}">${id}</a></h2><p class="age" title="${latest === null ? "nothing yet" : `latest event ${latest}`}">${
    isStale ? html`<strong>stale</strong> · ` : null
  }${freshness(ageSeconds)}</p></header>
<p class="load"><strong>${load === null ? "–" : Math.round(load)}</strong><span class="unit">% load</span><span class="of">${
    loadMw === null ? "no load measured" : `${shown(Math.round(loadMw))} / ${shown(capacityMw === null ? null : Math.round(capacityMw))} MW`
  }</span></p>
<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="${
    load !== null && load >= 90 ? "fill high" : "fill"
  }" width="${Math.min(100, Math.round(load ?? 0))}" height="4"/></svg>
<ul class="severities" aria-label="Open alerts">${WORST_FIRST.map((severity) => openCount(path, severity, region.openAlerts[severity]))}</ul>
<dl><div><dt>records/s</dt><dd${recordsPerSecond === null ? html` title="counted between two looks at this page: it is there when you look again"` : null}>${recordsPerSecond === null ? "–" : shown(recordsPerSecond)}</dd></div><div><dt>complete</dt><dd title="${count(
    reporting,
  )} of ${count(expected)} meters, transformers and plants were measured in the last day">${
    complete === null ? "–" : `${Math.floor(complete)} %`
  }</dd></div><div><dt>renewable</dt><dd>${productionMw === null ? "–" : `${shown(Math.round(productionMw))} MW`}</dd></div></dl>
</li>
`;
}

function freshness(ageSeconds: number | null): string {
  if (ageSeconds === null) return "no data";
  return ageSeconds === 0 ? "up to date" : `${age(ageSeconds)} behind`;
}

function openCount(path: string, severity: Severity, open: number): Html {
  return html`<li><a class="${open === 0 ? "zero" : severity}" href="/alerts?status=open&amp;severity=${severity}&amp;under=${path}" title="${count(
    open,
  )} open, ${severity}">${shape(severity)}<span>${count(open)}</span><span class="word">${severity}</span></a></li>`;
}

/** The list that the script of the page goes on with. */
export function feedPanel(events: readonly AlertEvent[]): Html {
  const last = Number(events.at(-1)?.sequence ?? 0);
  const items = [...events].reverse().map(feedItem);
  return panel(
    {
      id: "feed",
      title: "Alerts as they come",
      note: html`<span data-feed-state>newest first</span><button class="scripted" data-feed-pause aria-pressed="false">Pause</button>`,
      command: "gridactor alerts --follow",
    },
    html`<div class="scroll" tabindex="0" role="region" aria-label="Alert events, newest first"><ol class="feed" data-feed data-after="${last}">${items}</ol></div>
<div class="unseen" role="log" aria-label="New alerts" data-feed-log></div>`,
  );
}

/** How far each source is behind the newest event, and what it brings; one that brings nothing now is not behind. */
function lagPanel(lag: Lag, progress: Progress): Html {
  const rows = progress.sources.map(({ name, inputRowsPerSecond }) => {
    const { seconds = null, state = null } = lag.sources[name] ?? {};
    const isIdle = inputRowsPerSecond === null || inputRowsPerSecond === 0;
    const told = state === "down" ? sourceState(state) : isIdle ? html`<span class="none">idle</span>` : behindText(seconds);
    return html`<li><span>${name}</span><span class="number">${isIdle ? null : `${shown(inputRowsPerSecond)}/s`}</span><span class="number">${told}</span></li>`;
  });
  return panel(
    { id: "lag", title: "Sources", command: "gridactor lag" },
    html`<div data-refresh="time" id="lag-list">${rows.length === 0 ? nothing("No source is configured.") : html`<ul class="lag">${rows}</ul>`}</div>`,
  );
}

function behindText(seconds: number | null): string {
  if (seconds === null) return "–";
  return seconds === 0 ? "leads" : age(seconds);
}
