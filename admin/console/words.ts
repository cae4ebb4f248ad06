import type { CellValue } from "../../engine/emission.ts";
import { grouped } from "../format.ts";
import { spanText } from "../time.ts";
import { encoded, type Html, html } from "./html.ts";

/** An instant as people read it, `2025-06-15 16:23:45`, with the exact one behind it. */
export function instant(text: string | null): Html {
  if (text === null) return html`<span class="none">–</span>`;
  const shown = text.length > 10 ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : text;
  return html`<time datetime="${text}" title="${text}">${shown}</time>`;
}

/** `16:23:45` where the day is clear, with the exact instant behind it. */
export function timeOfDay(text: string): Html {
  return html`<time datetime="${text}" title="${text}">${text.slice(11, 19)}</time>`;
}

/** How long ago, in its largest units. */
export function age(seconds: number | null): string {
  return seconds === null ? "never" : spanText(seconds * 1_000);
}

/** A count, grouped in thousands. */
export function count(value: number): string {
  return grouped(value);
}

/** A number for eyes: at most three decimals, thousands grouped; what is no number stays as it is. */
export function shown(value: CellValue | undefined): string {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return grouped(value);
  const [whole = "", rest = ""] = String(Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3))).split(".");
  const large = grouped(Number(whole));
  return rest === "" ? large : `${Number(whole) === 0 ? whole : large}.${rest}`;
}

/** The page of an actor, by its id or key. */
export function actorPath(id: string): string {
  return `/a/${id.split("/").map(encoded).join("/")}`;
}

/** A link to an actor: its key, with its kind for those who hear the page. */
export function actorLink(id: string): Html {
  const key = id.slice(id.indexOf("/") + 1);
  return html`<a class="id" href="${actorPath(id)}">${key}</a>`;
}

/** A link to an alert; what only stands where an alert's id may (`maintenance`) is a word. */
export function alertLink(alertId: string): Html {
  if (!alertId.startsWith("ALR-")) return html`${alertId}`;
  return html`<a class="id" href="/alerts/${encoded(alertId)}">${alertId}</a>`;
}

/** `load_mw` -> `load MW`: the name of a column with its unit set apart. */
export function label(name: string): string {
  const unit = UNITS.find(([ending]) => name.endsWith(ending));
  const words = (unit === undefined ? name : name.slice(0, -unit[0].length)).replaceAll("_", " ");
  const spaced = words.replaceAll(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return unit === undefined ? spaced : `${spaced} ${unit[1]}`;
}

const UNITS: readonly (readonly [ending: string, unit: string])[] = [
  ["_kwh", "kWh"],
  ["_mwh", "MWh"],
  ["_mvar", "Mvar"],
  ["_mw", "MW"],
  ["_kw", "kW"],
  ["_kv", "kV"],
  ["_hz", "Hz"],
  ["_ppm", "ppm"],
  ["_percentage", "%"],
  ["_percent", "%"],
  ["_temperature_c", "temperature °C"],
  ["_rise_k", "rise K"],
  ["_c", "°C"],
  ["_k", "K"],
  ["_v", "V"],
  ["_a", "A"],
];
