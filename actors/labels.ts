import type { Row } from "../engine/feed.ts";

/** What a label of the truth files means: the rule that must speak, and the rules that may speak beside it. */
export interface LabelMeaning {
  readonly rule: string;
  readonly mayAlso?: readonly string[];
}

/** A set of labelled records and how to find them in the log of curated rows. */
export interface RecordLabels {
  readonly set: string;
  /** Curated table whose column `rules` tells what was found. */
  readonly table: string;
  /** The id under which labels name the record of a row. */
  readonly idOf: (cells: Row) => string;
  /** An id as the truth file spells it -> as `idOf` does. */
  readonly spelled: (id: string) => string;
  readonly labels: Readonly<Record<string, LabelMeaning>>;
}

/** A set of labelled actors: each must have got a new version in its history. */
export interface VersionLabels {
  readonly set: string;
  readonly kind: string;
  readonly labels: Readonly<Record<string, LabelMeaning>>;
}

/** The sets with labels on records. Feed fields that repeat a label are never read. */
export const RECORD_LABELS: readonly RecordLabels[] = [
  {
    set: "smart_meter",
    table: "meter_readings",
    idOf: (cells) => String(cells["event_id"]),
    spelled: (id) => id,
    labels: {
      theft: { rule: "meter.near_zero" },
      spike: { rule: "meter.spike" },
      tampered: { rule: "meter.tampered" },
      disconnected: { rule: "meter.disconnected" },
    },
  },
  {
    set: "substation_telemetry",
    table: "transformer_telemetry",
    idOf: (cells) => String(cells["telemetry_id"]),
    spelled: (id) => id,
    labels: {
      overheating: { rule: "transformer.overheating" },
      alarm_overload: { rule: "transformer.alarm_code" },
      alarm_gas: { rule: "transformer.alarm_code" },
      alarm_breaker_trip: { rule: "transformer.alarm_code" },
    },
  },
  {
    set: "billing",
    table: "billing_changes",
    idOf: (cells) => changeId(cells["transaction_id"], cells["__$start_lsn"], cells["__$seqval"], cells["__$operation"]),
    spelled: (id) => {
      const [, transaction, startLsn, seqval, operation] = /^([^@]+)@([^/]+)\/([^/]+)\/([^/]+)$/.exec(id) ?? [];
      return changeId(transaction, startLsn, seqval, operation);
    },
    labels: {
      fraud: { rule: "billing.tiny_amount", mayAlso: ["billing.unit_price"] },
      ratio_mismatch: { rule: "billing.unit_price" },
    },
  },
];

/** The sets with labels on actors. */
export const VERSION_LABELS: readonly VersionLabels[] = [
  { set: "transformer_master", kind: "transformer", labels: { changed: { rule: "transformer.version" } } },
];

/** What a label of a time means: the rule that must speak of it, if any must; how many of them must be found; whether a ranking must put such meters first. */
export interface EpisodeMeaning {
  readonly rule: string | null;
  readonly recallMin?: number;
  readonly isRanked?: true;
}

const RANKED: EpisodeMeaning = { rule: null, isRanked: true };

/** Labels of `truth/episodes.jsonl`. What nothing must be said of is not clean either. */
export const EPISODE_LABELS: Readonly<Record<string, EpisodeMeaning>> = {
  slow_overheating: { rule: "transformer.thermal_residual", recallMin: 0.95 },
  energy_theft: { rule: "transformer.energy_gap", recallMin: 0.9 },
  energy_theft_small: { rule: null },
  theft_under_report: RANKED,
  theft_shift: RANKED,
  theft_scale: RANKED,
  theft_zero: RANKED,
  theft_cap: RANKED,
  theft_mean: RANKED,
  theft_reverse: RANKED,
};

/** Columns of curated rows that name actors, and their kinds. */
export const ACTOR_COLUMNS: Readonly<Record<string, string>> = {
  meter_id: "meter",
  customer_id: "customer",
  transaction_id: "bill",
  transformer_id: "transformer",
  substation_id: "substation",
  plant_id: "plant",
};

/** At most so many alerts of warning or more for each 1,000 days of actors to which nothing happened. */
export const FALSE_PER_1000_MAX = 1;
/** Mean area under the curve of the theft ranking, over the ways in which energy is taken. */
export const RANKING_AUC_MIN = 0.88;

/** Rules that must find every labelled record and no other: precision = recall = 1. */
export const EXACT_RULES: readonly string[] = [
  "meter.near_zero",
  "meter.spike",
  "meter.tampered",
  "meter.disconnected",
  "transformer.overheating",
  "transformer.alarm_code",
  "billing.tiny_amount",
];

type Part = Row[string] | undefined;

function changeId(transaction: Part, startLsn: Part, seqval: Part, operation: Part): string {
  return `${transaction}@${digits(startLsn)}/${digits(seqval)}/${operation}`;
}

/** The digits of a position that matter: `0x000A3B` and `0000000a3b` are one. */
function digits(lsn: Part): string {
  return String(lsn).toLowerCase().replace(/^0x/, "").replace(/^0+/, "");
}
