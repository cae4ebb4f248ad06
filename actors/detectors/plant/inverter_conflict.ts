import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { Production } from "./sample.ts";

/** `plant.inverter_conflict`: power though the inverter is not online, or none in the sun though it is. Solar plants only. */
export function judgeInverter(production: Production, out: Out<GridMessage>): void {
  const { atMs, kind, inverterStatus, productionMw, ratedMw, irradianceWm2 } = production;
  if (kind !== "SOLAR" || inverterStatus === null) return;
  const { producingShare, sunnyWm2 } = limitsOf(out, "plant.inverter_conflict");
  const isOnline = inverterStatus === "ONLINE";
  const isIdle = productionMw <= 0 && irradianceWm2 !== null && irradianceWm2 > sunnyWm2;
  out.observe("plant.inverter_conflict", {
    holds: isOnline ? isIdle : productionMw > producingShare * ratedMw,
    atMs,
    value: inverterStatus,
    evidence: { production_mw: productionMw, capacity_mw: ratedMw, irradiance_w_m2: irradianceWm2 },
  });
}
