import { alertLine } from "../engine/alert_line.ts";
import type { AlertEvent, Emission } from "../engine/emission.ts";
import { kindOf } from "../engine/ids.ts";
import { keptEntry } from "../engine/kept_alert.ts";
import { CommandError } from "./errors.ts";
import { globsMeet, literal, parseGlob } from "./glob.ts";
import { engineClockMs, findActor, findByPrefix, logFrom, prefixed, type View } from "./reader.ts";
import { parseSeverities } from "./severity.ts";
import { nearest } from "./suggest.ts";
import { timeMs } from "./time.ts";

/** Filters as they are typed. All that are given must hold. */
export interface AlertQuery {
  /** `major`: exactly; `major+`: major and worse. */
  readonly severity?: string | undefined;
  /** An actor: its own alerts, and those of all below it. */
  readonly under?: string | undefined;
  /** A rule's id, or a pattern with `*`. */
  readonly rule?: string | undefined;
  readonly kind?: string | undefined;
  /** `open`: neither cleared nor retracted; any other status: exactly that. */
  readonly status?: string | undefined;
  readonly origin?: string | undefined;
  /** Event time of the event, at or after. */
  readonly since?: string | undefined;
}

export type AlertFilter = (event: AlertEvent) => boolean;

/** An event with its number in the log. */
export type LoggedAlert = Emission & { readonly stream: "alerts" };

/** The newest events, in order of the log, and how many fit the filter. */
export interface AlertList {
  readonly alerts: readonly LoggedAlert[];
  readonly found: number;
}

/** Makes the filter. `rules`: ids of all rules. Throws NOT_FOUND for an actor or rule that does not exist, USAGE for a value that means nothing. */
export function alertFilter(view: View, query: AlertQuery, rules: readonly string[]): AlertFilter {
  const { severity, under, rule, kind, status, origin, since } = query;
  const tests: readonly AlertFilter[] = [
    severity === undefined ? [] : [bySeverity(severity)],
    under === undefined ? [] : [isUnder(view, under)],
    rule === undefined ? [] : [byRule(rule, rules)],
    kind === undefined ? [] : [ofKind(kind.toLowerCase(), view)],
    status === undefined ? [] : [byStatus(status.toLowerCase())],
    origin === undefined ? [] : [byOrigin(origin.toLowerCase())],
    since === undefined ? [] : [atOrAfter(timeMs(since, engineClockMs(view), "--since"))],
  ].flat();
  return (event) => tests.every((test) => test(event));
}

/** Events that were asked for and are no longer kept, or never were in this log: `requested` was the first, `firstAvailable` is where reading goes on. */
export interface Gap {
  readonly requested: number;
  readonly firstAvailable: number;
}

/** What is missing for a reader that goes on at `from`; null: nothing. */
export function gapAt({ store }: View, from: number): Gap | null {
  const firstAvailable = store.logStart("alerts");
  return from < firstAvailable || from > store.nextSequence ? { requested: from, firstAvailable } : null;
}

/** The newest event of each alert, of those that fit the latest `limit`. An alert is judged by its newest event. */
export async function newestAlerts(view: View, filter: AlertFilter, limit: number): Promise<AlertList> {
  const newest = new Map<string, LoggedAlert>();
  for await (const alert of keptAndLogged(view)) {
    newest.delete(alert.event.data.alertId); // So that the map stays in order of the log.
    newest.set(alert.event.data.alertId, alert);
  }
  const fitting = [...newest.values()].filter(({ event }) => filter(event));
  return { alerts: limit <= 0 ? [] : fitting.slice(-limit), found: fitting.length };
}

/** Every event that fits, from a sequence number on (inclusive), to the present end of the log. */
export async function* alertEvents(view: View, filter: AlertFilter, from: number): AsyncGenerator<LoggedAlert, void> {
  for await (const alert of alertsFrom(view, from)) if (filter(alert.event)) yield alert;
}

/** All events of one alert, by its id or the beginning of it. Throws NOT_FOUND, and USAGE if several begin so. */
export async function eventsOfAlert(view: View, idText: string): Promise<readonly LoggedAlert[]> {
  const ids = new Set<string>();
  const events: LoggedAlert[] = [];
  for await (const alert of keptAndLogged(view)) {
    const { alertId } = alert.event.data;
    ids.add(alertId);
    if (alertId.startsWith(prefixed("ALR-", idText))) events.push(alert);
  }
  const id = findByPrefix([...ids], "ALR-", idText, "alert");
  return events.filter(({ event }) => event.data.alertId === id);
}

export interface FollowOptions {
  readonly filter: AlertFilter;
  /** Where to begin (inclusive). Null: with the alerts that are open now. */
  readonly from: number | null;
  /** Resolves when the log may have grown since it was called, or the signal has fired. Never rejects. */
  readonly waitForMore: (signal: AbortSignal) => Promise<void>;
  /** Told of events that are no longer there when their turn comes; what follows them comes next. */
  readonly onGap?: (gap: Gap) => void;
}

/** A reader of the log of alerts that goes on for ever. */
export class AlertFollower {
  /** A follower that begins here misses nothing and repeats nothing; null: it must begin as this one did. */
  resumeFrom: number | null;
  readonly #view: View;
  readonly #options: FollowOptions;

