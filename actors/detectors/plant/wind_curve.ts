import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { learnUsual, type Usual, usual } from "../../statistics/usual.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** The plant's own power curve: share of the rating by wind, in bins of 0.5 m/s. Changed in place. */
export interface WindCurve {
  /** By number of the bin. */
  readonly bins: Record<string, Usual>;
  lowSinceMs: number | null;
}

const BIN_MPS = 0.5;

export function windCurve(): WindCurve {
  return { bins: {}, lowSinceMs: null };
}

/** `plant.wind_curve`: power against the median at this wind. Beyond cut-out, and while power is curtailed, nothing is said. */
export function judgeWind(state: WindCurve, production: Production, out: Out<GridMessage>): void {
  const { atMs, kind, windMps, productionMw, curtailmentMw, ratedMw } = production;
  const limits = limitsOf(out, "plant.wind_curve");
  if (kind !== "WIND" || windMps === null || windMps > limits.cutOutMps || (curtailmentMw ?? 0) > 0) return;
  const share = productionMw / ratedMw;
  const name = String(Math.floor(windMps / BIN_MPS));
  const bin = state.bins[name] ?? usual();
  state.bins[name] = bin;
  if (bin.n < limits.samplesMin) return learnUsual(bin, share);
  if (bin.median <= limits.expectedMinShare) return learnUsual(bin, share);
  const ratio = share / bin.median;
  const isLow = ratio < limits.limitRatio;
  state.lowSinceMs = isLow ? (state.lowSinceMs ?? atMs) : null;
  const isLong = state.lowSinceMs !== null && atMs - state.lowSinceMs >= hours(limits.majorHours);
  out.observe("plant.wind_curve", {
    holds: isLow,
    atMs,
    value: rounded(ratio, 4),
    limit: limits.limitRatio,
    clear: limits.clearRatio,
    ...(isLong ? { severity: "major" as const } : {}),
    evidence: {
      wind_mps: windMps,
      share: rounded(share, 4),
      expected: rounded(bin.median, 4),
      n: bin.n,
      low_hours: state.lowSinceMs === null ? 0 : (atMs - state.lowSinceMs) / hours(1),
    },
  });
  if (ratio >= limits.clearRatio) learnUsual(bin, share);
}
