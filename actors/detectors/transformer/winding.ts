import type { Out } from "../../../engine/behaviour.ts";
import { hours, minutes } from "../../../engine/duration.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { ageingRate, designOf, heated, hotSpotC, type Thermal, thermal } from "../../statistics/thermal.ts";
import { judgeAgeing } from "./ageing.ts";
import { judgeHotSpot } from "./hot_spot.ts";
import type { Sample } from "./sample.ts";

/** The winding as IEC 60076-7 models it, and how its insulation ages today. */
export interface Winding {
  readonly thermal: Thermal;
  readonly day: number;
  /** Hours that the insulation has aged today. */
  readonly agedHours: number;
  readonly coveredMs: number;
  /** The same of the last day that was covered; null: none was. */
  readonly lastDayHours: number | null;
}

/** A longer gap between samples does not count as covered. */
const GAP_MAX_MS = minutes(90);

/**
 * `transformer.hot_spot` and `transformer.ageing`: the model goes on under load and ambient; the oil is the measured one, if it can be trusted.
 * Returns what is kept.
 */
export function judgeWinding(before: Winding | null, sample: Sample, isTrusted: boolean, out: Out<GridMessage>): Winding | null {
  const { atMs, load, ambientC, oilC, ratedMw } = sample;
  if (load === null || ambientC === null || !isTrusted) {
    const reason = isTrusted || load === null ? "field_absent" : "sensor_suspect";
    out.observe("transformer.hot_spot", { holds: null, atMs, value: null, reason });
    return before;
  }
  const design = designOf(ratedMw);
  const heatedOn = before === null ? null : heated(design, before.thermal, atMs, load, ambientC);
  const model = heatedOn === null ? thermal(design, atMs, load, ambientC, oilC) : { ...heatedOn, oilC: oilC ?? heatedOn.oilC };
  const hotSpot = hotSpotC(model);
  judgeHotSpot(sample, hotSpot, model, out);
  const day = gridDayOf(atMs);
  const today = before !== null && before.day >= day ? before : null;
  const ended = before !== null && today === null ? before : null;
  const isCovered = ended !== null && judgeAgeing(ended.agedHours, ended.coveredMs / hours(24), gridDayStartMs(ended.day + 1), out);
  const elapsedMs = before === null ? 0 : atMs - before.thermal.atMs;
  const coveredMs = elapsedMs > 0 && elapsedMs <= GAP_MAX_MS ? elapsedMs : 0;
  return {
    thermal: model,
    day,
    agedHours: (today?.agedHours ?? 0) + ageingRate(hotSpot) * (coveredMs / hours(1)),
    coveredMs: (today?.coveredMs ?? 0) + coveredMs,
    lastDayHours: isCovered ? ended.agedHours : (before?.lastDayHours ?? null),
  };
}
