import type { CellValue } from "../../engine/emission.ts";
import { CommandError } from "../errors.ts";
import { parsedSearch } from "../http/route.ts";
import type { Inspection } from "../inspect.ts";
import type { RegionRow } from "../regions.ts";
import type { TreeNode } from "../tree.ts";
import { type Parameter, textOf, textsOf } from "../verb.ts";
import { encoded, type Html, html } from "./html.ts";
import type { Page, PageContext } from "./page.ts";
import { panel } from "./panel.ts";
import type { RegionWatch } from "./region_watch.ts";
import { actorLink, count, instant, shown } from "./words.ts";

const CHILDREN = 100;
/** Rows that may be open at once: each is a question. */
const OPEN_MAX = 24;
const KEYS: readonly Parameter[] = [
  { name: "open", takes: "id", about: "a row whose children are shown", isMany: true },
  { name: "more", takes: "id", about: "a row of which the further children are shown" },
  { name: "from", takes: "number", about: "how many of them come before" },
];

/** `/grid`: region > substation > transformer > meter, opened row by row; which rows are open is in the address. */
export async function grid(context: PageContext, watch: RegionWatch): Promise<Page> {
  const query = parsedSearch(context.search, KEYS);
  const state: Opened = {
    open: textsOf(query, "open").slice(-OPEN_MAX),
    more: textOf(query, "more") ?? null,
    from: Math.max(0, Math.trunc(Number(textOf(query, "from") ?? 0)) || 0),
  };
  const { rows: regions, problem } = await watch.look(context);
  if (problem !== null && regions.length === 0) throw new CommandError("RETRY", problem);
  const rows = await Promise.all(regions.map((region) => branch(regionLine(region), 1, state, context)));
  const body = html`<h1>Grid</h1>
${panel(
  {
    id: "tree",
    title: "Regions, substations, transformers, meters",
    note: "the links in force",
    isWide: true,
    command: "gridactor tree NORTH",
  },
  html`<div class="scroll"><table class="tree" data-tree aria-label="Grid">
<thead><tr><th scope="col">Name</th><th scope="col">Kind</th><th scope="col">Status</th><th scope="col" class="number">Load</th><th scope="col" class="number">Measured</th><th scope="col" class="number">Open alerts</th><th scope="col">Last event</th></tr></thead>
<tbody>${rows}</tbody></table></div>`,
)}`;
  return { title: "Grid", at: "grid", body };
}

interface Opened {
  readonly open: readonly string[];
  readonly more: string | null;
  readonly from: number;
}

/** What a row shows of an actor. */
interface Line {
  readonly id: string;
  readonly kind: string;
  readonly status: string | null;
  readonly loadPercent: number | null;
  readonly measured: string;
  readonly openAlerts: number;
  readonly lastEvent: string | null;
}

async function branch(line: Line, level: number, state: Opened, context: PageContext): Promise<Html> {
  const isOpen = state.open.includes(line.id) && isParent(line.kind);
  const head = row(line, level, isOpen, state);
  return isOpen ? html`${head}${await below(line, level + 1, state, context)}` : head;
}

async function below({ id }: Line, level: number, state: Opened, context: PageContext): Promise<Html> {
  const from = state.more === id ? state.from : 0;
  const { value, found } = await context.ask("tree", { id, depth: "1", limit: String(from + CHILDREN) });
  const children = (value as TreeNode).children.slice(from).filter(({ kind }) => LEVELS.includes(kind));
  const inspected = await Promise.all(children.map((child) => context.ask("inspect", { id: `${child.kind}/${child.id}` })));
  const rows = await Promise.all(inspected.map(({ value: one }) => branch(inspectedLine(one as Inspection), level, state, context)));
  if (children.length === 0) return html`${rows}<tr class="level-${level}"><td colspan="7">Nothing hangs on it.</td></tr>`;
  const after = from + children.length;
  const rest =
    found === undefined || found <= after
      ? null
      : html`<tr class="level-${level}"><td colspan="7"><a href="${address({ ...state, more: id, from: after })}" data-swap="tree">the next ${CHILDREN} of ${count(found)}</a></td></tr>`;
  return html`${rows}${rest}`;
}

