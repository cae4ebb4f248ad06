import type { CellValue } from "./emission.ts";
import { type EpisodeChange, statusOf } from "./episode.ts";
import { type Grounds, groundsJson } from "./grounds.ts";
import type { ActorId } from "./ids.ts";
import type { Rule } from "./rule.ts";

/** A change of an episode, and what else its event says. */
export interface AlertFacts extends EpisodeChange {
  readonly actor: ActorId;
  readonly rule: Rule;
  /** Links in force from region down, without the actor, a space between them. */
  readonly path: string;
  /** What it rests on; null: on no observation. */
  readonly grounds: Grounds | null;
}

/** The record that led to an event, or the timer: its position is `timer:<actor>/<name>/<due>`, and it has no feed, source or id. */
export interface AlertCause {
  /** Null: a timer. */
  readonly row: object | null;
  readonly feed: string;
  readonly source: string | null;
  readonly position: string;
  /** The record's id. */
  readonly key: string;
}

/** The cells of a row of table `alerts`, in the table's order. They say all that the event says, but its sequence and the engine's name. */
export type AlertCells = readonly [
  eventId: string,
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
  expected: CellValue,
  n: CellValue,
  details: CellValue,
];

/** An event as it is logged. Its id is that of the alert, and its revision. `evidenceBytesMax`: of its details. */
export function alertCells(
  { actor, rule, change, episode, path, atMs, grounds }: AlertFacts,
  cause: AlertCause,
  evidenceBytesMax: number,
): AlertCells {
  const { value, limit, clear, flags } = episode;
  const isLower = limit !== null && clear !== null && clear > limit;
  const ofRecord = cause.row !== null;
  return [
    `${episode.alertId}/${episode.revision}`,
    episode.alertId,
    change,
    rule.id,
    rule.version,
    episode.severity,
    statusOf(episode),
    actor,
    path,
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
    ofRecord ? cause.feed : null,
    ofRecord ? cause.source : null,
    cause.position,
    ofRecord ? cause.key : null,
    episode.origin,
    episode.suppressedBy,
    numberIn(grounds, "expected"),
    numberIn(grounds, "n"),
    grounds === null ? null : groundsJson(grounds, evidenceBytesMax),
  ];
}

function numberIn(grounds: Grounds | null, name: string): number | null {
  const value = grounds?.facts?.[name];
  return typeof value === "number" ? value : null;
}
