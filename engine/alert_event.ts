import type { CellValue, Evidence } from "./emission.ts";
import { type EpisodeChange, statusOf } from "./episode.ts";
import type { ActorId } from "./ids.ts";
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
