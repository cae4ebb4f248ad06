import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, TelemetryMeasured } from "../../message.ts";
import { limitsOf } from "../../rules.ts";

/** `transformer.overheating`: oil against ambient, in one record. */
export function judgeOverheating({ atMs, oilC, ambientC }: TelemetryMeasured, out: Out<GridMessage>): void {
  if (oilC === null || ambientC === null) return;
  const riseMilliK = Math.round(oilC * 1_000) - Math.round(ambientC * 1_000); // 98.2 - 38.2 is not 60 in binary.
  const { limitK, clearK, bandEndK, criticalK, criticalOilC } = limitsOf(out, "transformer.overheating");
  const isCritical = riseMilliK > criticalK * 1_000 || oilC >= criticalOilC;
  out.observe("transformer.overheating", {
    holds: riseMilliK >= limitK * 1_000,
    atMs,
    value: riseMilliK / 1_000,
    limit: limitK,
    clear: clearK,
    ...(isCritical ? { severity: "critical" as const } : {}),
    evidence: { oil_c: oilC, ambient_c: ambientC, ...(riseMilliK > bandEndK * 1_000 ? { band: "above" } : {}) },
  });
}
