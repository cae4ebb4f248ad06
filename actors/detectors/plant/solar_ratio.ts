import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { learnUsual, type Usual } from "../../statistics/usual.ts";
import { rounded } from "../rounded.ts";
import type { Production } from "./sample.ts";

/** `plant.solar_ratio`: power against irradiance and rating, and that against the plant's own median. In little light nothing is said. */
export function judgeSolar(state: Usual, production: Production, out: Out<GridMessage>): void {
  const { atMs, kind, irradianceWm2, productionMw, curtailmentMw, ratedMw } = production;
  if (kind !== "SOLAR" || irradianceWm2 === null) return;
  const limits = limitsOf(out, "plant.solar_ratio");
  if (irradianceWm2 <= limits.irradianceMinWm2) return;
  const performance = (productionMw + (curtailmentMw ?? 0)) / ((ratedMw * irradianceWm2) / 1_000);
  if (state.n < limits.samplesMin) {
    learnUsual(state, performance);
    return;
  }
  const ratio = performance / state.median;
  out.observe("plant.solar_ratio", {
    holds: ratio < limits.limitRatio,
    atMs,
    value: rounded(ratio, 4),
    limit: limits.limitRatio,
    clear: limits.clearRatio,
    ...(ratio < limits.majorRatio ? { severity: "major" as const } : {}),
    evidence: { performance: rounded(performance, 4), expected: rounded(state.median, 4), n: state.n, irradiance_w_m2: irradianceWm2 },
  });
  if (ratio >= limits.clearRatio) learnUsual(state, performance); // What may be a fault is not learnt.
}
