import type { Out } from "../../../engine/behaviour.ts";
import { gridHourOf } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";
import type { Production } from "./sample.ts";

/** `plant.impossible`: what one record says that cannot be. */
export function judgeImpossible(production: Production, out: Out<GridMessage>): void {
  const limits = limitsOf(out, "plant.impossible");
  const { atMs, productionMw, ratedMw, irradianceWm2, windMps, waterM3s } = production;
  const found = faultOf(production, limits);
  if (found === null) return;
  out.observe("plant.impossible", {
    holds: true,
    atMs,
    value: productionMw,
    ...(found === "over_rating" ? { limit: limits.overShare * ratedMw } : {}),
    severity: found === "foreign_sensor" ? "info" : "major",
    evidence: {
      found,
      is_dark: isDark(production, limits.twilightWm2),
      foreign: foreignOf(production),
      capacity_mw: ratedMw,
      irradiance_w_m2: irradianceWm2,
      wind_mps: windMps,
      water_m3s: waterM3s,
    },
  });
}

function faultOf(production: Production, { darkShare, overShare, twilightWm2 }: LimitsOf<"plant.impossible">): string | null {
  const { productionMw, ratedMw, kind } = production;
  if (productionMw > overShare * ratedMw) return "over_rating";
  if (kind === "SOLAR" && isDark(production, twilightWm2) && productionMw > darkShare * ratedMw) return "power_in_the_dark";
  return foreignOf(production) === null ? null : "foreign_sensor";
}

/** What a sensor of another kind of plant says; null: the record has none. */
function foreignOf({ kind, irradianceWm2, windMps, waterM3s }: Production): number | null {
  const foreign = { SOLAR: [windMps, waterM3s], WIND: [irradianceWm2, waterM3s], HYDRO: [irradianceWm2, windMps] }[kind ?? ""];
  return foreign?.find((value) => value !== null) ?? null;
}

/** No light at all; at night next to none is none, too. */
function isDark({ atMs, irradianceWm2 }: Production, twilightWm2: number): boolean {
  if (irradianceWm2 === null) return false;
  const hour = gridHourOf(atMs) % 24;
  return irradianceWm2 <= 0 || (irradianceWm2 < twilightWm2 && (hour >= 20 || hour < 4));
}
