import type { AlertChange, AlertEvent, CellValue, Evidence, Origin, Severity } from "./emission.ts";
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

/** Cells of table `alerts`. They say all that the event says, but its sequence and the engine's name. */
export type AlertCells = Readonly<Record<string, CellValue>>;

/** An event as it is logged: a row of table `alerts`. */
export function alertCells({ actor, rule, change, episode, path, atMs, evidence }: AlertFacts): AlertCells {
  const { value, limit, clear } = episode;
  const isLower = limit !== null && clear !== null && clear > limit;
  return {
    event_id: `${episode.alertId}/${episode.revision}`,
    alert_id: episode.alertId,
    change,
    rule: rule.id,
    rule_version: rule.version,
    severity: episode.severity,
    status: statusOf(episode),
    actor,
    path: path.join(" "),
    event_time: atMs,
    starts_at: episode.onsetMs,
    ends_at: episode.endsAtMs,
    count: episode.count,
    flags: episode.flags.length === 0 ? "" : episode.flags.join(" "),
    metric: rule.metric,
    value: typeof value === "number" ? value : null,
    value_text: typeof value === "string" ? value : null,
    unit: rule.unit,
    limit_lower: isLower ? limit : null,
    limit_upper: isLower ? null : limit,
    evidence_feed: evidence.feed,
    evidence_source: evidence.source,
    evidence_position: evidence.position,
    evidence_event_id: evidence.eventId,
    origin: episode.origin,
    suppressed_by: episode.suppressedBy,
  };
}

/** The CloudEvent of a logged row. `shard`: the engine's name; `sequence`: the entry's number in the log. */
export function alertEvent(shard: string, cells: AlertCells, sequence: number): AlertEvent {
  const actor = actorIdFrom(text(cells["actor"]));
  const time = instant(cells["event_time"]);
  return {
    specversion: "1.0",
    type: `energy.alert.${text(cells["change"]) as AlertChange}.v1`,
    source: `/gridactor/${shard}`,
    id: text(cells["event_id"]),
    subject: actor,
    time,
    datacontenttype: "application/json",
    dataschema: "urn:gridactor:alert:1",
    partitionkey: actor,
    sequence: String(sequence).padStart(20, "0"),
    data: {
      alertId: text(cells["alert_id"]),
      rule: text(cells["rule"]),
      ruleVersion: Number(cells["rule_version"]),
      severity: text(cells["severity"]) as Severity,
      status: text(cells["status"]) as AlertEvent["data"]["status"],
      startsAt: instant(cells["starts_at"]),
      updatedAt: time,
      endsAt: cells["ends_at"] == null ? null : instant(cells["ends_at"]),
      count: Number(cells["count"]),
      flags: words(cells["flags"]),
      actor,
      path: words(cells["path"]).map(actorIdFrom),
      observation: {
        metric: text(cells["metric"]),
        value: cells["value"] ?? cells["value_text"] ?? null,
        unit: text(cells["unit"]),
        expected: null,
        lower: number(cells["limit_lower"]),
        upper: number(cells["limit_upper"]),
        score: null,
        n: null,
      },
      evidence: [
        {
          feed: textOrNull(cells["evidence_feed"]),
          source: textOrNull(cells["evidence_source"]),
          position: text(cells["evidence_position"]),
          eventId: textOrNull(cells["evidence_event_id"]),
        },
      ],
      origin: text(cells["origin"]) as Origin,
      suppressedBy: textOrNull(cells["suppressed_by"]),
    },
  };
}

function text(cell: CellValue | undefined): string {
  return String(cell ?? "");
}

function textOrNull(cell: CellValue | undefined): string | null {
  return typeof cell === "string" ? cell : null;
}

function number(cell: CellValue | undefined): number | null {
  return typeof cell === "number" ? cell : null;
}

function instant(cell: CellValue | undefined): string {
  return new Date(Number(cell)).toISOString();
}

/** Ids and flags hold no spaces: they are told apart by them. */
function words(cell: CellValue | undefined): string[] {
  return text(cell)
    .split(" ")
    .filter((word) => word !== "");
}
