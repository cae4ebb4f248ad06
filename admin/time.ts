import { days, parseSpanMs } from "../engine/duration.ts";
import { CommandError } from "./errors.ts";

const GRID_ZONE_MS = 19_800_000; // The grid keeps one time, +05:30, the whole year.
const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Reads a `T` of the command line: an ISO 8601 instant (without zone: UTC), a date (its 00:00 in the grid zone), `now`, or a span back (`90s`,
 * `15m`, `6h`, `7d`). Returns epoch ms. `now` and spans count from `clockMs`, the engine's clock, which is null while it holds no event.
 * Throws a USAGE `CommandError` that names `flag`.
 */
export function timeMs(text: string, clockMs: number | null, flag = "time"): number {
  const word = text.trim();
  const backMs = word === "now" ? 0 : parseSpanMs(word);
  if (backMs !== null) return count(backMs, clockMs, word, flag);
  const atMs = isoMs(word);
  if (atMs !== null) return atMs;
  throw new CommandError("USAGE", `${flag}: "${text}" is no time`, {
    hint: "an instant (2025-06-15T14:00:00Z), a date (2025-06-15), now, or a span back (90s, 15m, 6h, 7d)",
  });
}

/** Reads an ISO 8601 instant or a date. Null if it is neither, or names a day or hour that does not exist. */
export function isoMs(text: string): number | null {
  const match = ISO.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const dayMs = Date.UTC(year, month - 1, day);
  const date = new Date(dayMs);
  if (year < 1000 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null; // 30 February would roll over.
  if (match[4] === undefined) return dayMs - GRID_ZONE_MS;
  const offsetMs = zoneMs(match[8] ?? "Z");
  if (hour > 23 || minute > 59 || second > 59 || offsetMs === null) return null;
  const fractionMs = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1_000 + 1e-6); // 0.57 * 1000 is 569.99... in binary.
  return dayMs + ((hour * 60 + minute) * 60 + second) * 1_000 + fractionMs - offsetMs;
}

/** An instant in UTC with `Z`; milliseconds only where there are some: `2025-06-15T16:23:45.120Z`, `2025-06-16T04:00:01Z`. */
export function instantText(atMs: number): string {
  return new Date(atMs).toISOString().replace(".000Z", "Z");
}

/** The time of day in UTC, to the second: `16:23:45Z`. */
export function timeOfDayText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(11, 19)}Z`;
}

/** The civil date of an instant in the grid zone. */
export function gridDate(atMs: number): string {
  return new Date(atMs + GRID_ZONE_MS).toISOString().slice(0, 10);
}

/** A length of time for people, in its largest units: `250 ms`, `1.9 s`, `12 min 5 s`, `3 h 20 min`, `2 d 4 h`. */
export function spanText(spanMs: number): string {
  if (spanMs < 1_000) return `${Math.round(spanMs)} ms`;
  if (spanMs < 60_000) return `${Number((spanMs / 1_000).toFixed(1))} s`;
  if (spanMs < 3_600_000) return pair(spanMs, 60_000, "min", 1_000, "s");
  return spanMs < days(1) ? pair(spanMs, 3_600_000, "h", 60_000, "min") : pair(spanMs, days(1), "d", 3_600_000, "h");
}

function count(backMs: number, clockMs: number | null, word: string, flag: string): number {
  if (clockMs !== null) return clockMs - backMs;
  throw new CommandError("USAGE", `${flag}: "${word}" counts from the engine's clock, which stands nowhere: it holds no event yet`, {
    hint: "give an instant or a date",
  });
}

function zoneMs(zone: string): number | null {
  if (zone === "Z" || zone === "z") return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  if (hours > 18 || minutes > 59) return null;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function pair(spanMs: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const whole = Math.floor(spanMs / largeMs);
  const rest = Math.floor((spanMs % largeMs) / smallMs);
  return rest === 0 ? `${whole} ${large}` : `${whole} ${large} ${rest} ${small}`;
}
