import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import type { MeterHot } from "../../meter_state.ts";
import { limitsOf } from "../../rules.ts";
import { movedMedian, movedSpread } from "../../statistics/robust.ts";
import { rounded } from "../rounded.ts";
import { RECENT, readField, withField } from "./recent.ts";

const SPREAD_FIRST = 0.1;
const TO_SIGMA = 1.4826;

/**
 * `meter.physics_shift`: energy against voltage x current x power factor x interval. Only a change is tested: what one reading gives differs between
 * meters, for energy is a sum and the others are snapshots; where they differ from reading to reading, the limit is as wide as that. `intervalHours`: 0 if it is not known.
 */
export function judgePhysics(hot: MeterHot, message: ReadingMeasured, intervalHours: number, out: Out<GridMessage>): void {
  const { atMs, readingKwh, voltageV, currentA, powerFactor } = message;
  if (voltageV === null || currentA === null || powerFactor === null || intervalHours === 0 || readingKwh <= 0) return;
  const limits = limitsOf(out, "meter.physics_shift");
  const powerKw = (voltageV * currentA * powerFactor) / 1_000;
  if (powerKw <= limits.powerMinKw) return;
  const ratio = Math.fround(Math.log(readingKwh / (powerKw * intervalHours)));
  const median = hot.physicsMedian;
  if (median === null || hot.samples < limits.samplesMin) return learn(hot, ratio);
  const distance = Math.abs(ratio - median);
  const limitLog = Math.max(limits.limitLog, limits.sigmas * TO_SIGMA * hot.physicsSpread);
  const off = distance > limitLog ? readField(hot.recent, RECENT.physicsOff) + 1 : 0;
  const back = distance < limits.clearLog ? readField(hot.recent, RECENT.physicsBack) + 1 : 0;
  hot.recent = withField(withField(hot.recent, RECENT.physicsOff, off), RECENT.physicsBack, back);
  if (off < limits.readings) learn(hot, ratio);
  const holds = off >= limits.readings;
  if (!holds && !out.hasEpisode("meter.physics_shift")) return;
  const isBack = back >= limits.backReadings;
  out.observe("meter.physics_shift", {
    holds: holds ? true : isBack ? false : null,
    atMs,
    value: rounded(distance, 3),
    limit: rounded(limitLog, 3),
    ...(holds
      ? { evidence: { ratio: rounded(Math.exp(ratio), 3), expected: rounded(Math.exp(median), 3), readings: off, n: hot.samples } }
      : {}),
  });
}

function learn(hot: MeterHot, ratio: number): void {
  const before = hot.physicsMedian;
  const spread = before === null ? SPREAD_FIRST : hot.physicsSpread;
  const median = before === null ? ratio : movedMedian(before, spread, ratio);
  hot.physicsSpread = before === null ? SPREAD_FIRST : movedSpread(median, spread, ratio);
  hot.physicsMedian = median;
}