  constructor(view: View, options: FollowOptions) {
    this.#view = view;
    this.#options = options;
    this.resumeFrom = options.from;
  }

  /** The events that fit, in order, until the signal fires. */
  async *events(signal: AbortSignal): AsyncGenerator<LoggedAlert, void> {
    const { filter, waitForMore, onGap = () => {} } = this.#options;
    let next = this.resumeFrom ?? 1;
    if (this.resumeFrom === null) {
      const { alerts, lastSequence } = await openAlerts(this.#view, filter);
      yield* alerts;
      next = Math.max(lastSequence + 1, this.#view.store.logStart("alerts"));
      this.resumeFrom = next;
    }
    while (!signal.aborted) {
      const more = waitForMore(signal); // Asked for before looking, so that nothing written in between is slept over.
      const gap = gapAt(this.#view, next);
      if (gap !== null) {
        onGap(gap);
        next = gap.firstAvailable;
        this.resumeFrom = next;
      }
      for await (const alert of alertsFrom(this.#view, next)) {
        next = alert.sequence + 1;
        this.resumeFrom = next;
        if (filter(alert.event)) yield alert;
        if (signal.aborted) return;
      }
      await more;
    }
  }
}

/** Lines for people, each with its line end. */
export function alertsText(alerts: readonly LoggedAlert[], color: boolean): string {
  return alerts.map(({ event, sequence }) => `${alertLine(event, sequence, color, true)}\n`).join("");
}

const STATUSES = ["open", "acknowledged", "shelved", "suppressed", "cleared", "retracted"];
const ORIGINS = ["live", "late", "backfill", "replay"];

async function* alertsFrom(view: View, from: number): AsyncGenerator<LoggedAlert, void> {
  for await (const entries of logFrom(view, "alerts", from)) {
    for (const entry of entries) {
      const emission = view.decode("alerts", entry);
      if (emission.stream === "alerts") yield emission;
    }
  }
}

/** What is left of open alerts whose log was cut, then the whole log. */
async function* keptAndLogged(view: View): AsyncGenerator<LoggedAlert, void> {
  const kept = [...view.store.range("open_alert", "")].map(([, row]) => view.decode("alerts", keptEntry(row)));
  for (const emission of kept.sort((a, b) => a.sequence - b.sequence)) if (emission.stream === "alerts") yield emission;
  yield* alertsFrom(view, 1);
}

/** What is open at the present end of the log, and where that end is. */
async function openAlerts(
  view: View,
  filter: AlertFilter,
): Promise<{ readonly alerts: readonly LoggedAlert[]; readonly lastSequence: number }> {
  const open = new Map<string, LoggedAlert>();
  let lastSequence = 0;
  for await (const alert of keptAndLogged(view)) {
    lastSequence = alert.sequence;
    open.delete(alert.event.data.alertId);
    if (isOpen(alert.event)) open.set(alert.event.data.alertId, alert);
  }
  return { alerts: [...open.values()].filter(({ event }) => filter(event)), lastSequence };
}

function isOpen({ data }: AlertEvent): boolean {
  return data.status !== "cleared" && data.status !== "retracted";
}

function bySeverity(text: string): AlertFilter {
  const wanted = parseSeverities(text.toLowerCase());
  if (wanted === null)
    throw new CommandError("USAGE", `--severity: "${text}" is no level`, {
      hint: "info, warning, major or critical; major+ for major and worse",
    });
  return ({ data }) => wanted.includes(data.severity);
}

function isUnder(view: View, text: string): AlertFilter {
  const above = findActor(view, text);
  return ({ subject, data }) => subject === above || data.path.includes(above);
}

function byRule(text: string, rules: readonly string[]): AlertFilter {
  const glob = parseGlob(text);
  if (typeof glob === "string") throw new CommandError("USAGE", `--rule: "${text}" is no pattern: ${glob}`);
  const wanted = rules.filter((rule) => globsMeet(glob, literal(rule)));
  if (wanted.length > 0) return ({ data }) => wanted.includes(data.rule);
  const near = nearest(text, rules);
  throw new CommandError("NOT_FOUND", `no rule ${text}`, {
    hint: `rules are ${rules.join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}

function ofKind(wanted: string, { domain }: View): AlertFilter {
  oneOf(
    wanted,
    domain.behaviours.map(({ kind }) => kind),
    "--kind",
  );
  return ({ subject }) => kindOf(subject) === wanted;
}

function byStatus(wanted: string): AlertFilter {
  oneOf(wanted, STATUSES, "--status");
  return wanted === "open" ? isOpen : ({ data }) => data.status === wanted;
}

function byOrigin(wanted: string): AlertFilter {
  oneOf(wanted, ORIGINS, "--origin");
  return ({ data }) => data.origin === wanted;
}

function atOrAfter(sinceMs: number): AlertFilter {
  return ({ time }) => Date.parse(time) >= sinceMs;
}

/** Throws USAGE if the word is none of the known ones. */
function oneOf(word: string, known: readonly string[], flag: string): void {
  if (known.includes(word)) return;
  const near = nearest(word, known);
  throw new CommandError("USAGE", `${flag}: "${word}" is none of ${known.join(", ")}`, { candidates: near === null ? [] : [near] });
}
