import type { Out } from "../../../engine/behaviour.ts";
import { seconds } from "../../../engine/duration.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { countIn, type LogHistogram, logHistogram, quantileOf, totalOf } from "../../statistics/loghist.ts";
import type { TelemetryReported } from "../../tells.ts";
import { rounded } from "../rounded.ts";

/** Today's times between measurement and hub, s. Changed in place. */
export interface Latency {
  day: number;
  seconds: LogHistogram;
}

const FROM_SECONDS = 0.01;

export function latency(): Latency {
  return { day: 0, seconds: logHistogram() };
}

/** `substation.latency`, once a day. A record that was in the hub before it was measured tells of a clock, not of a way. */
export function judgeLatency(state: Latency, { atMs, enqueuedAtMs }: TelemetryReported, out: Out<GridMessage>): void {
  if (enqueuedAtMs === null || enqueuedAtMs < atMs) return;
  const day = gridDayOf(atMs);
  if (day > state.day) {
    if (state.day > 0) judgeDay(state, out);
    state.day = day;
    state.seconds = logHistogram();
  }
  countIn(state.seconds, (enqueuedAtMs - atMs) / seconds(1), FROM_SECONDS);
}

function judgeDay({ day, seconds: bins }: Latency, out: Out<GridMessage>): void {
  const { limitSeconds, quantile, samplesMin } = limitsOf(out, "substation.latency");
  const n = totalOf(bins);
  const slowest = quantileOf(bins, quantile, FROM_SECONDS);
  if (n < samplesMin || slowest === null) return;
  out.observe("substation.latency", {
    holds: slowest > limitSeconds,
    atMs: gridDayStartMs(day + 1),
    value: rounded(slowest, 2),
    limit: limitSeconds,
    evidence: { n, quantile },
  });
}
