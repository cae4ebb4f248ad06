import { minutes } from "../../engine/duration.ts";
import type { Rule } from "../../engine/rule.ts";

/** A record rule's alert ends an hour of event time after its last hit. */
const PULSE_MS = minutes(60);

/** What meters are watched for. */
export const METER_RULES = [
  {
    id: "meter.near_zero",
    version: 1,
    family: "theft",
    severity: "info",
    metric: "reading_kwh",
    unit: "kWh",
    limits: { lowestKwh: 0.001, limitKwh: 0.05, clearKwh: 0.06 },
    basis: "data guide, built-in anomalies",
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
    basis: "data guide, built-in anomalies",
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
    basis: "data guide, field meter_status",
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
    basis: "data guide, field meter_status",
    pulseMs: PULSE_MS,
    stamps: true,
    summary: "the meter reports that its supply is switched off",
  },
] as const satisfies readonly Rule[];
