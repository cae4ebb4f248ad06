import { hours, minutes } from "../../engine/duration.ts";
import type { Rule } from "../../engine/rule.ts";

/** What regions are watched for, and the grid as a whole. */
export const REGION_RULES = [
  {
    id: "grid.frequency",
    version: 1,
    family: "grid",
    severity: "warning",
    metric: "frequency_hz",
    unit: "Hz",
    limits: { lowHz: 49.9, highHz: 50.05, criticalHz: 49.5, metersMin: 10, regionsMin: 2 },
    basis: "Indian grid code, band of 49.90 to 50.05 Hz; check with your regulator",
    pulseMs: minutes(5),
    summary: "many meters of several regions measure a frequency outside of the band: the grid itself is out of balance",
  },
  {
    id: "region.link_quality",
    version: 1,
    family: "data",
    severity: "warning",
    metric: "mismatch_share",
    unit: "ratio",
    limits: { limitShare: 0.05, clearShare: 0.025, mismatchesMin: 20 },
    basis: "development data",
    summary: "many records name another customer than the master does: the master or the meters' data is wrong as a whole",
  },
  {
    id: "region.storm",
    version: 1,
    family: "grid",
    severity: "major",
    metric: "readings_to_usual",
    unit: "ratio",
    limits: { limitShare: 0.7, clearShare: 0.95, expectedMin: 100, daysMin: 7 },
    basis: "development data: 30 points below what is usual in this hour",
    summary: "far fewer readings than are usual at this hour: a storm, or a network that is down",
  },
  {
    id: "region.freshness",
    version: 1,
    family: "data",
    severity: "warning",
    metric: "hours_behind",
    unit: "h",
    limits: { limitHours: 3, clearHours: 1, inStepHours: 24 },
    basis: "development data: more than twice the lateness of any feed",
    offDelayMs: hours(1),
    summary: "a feed that kept step with the others has fallen behind them",
  },
] as const satisfies readonly Rule[];
