import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { TelemetryReported } from "../../tells.ts";
import { rounded } from "../rounded.ts";
import { type Bay, type Bays, baysWhere } from "./bay.ts";

/** `substation.condensation`: damp air for hours around a transformer that is not warmer than it. */
export function judgeCondensation(bays: Bays, bay: Bay, report: TelemetryReported, out: Out<GridMessage>): void {
  const { atMs, humidityPercent, oilC, ambientC } = report;
  if (humidityPercent === null || oilC === null || ambientC === null) return;
  const { limitPercent, clearPercent, riseMaxK, afterHours } = limitsOf(out, "substation.condensation");
  const isCold = oilC - ambientC < riseMaxK;
  if (isCold && humidityPercent > limitPercent) bay.dampSinceMs ??= atMs;
  else if (!isCold || humidityPercent < clearPercent) bay.dampSinceMs = null;
  const damp = baysWhere(bays, ({ dampSinceMs }) => dampSinceMs !== null && atMs - dampSinceMs >= hours(afterHours));
  const sinceMs = bays[damp[0] ?? ""]?.dampSinceMs ?? bay.dampSinceMs;
  out.observe("substation.condensation", {
    holds: damp.length > 0,
    atMs,
    value: humidityPercent,
    limit: limitPercent,
    evidence: {
      transformers: damp.join(" "),
      damp_hours: sinceMs === null ? null : rounded((atMs - sinceMs) / hours(1), 3),
      oil_c: oilC,
      ambient_c: ambientC,
    },
  });
}
