import type { ActorId } from "../engine/ids.ts";
import type { HourTallied } from "../engine/tallies.ts";

/** Where a customer is connected over a span of civil dates [from, to); `to` null: still. */
export interface Link {
  readonly customer: ActorId;
  readonly meter: ActorId | null;
  readonly transformer: ActorId | null;
  readonly region: string | null;
  readonly state: string | null;
  readonly tariff: string | null;
  readonly connection: string | null;
  readonly sanctionedLoadKw: number | null;
  readonly accountStatus: string | null;
  readonly from: string;
  readonly to: string | null;
}

/** Customer -> each meter and transformer it is or was linked to: all its links there, which replace those told before. */
export interface LinksChanged {
  readonly type: "links_changed";
  readonly customer: ActorId;
  readonly links: readonly Link[];
}

/** Transformer -> its meters: the substation it stands in. */
export interface TransformerSited {
  readonly type: "transformer_sited";
  readonly transformer: ActorId;
  readonly substation: ActorId | null;
}

/**
 * Meter -> the transformer that fed it on a civil day: its energy by hour, in whole Wh, index = hour of the day in the grid zone, null = no reading.
 * Told when the day is over for the meter, and again when a late reading or another link changes it: then these values replace `was`, what it was
 * told before (hours in which both are equal stand). All null: it did not feed the meter on that day.
 */
export interface MeterDay {
  readonly type: "meter_day";
  readonly meter: ActorId;
  readonly date: string;
  readonly wh: readonly (number | null)[];
  /** Null: nothing was told of that day. */
  readonly was: readonly (number | null)[] | null;
  /** What it uses in each hour when it uses much, as it was known before that day, whole Wh. Null: not known, or told before. */
  readonly upperWh: readonly (number | null)[] | null;
  /** Deviation over mean of its days; the latest days over the month's mean. Null: not known, or told before. */
  readonly variation: number | null;
  readonly ratio: number | null;
  /** Its mean voltage, V. Null: it does not measure it, or told before. */
  readonly volts: number | null;
}

/** Transformer -> a meter whose latest days are low: how those of its neighbours are. */
export interface SegmentDay {
  readonly type: "segment_day";
  readonly day: number;
  /** Median of the neighbours' latest days over their month; null: there are too few. */
  readonly ratio: number | null;
}

/** Transformer -> its meters: energy is missing below it, so that what they know as usual does not move down; or no longer. */
export interface BalanceHeld {
  readonly type: "balance_held";
  readonly holds: boolean;
}

/** Meter -> the customer that it serves: signs that have come or gone, a bit each (`detectors/meter/signs.ts`). */
export interface SignsChanged {
  readonly type: "signs_changed";
  readonly meter: ActorId;
  readonly atMs: number;
  readonly signs: number;
}

/** Transformer -> the customer of a meter that explains best what is missing: how well, and its rank. */
export interface GapShared {
  readonly type: "gap_shared";
  readonly meter: ActorId;
  readonly day: number;
  /** 0 … 1.6; see `detectors/transformer/balance.ts`. */
  readonly score: number;
  readonly rank: number;
  readonly confidence: number;
}

/** Transformer -> the substation it has joined or left. */
export interface TransformerJoined {
  readonly type: "transformer_joined";
  readonly transformer: ActorId;
  readonly region: string | null;
  readonly joined: boolean;
}

/** Transformer -> substation: what a substation reads of its transformer's telemetry. */
export interface TelemetryReported {
  readonly type: "telemetry_reported";
  readonly transformer: ActorId;
  readonly atMs: number;
  readonly loadMw: number | null;
  readonly capacityMw: number | null;
  readonly breakerStatus: string | null;
  readonly alarmCode: string | null;
  readonly voltageKv: number | null;
  readonly oilC: number | null;
  readonly ambientC: number | null;
  readonly humidityPercent: number | null;
  readonly deviceId: string | null;
  readonly sequenceNumber: number | null;
  readonly enqueuedAtMs: number | null;
}

/** Substation -> a transformer that does not measure the air: what one beside it has just measured. */
export interface AmbientShared {
  readonly type: "ambient_shared";
  readonly atMs: number;
  readonly ambientC: number;
}

/** Meter -> region: a frequency outside of the band. */
export interface FrequencyTold {
  readonly type: "frequency_told";
  readonly meter: ActorId;
  readonly atMs: number;
  readonly hz: number;
}

/** Region -> such a meter, when the minute is over: few others told of one. */
export interface FrequencyAlone {
  readonly type: "frequency_alone";
  readonly atMs: number;
  readonly hz: number;
  /** Other meters that told of a frequency outside in that minute. */
  readonly others: number;
  /** Readings of the region in a minute, over the last hour. */
  readonly perMinute: number;
}

/** Region -> the region that speaks for all: the median of many meters that told of a frequency outside in one minute. */
export interface FrequencyMedian {
  readonly type: "frequency_median";
  readonly region: ActorId;
  readonly atMs: number;
  readonly hz: number;
  readonly meters: number;
}

/** Substation or plant -> region: it is here. Told once. */
export interface RegionJoined {
  readonly type: "region_joined";
  readonly kind: "substation" | "plant";
}

