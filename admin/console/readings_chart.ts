import type { Inspection } from "../inspect.ts";
import type { Reading } from "../readings.ts";
import { instantText, isoMs } from "../time.ts";
import { type Query, textOf } from "../verb.ts";
import { encoded, type Html, html } from "./html.ts";
import type { PageContext } from "./page.ts";
import { nothing, panel } from "./panel.ts";
import { count, instant, label, shown } from "./words.ts";

const POINTS_MAX = 2_000;
const BEFORE_MS = 7 * 86_400_000;
/** The value that the bands of readings are of. */
const BANDED = "reading_kwh";
/** What is looked at first, where a record has it. */
const FIRST = [BANDED, "load_percentage", "load_mw", "current_production_mw", "production_mw"];

/** The readings of an actor as a table, which a script draws as a chart with the expected band and the alerts; null for one that has none. */
export async function readingsPanel(context: PageContext, { kind, id, episodes }: Inspection, query: Query): Promise<Html | null> {
  const self = `${kind}/${id}`;
  const until = textOf(query, "asOf");
  const untilMs = until === undefined ? null : isoMs(until);
  const times = untilMs === null ? {} : { since: instantText(untilMs - BEFORE_MS), until: instantText(untilMs) };
  const answer = await context.ask("readings", { id: self, ...times, limit: String(POINTS_MAX) });
  const readings = (answer.value as readonly Reading[]).filter(({ feed }) => !RECORDS_ONLY.includes(feed));
  const names = numericNames(readings);
  if (names.length === 0)
    return until === undefined && !MEASURED.includes(kind)
      ? null
      : panel(options(self, times, null), nothing("No readings in these seven days."));
  const chosen = names.find((name) => name === textOf(query, "metric")) ?? FIRST.find((name) => names.includes(name)) ?? names[0] ?? "";
  const points = readings.flatMap((reading) => {
    const value = reading.values[chosen];
    return typeof value === "number" ? [{ ...reading, value, band: chosen === BANDED ? reading.band : null }] : [];
  });
  return panel(options(self, times, choices(context.path, query, names, chosen)), figure(label(chosen), points, episodes));
}

/** These tell of things that happened: they are no course of a value. */
const RECORDS_ONLY = ["maintenance", "transformer_master", "customer_master"];
const MEASURED = ["meter", "transformer", "plant"];

type Point = Reading & { readonly value: number };

function options(self: string, times: Readonly<Record<string, string>>, note: Html | null) {
  const flags = Object.entries(times).map(([name, value]) => ` --${name} ${value}`);
  return { id: "readings", title: "Readings", note, command: `gridactor readings ${self}${flags.join("")}`, isWide: true };
}

function choices(path: string, query: Query, names: readonly string[], chosen: string): Html {
  const kept = ["asOf", "knownAt"]
    .flatMap((name) => (textOf(query, name) === undefined ? [] : [`${name}=${encoded(textOf(query, name) ?? "")}&`]))
    .join("");
  return html`<span class="choices">${names.map((name) =>
    name === chosen
      ? html`<strong aria-current="true">${label(name)}</strong>`
      : html`<a href="${path}?${kept}metric=${encoded(name)}" data-swap="actor-panels">${label(name)}</a>`,
  )}</span>`;
}

function figure(name: string, points: readonly Point[], episodes: Inspection["episodes"]): Html {
  const values = points.map(({ value }) => value);
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined) return nothing("No readings in these seven days.");
  const outside = points.filter(
    ({ value, band }) => band !== null && ((band.lower !== null && value < band.lower) || (band.upper !== null && value > band.upper)),
  );
  const marks = episodes.filter(({ startsAt, endsAt }) => startsAt <= last.eventTime && (endsAt === null || endsAt >= first.eventTime));
  const least = Math.min(...values);
  const most = Math.max(...values);
  return html`<figure class="chart" data-chart data-name="${name}">
<figcaption>${points.length === 1 ? "1 reading" : `${count(points.length)} readings`} of ${name}, ${instant(first.eventTime)} to ${instant(last.eventTime)}: ${least === most ? null : `from ${shown(least)} to ${shown(most)}, `}the latest ${shown(last.value)}${
    outside.length === 0 ? null : html`; ${count(outside.length)} outside what was expected`
  }${marks.length === 0 ? null : html`; ${count(marks.length)} ${marks.length === 1 ? "alert" : "alerts"}`}.</figcaption>
<div class="canvas scripted" data-canvas></div>
<p class="readout scripted" data-readout aria-live="polite"></p>
<ul class="marks" data-marks>${marks.map(
    ({ rule, severity, startsAt, endsAt }) =>
      html`<li data-from="${startsAt}" data-to="${endsAt ?? ""}" data-severity="${severity}" data-rule="${rule}"></li>`,
  )}</ul>
<button class="scripted" data-show-table aria-expanded="false">Show as table</button>
<div class="scroll" data-table tabindex="0" role="region" aria-label="Readings"><table><caption class="unseen">Readings of ${name}</caption>
<thead><tr><th scope="col">Time</th><th scope="col" class="number">${name}</th><th scope="col" class="number">Lower</th><th scope="col" class="number">Expected</th><th scope="col" class="number">Upper</th><th scope="col">Late</th></tr></thead>
<tbody>${points.map(
    ({
      eventTime,
      value,
      band,
      late,
    }) => html`<tr data-at="${Date.parse(eventTime) / 1_000}" data-value="${value}" data-lower="${band?.lower}" data-expected="${band?.expected}" data-upper="${band?.upper}"><td>${instant(
      eventTime,
    )}</td><td class="number">${shown(value)}</td><td class="number">${shown(band?.lower)}</td><td class="number">${shown(band?.expected)}</td><td class="number">${shown(band?.upper)}</td><td>${late ? "late" : ""}</td></tr>
`,
  )}</tbody></table></div>
</figure>`;
}

function numericNames(readings: readonly Reading[]): readonly string[] {
  const names = new Set<string>();
  for (const { values } of readings)
    for (const [name, value] of Object.entries(values)) if (typeof value === "number" && name !== "eventTime") names.add(name);
  return [...names];
}
