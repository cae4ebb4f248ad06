import type { AlertChange, AlertEvent, AlertStatus, CellValue, Evidence, Origin, Severity } from "./emission.ts";
import { type EpisodeChange, statusOf } from "./episode.ts";
import { type ActorId, actorIdFrom } from "./ids.ts";
import type { Rule } from "./rule.ts";

/** A change of an episode, and what else its event says. */
export interface AlertFacts extends EpisodeChange {
  readonly actor: ActorId;
  readonly rule: Rule;
  /** Links in force from region down, without the actor. */
  readonly path: readonly ActorId[];
  readonly evidence: Evidence;
}

/** The cells of a row of table `alerts`, in the table's order. They say all that the event says, but its sequence and the engine's name. */
export type AlertCells = readonly [
  eventId: CellValue,
  alertId: CellValue,
  change: CellValue,
  rule: CellValue,
  ruleVersion: CellValue,
  severity: CellValue,
  status: CellValue,
  actor: CellValue,
  path: CellValue,
  eventTimeMs: CellValue,
  startsAtMs: CellValue,
  endsAtMs: CellValue,
  count: CellValue,
  flags: CellValue,
  metric: CellValue,
  value: CellValue,
  valueText: CellValue,
  unit: CellValue,
  lower: CellValue,
  upper: CellValue,
  evidenceFeed: CellValue,
  evidenceSource: CellValue,
  evidencePosition: CellValue,
  evidenceEventId: CellValue,
  origin: CellValue,
  suppressedBy: CellValue,
];

/** The id of the event: alert and revision. */
export function eventIdOf({ episode }: AlertFacts): string {
  return `${episode.alertId}/${episode.revision}`;
}

/** An event as it is logged. */
export function alertCells(facts: AlertFacts): AlertCells {
  const { actor, rule, change, episode, path, atMs, evidence } = facts;
  const { value, limit, clear, flags } = episode;
  const isLower = limit !== null && clear !== null && clear > limit;
  return [
    eventIdOf(facts),
    episode.alertId,
    change,
    rule.id,
    rule.version,
    episode.severity,
    statusOf(episode),
    actor,
    path.join(" "),
    atMs,
    episode.onsetMs,
    episode.endsAtMs,
    episode.count,
    flags.length === 0 ? "" : flags.join(" "),
    rule.metric,
    typeof value === "number" ? value : null,
    typeof value === "string" ? value : null,
    rule.unit,
    isLower ? limit : null,
    isLower ? null : limit,
    evidence.feed,
    evidence.source,
    evidence.position,
    evidence.eventId,
    episode.origin,
    episode.suppressedBy,
  ];
}

type Cell = CellValue | undefined;

/** The CloudEvent of a logged row, its cells in the order of `AlertCells`. `shard`: the engine's name; `sequence`: the entry's number in the log. */
export function alertEvent(shard: string, cells: readonly Cell[], sequence: number): AlertEvent {
  const [eventId, alertId, change, rule, ruleVersion, severity, status, subject, path, eventTimeMs, startsAtMs, endsAtMs, count, flags] =
    cells;
  const [, , , , , , , , , , , , , , metric, value, valueText, unit, lower, upper, feed, source, position, recordId, origin, suppressedBy] =
    cells;
  const actor = actorIdFrom(text(subject));
  const time = instant(eventTimeMs);
  return {
    specversion: "1.0",
    type: `energy.alert.${text(change) as AlertChange}.v1`,
    source: `/gridactor/${shard}`,
    id: text(eventId),
    subject: actor,
    time,
    datacontenttype: "application/json",
    dataschema: "urn:gridactor:alert:1",
    partitionkey: actor,
    sequence: String(sequence).padStart(20, "0"),
    data: {
      alertId: text(alertId),
      rule: text(rule),
      ruleVersion: Number(ruleVersion),
      severity: text(severity) as Severity,
      status: text(status) as AlertStatus,
      startsAt: instant(startsAtMs),
      updatedAt: time,
      endsAt: endsAtMs == null ? null : instant(endsAtMs),
      count: Number(count),
      flags: words(flags),
      actor,
      path: words(path).map(actorIdFrom),
      observation: {
        metric: text(metric),
        value: value ?? valueText ?? null,
        unit: text(unit),
        expected: null,
        lower: number(lower),
        upper: number(upper),
        score: null,
        n: null,
      },
      evidence: [{ feed: textOrNull(feed), source: textOrNull(source), position: text(position), eventId: textOrNull(recordId) }],
      origin: text(origin) as Origin,
      suppressedBy: textOrNull(suppressedBy),
    },
  };
}

function text(cell: Cell): string {
  return String(cell ?? "");
}

function textOrNull(cell: Cell): string | null {
  return typeof cell === "string" ? cell : null;
}

function number(cell: Cell): number | null {
  return typeof cell === "number" ? cell : null;
}

function instant(cell: Cell): string {
  return new Date(Number(cell)).toISOString();
}

/** Ids and flags hold no spaces: they are told apart by them. */
function words(cell: Cell): string[] {
  return cell === "" || cell == null ? [] : text(cell).split(" ");
}
