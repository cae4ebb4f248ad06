import { EPISODE_LABELS } from "../actors/labels.ts";
import { RULES } from "../actors/rules.ts";
import type { AlertEvent, Severity } from "../engine/emission.ts";
import { SEVERITIES } from "../engine/episode.ts";
import type { ActorId } from "../engine/ids.ts";
import type { EpisodeTruth } from "./episode_truth.ts";
import { logFrom, type View } from "./reader.ts";

/** An alert as its events tell it. */
export interface ScoredAlert {
  readonly id: string;
  readonly rule: string;
  readonly actor: ActorId;
  readonly onsetMs: number;
  /** When it was told of: the delay counts from the beginning of what happened to here. */
  readonly raisedAtMs: number;
  severity: Severity;
  isRetracted: boolean;
}

/** How a rule did on what happened over a time. */
export interface EpisodeTally {
  readonly injected: readonly string[];
  readonly found: readonly string[];
  readonly missed: readonly string[];
  readonly falsely: readonly string[];
  readonly repeat: number;
  /** ms, of those that were found. */
  readonly delays: readonly number[];
}

const BEFORE_MS = 3_600_000;
const AFTER_MS = 24 * 3_600_000;

/** The alerts of the log, retracted ones left out: they count as if never raised. */
export async function readAlerts(view: View): Promise<readonly ScoredAlert[]> {
  const alerts = new Map<string, ScoredAlert>();
  for await (const entries of logFrom(view, "alerts", 1)) {
    for (const entry of entries) {
      const emission = view.decode("alerts", entry);
      if (emission.stream === "alerts") take(alerts, emission.event);
    }
  }
  return [...alerts.values()].filter(({ isRetracted }) => !isRetracted);
}

function take(alerts: Map<string, ScoredAlert>, { type, time, data }: AlertEvent): void {
  const known = alerts.get(data.alertId);
  if (known === undefined) {
    const { alertId: id, rule, actor, severity } = data;
    alerts.set(id, { id, rule, actor, severity, onsetMs: Date.parse(data.startsAt), raisedAtMs: Date.parse(time), isRetracted: false });
    return;
  }
  if (SEVERITIES.indexOf(data.severity) > SEVERITIES.indexOf(known.severity)) known.severity = data.severity;
  known.isRetracted = data.status === "retracted" && type.includes(".amended.");
}

/**
 * Matches alerts with what happened: same actor, same family, begun between an hour before and a day after. The first one finds it, the others repeat it. An
 * alert of the rule itself that belongs to nothing is false.
 */
export function matchEpisodes(rule: string, truth: readonly EpisodeTruth[], alerts: readonly ScoredAlert[]): EpisodeTally {
  const family = familyOf(rule);
  const happened = truth.filter(({ label }) => label !== null && EPISODE_LABELS[label]?.rule === rule);
  const used = new Set<string>();
  const [found, missed, delays]: [string[], string[], number[]] = [[], [], []];
  let repeat = 0;
  for (const one of happened) {
    const own = alerts.filter(
      (alert) => alert.actor === one.actor && familyOf(alert.rule) === family && !used.has(alert.id) && covers(one, alert),
    );
    for (const { id } of own) used.add(id);
    const [first] = own.sort((a, b) => a.raisedAtMs - b.raisedAtMs);
    if (first === undefined) missed.push(nameOf(one));
    else {
      found.push(nameOf(one));
      delays.push(first.raisedAtMs - one.fromMs);
    }
    repeat += Math.max(0, own.length - 1);
  }
  const other = truth.filter(({ label }) => label !== null);
  const falsely = alerts.filter(
    (alert) => alert.rule === rule && !used.has(alert.id) && !other.some((one) => one.actor === alert.actor && covers(one, alert)),
  );
  return { injected: happened.map(nameOf), found, missed, falsely: falsely.map(({ id }) => id), repeat, delays };
}

function covers({ fromMs, toMs }: EpisodeTruth, { onsetMs }: ScoredAlert): boolean {
  return onsetMs >= fromMs - BEFORE_MS && onsetMs <= toMs + AFTER_MS;
}

function nameOf({ actor, fromMs }: EpisodeTruth): string {
  return `${actor}@${new Date(fromMs).toISOString()}`;
}

const FAMILIES: ReadonlyMap<string, string> = new Map(RULES.map(({ id, family }) => [id, family]));

function familyOf(rule: string): string {
  return FAMILIES.get(rule) ?? rule;
}
