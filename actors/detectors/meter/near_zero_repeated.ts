import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import type { MeterHot } from "../../meter_state.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import { bitsSet, pushBit, RECENT, readField } from "./recent.ts";

const FAST = 0.2;
const SLOW = 0.005;

/** `meter.near_zero_repeated`: three of the last five readings, and more of them than is usual for this meter. `isNear`: this one is. `intervalHours`: 0 if it is not known. */
export function judgeNearZero(
  hot: MeterHot,
  message: ReadingMeasured,
  isNear: boolean,
  intervalHours: number,
  out: Out<GridMessage>,
): void {
  if (!isNear && readField(hot.recent, RECENT.near) === 0 && !out.hasEpisode("meter.near_zero_repeated")) return decay(hot);
  const { atMs, currentA } = message;
  const limits = limitsOf(out, "meter.near_zero_repeated");
  hot.recent = pushBit(pushBit(hot.recent, RECENT.near, isNear), RECENT.nearWithCurrent, isNear && (currentA ?? 0) > limits.currentA);
  hot.nearFast += FAST * ((isNear ? 1 : 0) - hot.nearFast);
  const count = bitsSet(readField(hot.recent, RECENT.near));
  const isRepeated = count >= limits.ofFive && hot.nearFast > hot.nearSlow + limits.aboveUsual;
  const step = Math.max(SLOW, 1 / (hot.gaps + 1)); // While there are few readings, each counts as one of them.
  if (!isRepeated) hot.nearSlow += step * ((isNear ? 1 : 0) - hot.nearSlow); // What may be theft is not learnt as usual.
  const isKnown = hot.samples >= limits.samplesMin && intervalHours > 0 && (hot.slowKwh ?? 0) > limits.usualKw * intervalHours;
  const withCurrent = bitsSet(readField(hot.recent, RECENT.nearWithCurrent));
  if (!isRepeated || !isKnown) {
    if (!out.hasEpisode("meter.near_zero_repeated")) return;
    out.observe("meter.near_zero_repeated", {
      holds: false,
      atMs,
      value: hot.nearFast,
      limit: hot.nearSlow + limits.aboveUsual,
      clear: hot.nearSlow + limits.clearAboveUsual,
    });
    return;
  }
  out.observe("meter.near_zero_repeated", {
    holds: true,
    atMs,
    value: rounded(hot.nearFast, 3),
    limit: rounded(hot.nearSlow + limits.aboveUsual, 3),
    clear: rounded(hot.nearSlow + limits.clearAboveUsual, 3),
    ...(withCurrent >= 2 ? { severity: "major" as const } : {}),
    evidence: {
      of_last_five: count,
      with_current: withCurrent,
      usual_share: rounded(hot.nearSlow, 3),
      usual_kwh: hot.slowKwh,
      interval_hours: intervalHours,
      n: hot.samples,
    },
  });
}

/** A reading like most: nothing is repeated. */
function decay(hot: MeterHot): void {
  hot.nearFast -= FAST * hot.nearFast;
  hot.nearSlow -= Math.max(SLOW, 1 / (hot.gaps + 1)) * hot.nearSlow;
}
