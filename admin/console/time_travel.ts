import type { HistoryRow } from "../history.ts";
import type { Inspection } from "../inspect.ts";
import { instantText, isoMs } from "../time.ts";
import { type Query, textOf } from "../verb.ts";
import { type Html, html } from "./html.ts";

export interface TimeTravel {
  readonly path: string;
  readonly query: Query;
  /** The actor as it is now. */
  readonly inspection: Inspection;
  /** All that was ever believed of it. */
  readonly facts: readonly HistoryRow[];
  /** Epoch ms, of the wall. */
  readonly nowMs: number;
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const BEFORE_MS = 30 * DAY_MS;

/** Two times, each a field and a slider over it: when it held, and when it was known. A script moves the sliders; without one the fields are sent. */
export function timeTravel({ path, query, inspection, facts, nowMs }: TimeTravel): Html {
  const clocks = times([...Object.values(inspection.clock), inspection.state.latest?.["eventTime"]]);
  const valid = times(facts.flatMap(({ validFrom, validTo }) => [validFrom, validTo]));
  const known = times(facts.flatMap(({ knownFrom, knownTo }) => [knownFrom, knownTo]));
  const validToMs = Math.max(...clocks, ...valid.map((ms) => ms + DAY_MS), Number.NEGATIVE_INFINITY);
  const validFromMs = Math.min(...valid, validToMs - BEFORE_MS);
  const knownFromMs = Math.min(...known, nowMs - DAY_MS) - HOUR_MS;
  return html`<form class="travel" action="${path}" data-travel aria-label="Time">
${slider("As of", "asOf", textOf(query, "asOf"), validFromMs, validToMs, "now")}
${slider("Known at", "knownAt", textOf(query, "knownAt"), knownFromMs, nowMs, "now")}
${textOf(query, "metric") === undefined ? null : html`<input type="hidden" name="metric" value="${textOf(query, "metric")}">`}
<button>Show</button><a class="clear" href="${path}" data-travel-now>Now</a>
</form>`;
}

/** The slider's values are seconds; at its end it means now. */
function slider(name: string, key: string, value: string | undefined, fromMs: number, toMs: number, placeholder: string): Html {
  const spanMs = Math.max(HOUR_MS, toMs - fromMs);
  const stepMs = spanMs > 60 * DAY_MS ? DAY_MS : spanMs > 2 * DAY_MS ? HOUR_MS : 60_000;
  const from = Math.floor(fromMs / stepMs) * stepMs;
  const to = Math.ceil(toMs / stepMs) * stepMs;
  const hasRange = Number.isFinite(from) && Number.isFinite(to);
  const given = value === undefined ? to : (isoMs(value) ?? to);
  return html`<div class="time"><label for="${key}">${name}</label><input id="${key}" name="${key}" value="${value ?? ""}" placeholder="${placeholder}" autocomplete="off" spellcheck="false" maxlength="64">${
    hasRange
      ? html`<input class="scripted" type="range" aria-label="${name}, slider" data-for="${key}" min="${from / 1_000}" max="${to / 1_000}" step="${stepMs / 1_000}" value="${
          Math.min(to, Math.max(from, given)) / 1_000
        }" aria-valuetext="${value ?? "now"}"><span class="ends" aria-hidden="true"><span>${instantText(from).slice(0, 10)}</span><span>${instantText(to).slice(0, 10)}</span></span>`
      : null
  }</div>`;
}

function times(values: readonly unknown[]): readonly number[] {
  return values.flatMap((value) => (typeof value === "string" ? (isoMs(value) ?? []) : []));
}
