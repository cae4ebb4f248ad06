import type { Out } from "../../../engine/behaviour.ts";
import { gridDayOf, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { addPoint, type Slope, slope } from "../../statistics/slope.ts";
import { judgeGasLevel } from "./dga_level.ts";
import { judgeGasRate, treatedShareOf } from "./dga_rate.ts";
import type { Sample } from "./sample.ts";

/** Dissolved gas: the mean of today, and the line through the means of days. Changed in place. */
export interface Gas {
  day: number;
  sumPpm: number;
  samples: number;
  /** x: days, y: ppm. */
  line: Slope;
  firstDay: number | null;
  lastDayPpm: number | null;
}

/** What is left of a day's say after another one: a memory of a month. */
const KEEP = 0.97;

export function gas(): Gas {
  return { day: 0, sumPpm: 0, samples: 0, line: slope(), firstDay: null, lastDayPpm: null };
}

/** `transformer.dga_level` for each sample, `transformer.dga_rate` for each day that has ended. */
export function judgeGas(state: Gas, sample: Sample, out: Out<GridMessage>): void {
  const { atMs, gasPpm } = sample;
  if (gasPpm === null) return;
  const day = gridDayOf(atMs);
  if (day > state.day && state.samples > 0) endDay(state, out);
  if (day > state.day) state.day = day;
  state.sumPpm += gasPpm;
  state.samples += 1;
  judgeGasLevel(atMs, gasPpm, state.line, out);
}

/** A day is one point: samples of minutes would be sure of a slope that is noise. */
function endDay(state: Gas, out: Out<GridMessage>): void {
  const meanPpm = state.sumPpm / state.samples;
  const before = state.lastDayPpm;
  if (before !== null && meanPpm < (1 - treatedShareOf(out)) * before) {
    state.line = slope(); // The oil was treated: it begins anew.
    state.firstDay = null;
  }
  state.firstDay ??= state.day;
  addPoint(state.line, state.day - state.firstDay, meanPpm, KEEP);
  state.lastDayPpm = meanPpm;
  judgeGasRate(state.line, state.day - state.firstDay, gridDayStartMs(state.day + 1), out);
  state.sumPpm = 0;
  state.samples = 0;
}
