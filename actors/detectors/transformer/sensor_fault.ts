import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { Sample } from "./sample.ts";

/** What is kept of the temperature sensors. Changed in place. */
export interface Sensors {
  oilAtMs: number | null;
  oilC: number;
  /** Good samples still wanted before the sensors are believed again. */
  distrust: number;
}

/** So many good samples make sensors trustworthy again; the alert clears with them. */
const GOOD_SAMPLES = 6;

export function sensors(): Sensors {
  return { oilAtMs: null, oilC: 0, distrust: 0 };
}

/** `transformer.sensor_fault`: temperatures that cannot be. Returns whether the sample's temperatures can be trusted. */
export function judgeSensors(state: Sensors, sample: Sample, out: Out<GridMessage>): boolean {
  const { atMs, oilC, ambientC } = sample;
  if (oilC === null && ambientC === null) return false;
  const limits = limitsOf(out, "transformer.sensor_fault");
  const fault = faultOf(state, sample, limits);
  if (oilC !== null) {
    state.oilC = oilC;
    state.oilAtMs = atMs;
  }
  state.distrust = fault === null ? Math.max(0, state.distrust - 1) : GOOD_SAMPLES;
  out.observe("transformer.sensor_fault", {
    holds: fault !== null,
    atMs,
    value: fault ?? "plausible",
    evidence: { oil_c: oilC, ambient_c: ambientC, oil_max_c: limits.oilMaxC, step_k: limits.stepK },
  });
  return state.distrust === 0;
}

type Limits = ReturnType<typeof limitsOf<"transformer.sensor_fault">>;

function faultOf({ oilAtMs, oilC: oilBefore }: Sensors, { atMs, oilC, ambientC }: Sample, limits: Limits): string | null {
  if (ambientC !== null && (ambientC < limits.ambientMinC || ambientC > limits.ambientMaxC)) return "ambient_range";
  if (oilC === null) return null;
  if (oilC > limits.oilMaxC) return "oil_range";
  if (ambientC !== null && oilC < ambientC - limits.belowAmbientK) return "oil_below_ambient";
  const isSoon = oilAtMs !== null && atMs - oilAtMs <= minutes(limits.stepWithinMinutes);
  return isSoon && Math.abs(oilC - oilBefore) > limits.stepK ? "oil_step" : null; // Tons of oil do not jump.
}
