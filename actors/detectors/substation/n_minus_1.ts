import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import type { Bays } from "./bay.ts";

/** `substation.n_minus_1`: the load of all against the capacity without the largest, of those that are in service. Only where all have reported lately. */
export function judgeReserve(bays: Bays, atMs: number, out: Out<GridMessage>): void {
  const { limitPercent, clearPercent, unitsMin, freshMinutes } = limitsOf(out, "substation.n_minus_1");
  const keys = Object.keys(bays).sort();
  if (keys.length < unitsMin) return;
  let [loadMw, capacityMw, largestMw] = [0, 0, 0];
  for (const key of keys) {
    const bay = bays[key];
    if (bay?.atMs == null || atMs - bay.atMs > minutes(freshMinutes) || bay.loadMw === null || bay.capacityMw === null) return;
    if (bay.breakerStatus !== null && bay.breakerStatus !== "CLOSED") continue;
    loadMw += bay.loadMw;
    capacityMw += bay.capacityMw;
    largestMw = Math.max(largestMw, bay.capacityMw);
  }
  const restMw = capacityMw - largestMw;
  if (restMw <= 0) return;
  const percent = (100 * loadMw) / restMw;
  out.observe("substation.n_minus_1", {
    holds: percent > limitPercent,
    atMs,
    value: rounded(percent, 2),
    limit: limitPercent,
    clear: clearPercent,
    evidence: { load_mw: rounded(loadMw, 3), capacity_mw: capacityMw, largest_mw: largestMw, units: keys.length },
  });
}
