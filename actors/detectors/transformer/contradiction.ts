import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import { isAlarm } from "./alarm_code.ts";
import type { Sample } from "./sample.ts";

type Limits = LimitsOf<"transformer.contradiction">;

/**
 * `transformer.contradiction`: an alarm contact against what is measured, either way; neither is believed. `missedSinceMs`: since when a bad state
 * has had no code. Returns the new one.
 */
export function judgeContradiction(missedSinceMs: number | null, sample: Sample, out: Out<GridMessage>): number | null {
  const { atMs, alarmCode, load, gasPpm, breakerStatus } = sample;
  const limits = limitsOf(out, "transformer.contradiction");
  const sinceMs = isBad(sample, limits) && !isAlarm(alarmCode) ? (missedSinceMs ?? atMs) : null;
  const isMissed = sinceMs !== null && atMs - sinceMs >= minutes(limits.missedAfterMinutes);
  const doubted = doubtedCode(sample, limits);
  out.observe("transformer.contradiction", {
    holds: isMissed || doubted !== null,
    atMs,
    value: isMissed ? "missed" : (doubted ?? "agrees"),
    ...(isMissed ? { severity: "warning" as const } : {}),
    evidence: {
      alarm_code: alarmCode,
      load: load === null ? null : rounded(load, 4),
      gas_ppm: gasPpm,
      breaker_status: breakerStatus,
      missed_minutes: sinceMs === null ? null : (atMs - sinceMs) / minutes(1),
    },
  });
  return sinceMs;
}

/** The code that the measurement does not bear out, or null. */
function doubtedCode({ alarmCode, load, gasPpm, breakerStatus }: Sample, { overloadPercent, gasPpm: limitPpm }: Limits): string | null {
  switch (alarmCode) {
    case "OVERLOAD":
      return load !== null && 100 * load < overloadPercent ? alarmCode : null;
    case "GAS_ALARM":
      return gasPpm !== null && gasPpm < limitPpm ? alarmCode : null;
    case "BREAKER_TRIP":
      return breakerStatus === "CLOSED" ? alarmCode : null;
    default:
      return null;
  }
}

function isBad({ load, gasPpm }: Sample, { missedLoadPercent, missedGasPpm }: Limits): boolean {
  return (load !== null && 100 * load > missedLoadPercent) || (gasPpm !== null && gasPpm > missedGasPpm);
}
