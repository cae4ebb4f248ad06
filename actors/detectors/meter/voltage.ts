import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import { limitsOf } from "../../rules.ts";

/** `meter.voltage` and `meter.no_supply`: snapshots against the declared voltage; one of them proves nothing, hence the delay. */
export function judgeVoltage({ atMs, voltageV }: ReadingMeasured, out: Out<GridMessage>): void {
  if (voltageV === null) return;
  const { declaredV, limitPercent, majorPercent, clearPercent, supplyPercent } = limitsOf(out, "meter.voltage");
  const percent = (100 * voltageV) / declaredV;
  const isDead = percent < supplyPercent;
  const deviation = Math.abs(percent - 100);
  if (deviation <= limitPercent && !out.hasEpisode("meter.voltage") && !out.hasEpisode("meter.no_supply")) return;
  const side = percent < 100 ? -1 : 1;
  out.observe("meter.voltage", {
    holds: isDead ? null : deviation > limitPercent,
    atMs,
    value: voltageV,
    limit: (declaredV * (100 + side * limitPercent)) / 100,
    clear: (declaredV * (100 + side * clearPercent)) / 100,
    severity: deviation > majorPercent ? "major" : "warning",
  });
  if (isDead) out.observe("meter.no_supply", { holds: true, atMs, value: voltageV, limit: (declaredV * supplyPercent) / 100 });
  else if (percent > limitsOf(out, "meter.no_supply").clearPercent) out.observe("meter.no_supply", { holds: false, atMs, value: voltageV });
}
