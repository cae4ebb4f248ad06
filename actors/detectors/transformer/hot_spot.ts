import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { ageingRate, type Thermal, upgradedAgeingRate } from "../../statistics/thermal.ts";
import { rounded } from "../rounded.ts";
import type { Sample } from "./sample.ts";

/** `transformer.hot_spot`: the winding's hottest place, as modelled, °C. */
export function judgeHotSpot({ atMs, load, oilC, ambientC }: Sample, hotSpot: number, model: Thermal, out: Out<GridMessage>): void {
  const { limitC, clearC, criticalC } = limitsOf(out, "transformer.hot_spot");
  if (hotSpot <= limitC && hotSpot < clearC) {
    out.observe("transformer.hot_spot", { holds: false, atMs, value: rounded(hotSpot, 2), limit: limitC, clear: clearC });
    return;
  }
  out.observe("transformer.hot_spot", {
    holds: hotSpot > limitC,
    atMs,
    value: rounded(hotSpot, 2),
    limit: limitC,
    clear: clearC,
    ...(hotSpot > criticalC ? { severity: "critical" as const } : {}),
    evidence: {
      load,
      ambient_c: ambientC,
      oil_c: oilC,
      model_oil_c: rounded(model.oilC, 2),
      gradient_k: rounded(model.fastK - model.slowK, 2),
      ageing_ordinary_paper: rounded(ageingRate(hotSpot), 4),
      ageing_upgraded_paper: rounded(upgradedAgeingRate(hotSpot), 4),
    },
  });
}
