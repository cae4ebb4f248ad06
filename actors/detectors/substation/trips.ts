import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { TelemetryReported } from "../../tells.ts";

const TRIPS_MAX = 20;

/** `substation.trips`: alarms of a trip, or a breaker that was closed and is open. `before`: its status in the last report. Returns the trips that still count. */
export function judgeTrips(
  trips: readonly number[],
  before: string | null,
  report: TelemetryReported,
  out: Out<GridMessage>,
): readonly number[] {
  const { atMs, alarmCode, breakerStatus } = report;
  const { limitCount, windowHours } = limitsOf(out, "substation.trips");
  const isTrip = alarmCode === "BREAKER_TRIP" || (before === "CLOSED" && breakerStatus !== null && breakerStatus !== "CLOSED");
  const recent = [...trips, ...(isTrip ? [atMs] : [])].filter((tripMs) => tripMs > atMs - hours(windowHours)).slice(-TRIPS_MAX);
  out.observe("substation.trips", {
    holds: recent.length >= limitCount ? true : recent.length === 0 ? false : null,
    atMs,
    value: recent.length,
    limit: limitCount,
    ...(recent.length > 0 && recent.length < limitCount ? { reason: "window_open" } : {}),
    evidence: { window_hours: windowHours },
  });
  return recent;
}