/** Plant -> region, for each record on time. */
export interface ProductionReported {
  readonly type: "production_reported";
  readonly atMs: number;
  /** Change against the plant's last report. */
  readonly changeMw: number;
}

/** Bill -> customer: a change of the bill as it is believed now. */
export interface BillChanged {
  readonly type: "bill_changed";
  readonly bill: ActorId;
  readonly atMs: number;
  readonly change: "issued" | "changed" | "deleted";
  /** How the customer's billed total moves. */
  readonly changePaise: number;
  /** The bill as it stands; of one that was deleted, as it stood. */
  readonly stands: BillStanding;
  /** Of a `changed` one: what is left of its units or its base, the smaller share; null: there is nothing to compare. */
  readonly leftShare: number | null;
  /** 20 hex digits: the transaction. */
  readonly startLsn: string;
}

/** What a customer reads of a bill. */
export interface BillStanding {
  readonly billId: string | null;
  readonly meter: ActorId | null;
  readonly unitsWh: number | null;
  /** Civil dates, both in the period. */
  readonly periodStart: string | null;
  readonly periodEnd: string | null;
  readonly isPaid: boolean;
}

/** Meter -> the customer that it served: its energy by civil day, in order. Told for a week at a time; at once while the account is not active. */
export interface MeterTotal {
  readonly type: "meter_total";
  readonly meter: ActorId;
  readonly atMs: number;
  readonly days: readonly MeteredDay[];
  /** What is typical in each hour of the day, kWh. Null: not known, or told out of turn. */
  readonly hoursKwh: readonly number[] | null;
}

export interface MeteredDay {
  /** Counted from 1970 in the grid zone. */
  readonly day: number;
  readonly kwh: number;
  /** Share of the day's hours with readings. */
  readonly coverage: number;
}

/** Meter -> transformer -> substation -> region: it has fallen silent, and waits for `silence_judged` before it says so. */
export interface ChildQuiet {
  readonly type: "child_quiet";
  readonly child: ActorId;
  /** When it was heard last. */
  readonly sinceMs: number;
  readonly atMs: number;
}

/** The same ways: it is heard again. */
export interface ChildBack {
  readonly type: "child_back";
  readonly child: ActorId;
  readonly atMs: number;
}

/** Parent -> a quiet child: it may speak now. If the silence is shared, `alerts_claimed` has come before. */
export interface SilenceJudged {
  readonly type: "silence_judged";
  readonly atMs: number;
}

/** Child -> parent: an alert of warning or more has been raised, or is over. */
export interface ChildAlerted {
  readonly type: "child_alerted";
  readonly child: ActorId;
  readonly rule: string;
  readonly family: string;
  readonly isOver: boolean;
  readonly atMs: number;
}

/** Any actor -> its region: it has raised an alert of warning or more. `isGrave`: critical or latched, never grouped away. */
export interface AlertRaised {
  readonly type: "alert_raised";
  readonly actor: ActorId;
  readonly rule: string;
  readonly family: string;
  readonly isGrave: boolean;
  readonly atMs: number;
}

/** Parent -> child: its alert `by` covers the child's alerts of these families (null: of all, but critical and latched ones). */
export interface AlertsClaimed {
  readonly type: "alerts_claimed";
  readonly by: string;
  readonly families: readonly string[] | null;
  readonly atMs: number;
}

/** Parent -> child: that alert is over. */
export interface AlertsReleased {
  readonly type: "alerts_released";
  readonly by: string;
  readonly atMs: number;
}

/** Substation -> region, once an hour: the mean of its outdoor temperature. */
export interface AmbientHour {
  readonly type: "ambient_hour";
  readonly substation: ActorId;
  /** Counted from 1970. */
  readonly hour: number;
  readonly meanC: number;
}

/** Region -> substation: the median of that hour over its substations. */
export interface AmbientMedian {
  readonly type: "ambient_median";
  readonly hour: number;
  readonly medianC: number;
  readonly substations: number;
}

/** Bill -> customer: its row began or ended under this key, in this transaction. */
export interface BillKeyed {
  readonly type: "bill_keyed";
  readonly bill: ActorId;
  readonly billId: string;
  /** 20 hex digits. */
  readonly startLsn: string;
  readonly edge: "beginning" | "end";
}

/** Customer -> bill: the row that ended in this transaction goes on under another key. */
export interface BillMoved {
  readonly type: "bill_moved";
  readonly to: ActorId;
  readonly startLsn: string;
}

export type Tell =
  | LinksChanged
  | TransformerSited
  | MeterDay
  | SegmentDay
  | BalanceHeld
  | GapShared
  | SignsChanged
  | TransformerJoined
  | TelemetryReported
  | AmbientShared
  | FrequencyTold
  | FrequencyAlone
  | FrequencyMedian
  | HourTallied
  | RegionJoined
  | ProductionReported
  | BillChanged
  | MeterTotal
  | ChildQuiet
  | ChildBack
  | SilenceJudged
  | ChildAlerted
  | AlertRaised
  | AlertsClaimed
  | AlertsReleased
  | AmbientHour
  | AmbientMedian
  | BillKeyed
  | BillMoved;
