import type { AlertEvent, CellValue, Evidence } from "./emission.ts";
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

/** The CloudEvent of a change. `shard` is the engine's name, `sequence` the log's number. */
export function alertEvent(shard: string, facts: AlertFacts, sequence: number): AlertEvent {
  const { actor, rule, change, episode, path, atMs, evidence } = facts;
  const time = new Date(atMs).toISOString();
  const isLower = episode.limit !== null && episode.clear !== null && episode.clear > episode.limit;
  return {
    specversion: "1.0",
    type: `energy.alert.${change}.v1`,
    source: `/gridactor/${shard}`,
    id: `${episode.alertId}/${episode.revision}`,
    subject: actor,
    time,
    datacontenttype: "application/json",
    dataschema: "urn:gridactor:alert:1",
    partitionkey: actor,
    sequence: String(sequence).padStart(20, "0"),
    data: {
      alertId: episode.alertId,
      rule: rule.id,
      ruleVersion: rule.version,
      severity: episode.severity,
      status: statusOf(episode),
      startsAt: new Date(episode.onsetMs).toISOString(),
      updatedAt: time,
      endsAt: episode.endsAtMs === null ? null : new Date(episode.endsAtMs).toISOString(),
      count: episode.count,
      flags: episode.flags,
      actor,
      path,
      observation: {
        metric: rule.metric,
        value: episode.value,
        unit: rule.unit,
        expected: null,
        lower: isLower ? episode.limit : null,
        upper: isLower ? null : episode.limit,
        score: null,
        n: null,
      },
      evidence: [evidence],
      origin: episode.origin,
      suppressedBy: episode.suppressedBy,
    },
  };
}

/** The same event as columns of table `alerts`. */
export function alertColumns({ id, type, time, data }: AlertEvent): Readonly<Record<string, CellValue>> {
  return {
    event_id: id,
    alert_id: data.alertId,
    change: type.split(".")[2] ?? null,
    rule: data.rule,
    rule_version: data.ruleVersion,
    severity: data.severity,
    status: data.status,
    actor: data.actor,
    path: JSON.stringify(data.path),
    event_time: Date.parse(time),
    starts_at: Date.parse(data.startsAt),
    ends_at: data.endsAt === null ? null : Date.parse(data.endsAt),
    count: data.count,
    flags: JSON.stringify(data.flags),
    metric: data.observation.metric,
    value: data.observation.value === null ? null : String(data.observation.value),
    unit: data.observation.unit,
    limit_lower: data.observation.lower,
    limit_upper: data.observation.upper,
    evidence: JSON.stringify(data.evidence),
    origin: data.origin,
    suppressed_by: data.suppressedBy,
  };
}
