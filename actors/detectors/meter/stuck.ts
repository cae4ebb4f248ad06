import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import type { MeterHot } from "../../meter_state.ts";
import { limitsOf } from "../../rules.ts";
import { RECENT, readField, withField } from "./recent.ts";

/**
 * `meter.stuck`: a reading with three decimals that comes again and again, or electrical values that do while the energy moves. A value that
 * stands while nothing else of the record moves may be held by a device on purpose. `hot` still has the values of the last reading.
 */
export function judgeStuck(
  hot: MeterHot,
  { atMs, readingKwh, voltageV, currentA, powerFactor }: ReadingMeasured,
  out: Out<GridMessage>,
): void {
  if (hot.lastAtMs === null) return;
  const isSameReading = readingKwh === hot.readingKwh;
  const isSameElectrics = isSame(voltageV, hot.voltageV) && isSame(currentA, hot.currentA) && isSame(powerFactor, hot.powerFactor);
  const countsReading = isSameReading && readingKwh !== 0 && hasThreeDecimals(readingKwh) && !isSameElectrics && voltageV !== null;
  const countsElectrics = isSameElectrics && voltageV !== null && currentA !== null && currentA !== 0 && !isSameReading;
  const readings = countsReading ? readField(hot.recent, RECENT.equalReadings) + 1 : 0;
  const electrics = countsElectrics ? readField(hot.recent, RECENT.equalElectrics) + 1 : 0;
  hot.recent = withField(withField(hot.recent, RECENT.equalReadings, readings), RECENT.equalElectrics, electrics);
  if (readings === 0 && electrics === 0 && !out.hasEpisode("meter.stuck")) return;
  const limits = limitsOf(out, "meter.stuck");
  const holds = readings + 1 >= limits.readings || electrics + 1 >= limits.electrics;
  out.observe("meter.stuck", {
    holds,
    atMs,
    value: Math.max(readings, electrics) + 1,
    ...(holds ? { evidence: { readings: readings + 1, electrics: electrics + 1, reading_kwh: readingKwh, voltage_v: voltageV } } : {}),
  });
}

/** `packed`: as it is kept, to seven digits. */
function isSame(value: number | null, packed: number | null): boolean {
  return value === null ? packed === null : packed !== null && Math.fround(value) === packed;
}

function hasThreeDecimals(value: number): boolean {
  return Math.round(value * 1_000) % 10 !== 0;
}