function row(
  { id, kind, status, loadPercent, measured, openAlerts, lastEvent }: Line,
  level: number,
  isOpen: boolean,
  state: Opened,
): Html {
  const key = id.slice(id.indexOf("/") + 1);
  const open = isOpen ? state.open.filter((one) => one !== id) : [...state.open, id];
  const toggle = isParent(kind)
    ? html`<a class="toggle" href="${address({ ...state, open })}" data-swap="tree" aria-label="${isOpen ? "Close" : "Open"} ${key}"><svg viewBox="0 0 10 10" aria-hidden="true"><path d="${isOpen ? "M1 3h8L5 8z" : "M3 1v8l5-4z"}"/></svg></a>`
    : html`<span class="toggle"></span>`;
  return html`<tr class="level-${level}" data-level="${level}" data-id="${id}"${isParent(kind) ? html` data-open="${isOpen ? "true" : "false"}"` : null}>
<th scope="row">${toggle}${actorLink(id)}</th><td>${kind}</td><td>${status === null ? html`<span class="none">–</span>` : status.toLowerCase().replaceAll("_", " ")}</td><td class="number">${loadCell(loadPercent)}</td><td class="number">${measured}</td><td class="number">${
    openAlerts === 0
      ? html`<span class="none">0</span>`
      : html`<a href="/alerts?status=open&amp;under=${encoded(id)}">${count(openAlerts)}</a>`
  }</td><td>${instant(lastEvent)}</td></tr>
`;
}

function loadCell(percent: number | null): Html {
  if (percent === null) return html`<span class="none">–</span>`;
  return html`<span class="load-cell"><svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="4"/><rect class="fill${
    percent >= 90 ? " high" : ""
  }" width="${Math.max(0, Math.min(100, Math.round(percent)))}" height="4"/></svg>${shown(Math.round(percent))} %</span>`;
}

function regionLine({ id, loadMw, capacityMw, openAlerts, latest }: RegionRow): Line {
  return {
    id: `region/${id}`,
    kind: "region",
    status: null,
    loadPercent: percentOf(loadMw, capacityMw),
    measured: loadMw === null ? "–" : `${shown(Math.round(loadMw))} MW`,
    openAlerts: Object.values(openAlerts).reduce((sum, one) => sum + one, 0),
    lastEvent: latest,
  };
}

function inspectedLine({ id, kind, state, openAlerts, clock }: Inspection): Line {
  const { latest, attributes } = state;
  const loadMw = latest?.["load_mw"];
  const capacityMw = latest?.["capacity_mw"] ?? attributes["capacity_mw"];
  const kwh = latest?.["reading_kwh"];
  const eventTime = latest?.["eventTime"];
  const clocks = Object.values(clock).filter((at) => at !== null);
  return {
    id: `${kind}/${id}`,
    kind,
    status: state.status,
    loadPercent: percentOf(loadMw, capacityMw),
    measured: typeof loadMw === "number" ? `${shown(loadMw)} MW` : typeof kwh === "number" ? `${shown(kwh)} kWh` : "–",
    openAlerts: openAlerts.length,
    lastEvent: typeof eventTime === "string" ? eventTime : (clocks.sort().at(-1) ?? null),
  };
}

function percentOf(load: CellValue | undefined, capacity: CellValue | undefined): number | null {
  return typeof load === "number" && typeof capacity === "number" && capacity > 0 ? (100 * load) / capacity : null;
}

/** From above to below. Plants hang on regions, too, but have no load to carry. */
const LEVELS: readonly string[] = ["region", "substation", "transformer", "meter", "plant"];

function isParent(kind: string): boolean {
  return kind === "region" || kind === "substation" || kind === "transformer";
}

function address({ open, more, from }: Opened): string {
  const pairs = [...open.map((id) => `open=${encoded(id)}`), ...(more === null ? [] : [`more=${encoded(more)}`, `from=${from}`])];
  return pairs.length === 0 ? "/grid" : `/grid?${pairs.join("&")}`;
}
