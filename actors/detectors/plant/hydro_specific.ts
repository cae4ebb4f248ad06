import type { Out } from "../../../engine/behaviour.ts";
import { days } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { ewma, SLOW_MS } from "../../statistics/ewma.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** Power per flow, over a week and over a month. Changed in place. */
export interface Specific {
  firstAtMs: number | null;
  lastAtMs: number;
  week: number;
  month: number;
}

const WEEK_MS = days(7);

export function specific(): Specific {
  return { firstAtMs: null, lastAtMs: 0, week: 0, month: 0 };
}

/** `plant.hydro_specific`: what a plant makes of its water, this week against the month. */
export function judgeHydro(state: Specific, { atMs, kind, waterM3s, productionMw }: Production, out: Out<GridMessage>): void {
  if (kind !== "HYDRO" || waterM3s === null || waterM3s <= 0 || productionMw <= 0) return;
  const value = productionMw / waterM3s;
  const elapsedMs = state.firstAtMs === null ? 0 : atMs - state.lastAtMs;
  state.week = state.firstAtMs === null ? value : ewma(state.week, value, elapsedMs, WEEK_MS);
  state.month = state.firstAtMs === null ? value : ewma(state.month, value, elapsedMs, SLOW_MS);
  state.firstAtMs ??= atMs;
  state.lastAtMs = atMs;
  const { limitRatio, clearRatio, daysMin } = limitsOf(out, "plant.hydro_specific");
  if (atMs - state.firstAtMs < days(daysMin)) return;
  out.observe("plant.hydro_specific", {
    holds: state.week < limitRatio * state.month,
    atMs,
    value: rounded(state.week / state.month, 4),
    limit: limitRatio,
    clear: clearRatio,
    evidence: { mw_per_m3s: rounded(value, 4), week: rounded(state.week, 4), expected: rounded(state.month, 4) },
  });
}
