import { minutes } from "../engine/duration.ts";
import type { Rule, RuleLimits } from "../engine/rule.ts";

/** A record rule's alert ends an hour of event time after its last hit. */
const PULSE_MS = minutes(60);

/**
 * Every rule with every number it uses: limits in force by default, which the configuration can change for all, a region, a tariff or an actor.
 * The guide's built-in anomalies, exactly as it draws their bands; levels and further limits as the standards named here have them.
 */
export const RULES = [
  {
    id: "meter.near_zero",
    version: 1,
    family: "theft",
    severity: "info",
    metric: "reading_kwh",
    unit: "kWh",
    limits: { lowestKwh: 0.001, limitKwh: 0.05, clearKwh: 0.06 },
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "an interval of almost no energy, though not exactly none",
  },
  {
    id: "meter.spike",
    version: 1,
    family: "energy",
    severity: "warning",
    metric: "reading_kwh",
    unit: "kWh",
    limits: { limitKwh: 50, bandEndKwh: 120, majorLoadShare: 1.2 },
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "more energy in one interval than a service connection usually takes",
  },
  {
    id: "meter.tampered",
    version: 1,
    family: "theft",
    severity: "major",
    metric: "meter_status",
    unit: "",
    limits: {},
    latched: true,
    stamps: true,
    summary: "the meter itself reports that it was opened or manipulated",
  },
  {
    id: "meter.disconnected",
    version: 1,
    family: "data",
    severity: "info",
    metric: "meter_status",
    unit: "",
    limits: {},
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "the meter reports that its supply is switched off",
  },
  {
    // 60 K is the top-oil rise that IEC 60076-2 allows; 105 C the top-oil temperature of IEC 60076-7 for normal cyclic loading.
    id: "transformer.overheating",
    version: 1,
    family: "thermal",
    severity: "major",
    metric: "oil_rise_k",
    unit: "K",
    limits: { limitK: 60, clearK: 55, bandEndK: 90, criticalK: 75, criticalOilC: 105 },
    offCount: 2,
    stamps: true,
    summary: "oil far above ambient: the transformer makes more heat than it sheds",
  },
  {
    id: "transformer.alarm_code",
    version: 1,
    family: "load",
    severity: "warning",
    metric: "alarm_code",
    unit: "",
    limits: {},
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "the substation's own protection reports an alarm",
  },
  {
    id: "billing.tiny_amount",
    version: 1,
    family: "billing",
    severity: "info",
    metric: "base_amount",
    unit: "INR",
    limits: { lowestPaise: 1, limitPaise: 5_000, majorUnitsKwh: 20 },
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "a bill of almost nothing",
  },
  {
    id: "billing.unit_price",
    version: 1,
    family: "billing",
    severity: "warning",
    metric: "base_to_units_times_rate",
    unit: "ratio",
    limits: { toleranceShare: 0.02, toleranceDifferencePaise: 500, majorRatio: 0.5 },
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "the amount does not follow from units and rate",
  },
] as const satisfies readonly Rule[];

type Declared = (typeof RULES)[number];
export type RuleId = Declared["id"];
type LimitsOf<Id extends RuleId> = { readonly [Name in keyof Extract<Declared, { id: Id }>["limits"]]: number };

/** The limits of a rule in force for the actor, by the names that the rule declares. */
export function limitsOf<Id extends RuleId>(out: { limits(rule: string): RuleLimits }, id: Id): LimitsOf<Id> {
  return out.limits(id) as LimitsOf<Id>;
}
