import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { learnUsual, type Usual, usual } from "../../statistics/usual.ts";
import { rounded } from "../rounded.ts";
import { medianOf } from "./balance.ts";

/** What is usual for one meter's voltage against its neighbours', and for how long it has been lower than that. Changed in place. */
export interface VoltageOffset {
  readonly usual: Usual;
  lowDays: number;
}

/** A meter's voltage of a day, and the energy of its latest days over its month. */
export interface VoltageDay {
  readonly meter: string;
  readonly volts: number;
  /** Null: not known. */
  readonly ratio: number | null;
}

const TO_SIGMA = 1.4826;

/**
 * `transformer.sibling_voltage`, once a day: a meter whose voltage has sunk below what it usually is against its neighbours', though it counts no more
 * than before: somebody draws beside it. The usual offset is that of its phase and its distance. `offsets`: by meter, changed in place.
 */
export function judgeVoltages(
  offsets: Record<string, VoltageOffset>,
  day: number,
  told: readonly VoltageDay[],
  out: Out<GridMessage>,
): void {
  const limits = limitsOf(out, "transformer.sibling_voltage");
  if (told.length < limits.siblingsMin) return;
  let worst: { readonly meter: string; readonly drop: number; readonly limit: number; readonly state: VoltageOffset } | null = null;
  for (const { meter, volts, ratio } of told) {
    const offset = volts - medianOf(told.flatMap((other) => (other.meter === meter ? [] : [other.volts])));
    const state = offsets[meter] ?? { usual: usual(), lowDays: 0 };
    offsets[meter] = state;
    const limit = Math.max(limits.limitV, limits.sigmas * TO_SIGMA * state.usual.spread);
    const drop = state.usual.n < limits.daysKnown ? 0 : state.usual.median - offset;
    const isLow = drop > limit && (ratio ?? 1) <= limits.ratioMax;
    state.lowDays = isLow ? state.lowDays + 1 : drop < limit / 2 ? 0 : state.lowDays;
    if (!isLow) learnUsual(state.usual, offset); // A voltage that has sunk is not learnt as usual.
    if (worst === null || state.lowDays > worst.state.lowDays) worst = { meter, drop, limit, state };
  }
  if (worst === null) return;
  const holds = worst.state.lowDays >= limits.days;
  const isBack = Object.values(offsets).every(({ lowDays }) => lowDays === 0);
  out.observe("transformer.sibling_voltage", {
    holds: holds ? true : isBack ? false : null,
    atMs: gridDayStartMs(day + 1),
    value: rounded(worst.drop, 2),
    limit: rounded(worst.limit, 2),
    ...(holds || isBack ? {} : { reason: "window_open" }),
    evidence: { meter: worst.meter, low_days: worst.state.lowDays, siblings: told.length, n: worst.state.usual.n },
  });
}
