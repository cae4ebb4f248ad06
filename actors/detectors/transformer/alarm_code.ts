import type { Out } from "../../../engine/behaviour.ts";
import type { Severity } from "../../../engine/emission.ts";
import type { GridMessage, TelemetryMeasured } from "../../message.ts";

const SEVERITY: Readonly<Record<string, Severity>> = { OVERLOAD: "warning", BREAKER_TRIP: "major", GAS_ALARM: "major" };

/** `transformer.alarm_code`: a code we do not know is an alarm all the same. */
export function judgeAlarm({ atMs, alarmCode }: TelemetryMeasured, out: Out<GridMessage>): void {
  if (!isAlarm(alarmCode)) return;
  const severity = SEVERITY[alarmCode] ?? "warning";
  out.observe("transformer.alarm_code", { holds: true, atMs, value: alarmCode, severity, latched: alarmCode === "GAS_ALARM" });
}

/** `NONE` is how some devices say that there is none. */
export function isAlarm(alarmCode: string | null): alarmCode is string {
  return alarmCode !== null && alarmCode !== "NONE";
}
