import type { Out } from "../../../engine/behaviour.ts";
import type { Severity } from "../../../engine/emission.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { type Slope, steepness } from "../../statistics/slope.ts";
import { rounded } from "../rounded.ts";

/** `transformer.dga_level`: the amount of dissolved gas; the lower limit holds while it rises. One total tells nothing about single gases. */
export function judgeGasLevel(atMs: number, gasPpm: number, line: Slope, out: Out<GridMessage>): void {
  const { risingPpm, limitPpm, majorPpm, criticalPpm, clearShare, slopeErrors } = limitsOf(out, "transformer.dga_level");
  const rise = steepness(line);
  const isRising = rise !== null && rise.perX > 0 && rise.errors > slopeErrors;
  const limit = isRising ? risingPpm : limitPpm;
  const severity: Severity = gasPpm > criticalPpm ? "critical" : gasPpm > majorPpm ? "major" : "warning";
  out.observe("transformer.dga_level", {
    holds: gasPpm > limit,
    atMs,
    value: gasPpm,
    limit,
    clear: clearShare * limit,
    severity,
    evidence: { rising: isRising, ppm_per_day: rise === null ? null : rounded(rise.perX, 3), edition: "IEEE C57.104-2008" },
  });
}
