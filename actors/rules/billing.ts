import { minutes } from "../../engine/duration.ts";
import type { Rule } from "../../engine/rule.ts";

/** A record rule's alert ends an hour of event time after its last hit. */
const PULSE_MS = minutes(60);

/** What bills are watched for, at the bill or at its customer. */
export const BILLING_RULES = [
  {
    id: "billing.tiny_amount",
    version: 1,
    family: "billing",
    severity: "info",
    metric: "base_amount",
    unit: "INR",
    limits: { lowestPaise: 1, limitPaise: 5_000, majorUnitsKwh: 20 },
    basis: "data guide, built-in anomalies",
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
    basis: "data guide, built-in anomalies; tolerance so that its own sample passes",
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "the amount does not follow from units and rate",
  },
] as const satisfies readonly Rule[];
