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
  const stepK = stepOf(state, sample, limits);
  if (oilC !== null) {
    state.oilC = oilC;
    state.oilAtMs = atMs;
  }
  state.distrust = fault === null ? Math.max(0, state.distrust - 1) : GOOD_SAMPLES;
  out.observe("transformer.sensor_fault", {
    holds: fault !== null,
    atMs,
    value: fault ?? "plausible",
    evidence: { oil_c: oilC, ambient_c: ambientC, step_k: stepK },
  });
  return state.distrust === 0;
}

type Limits = ReturnType<typeof limitsOf<"transformer.sensor_fault">>;

function faultOf(state: Sensors, sample: Sample, limits: Limits): string | null {
  const { oilC, ambientC } = sample;
  if (ambientC !== null && (ambientC < limits.ambientMinC || ambientC > limits.ambientMaxC)) return "ambient_range";
  if (oilC === null) return null;
  if (oilC > limits.oilMaxC) return "oil_range";
  if (ambientC !== null && oilC < ambientC - limits.belowAmbientK) return "oil_below_ambient";
  return (stepOf(state, sample, limits) ?? 0) > limits.stepK ? "oil_step" : null; // Tons of oil do not jump.
}

/** How far oil has moved since the last sample; null: that is too long ago to tell. */
function stepOf({ oilAtMs, oilC: before }: Sensors, { atMs, oilC }: Sample, { stepWithinMinutes }: Limits): number | null {
  if (oilC === null || oilAtMs === null || atMs - oilAtMs > minutes(stepWithinMinutes)) return null;
  return Math.abs(oilC - before);
}
