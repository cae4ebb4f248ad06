import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { TelemetryReported } from "../../tells.ts";
import { type Bay, type Bays, baysWhere } from "./bay.ts";

/** `substation.breaker_open_load`: judged for each transformer, never for the sum of them. */
export function judgeOpenLoad(
  bays: Bays,
  bay: Bay,
  { atMs, loadMw, capacityMw, breakerStatus }: TelemetryReported,
  out: Out<GridMessage>,
): void {
  if (loadMw === null || capacityMw === null || breakerStatus === null) return;
  const { loadShare, badSamples, goodSamples } = limitsOf(out, "substation.breaker_open_load");
  const isOpenWithLoad = breakerStatus !== "CLOSED" && loadMw > loadShare * capacityMw;
  bay.openWithLoad = isOpenWithLoad ? bay.openWithLoad + 1 : 0;
  bay.good = isOpenWithLoad ? 0 : bay.good + 1;
  if (bay.openWithLoad >= badSamples) bay.isBad = true;
  else if (bay.good >= goodSamples) bay.isBad = false;
  const bad = baysWhere(bays, ({ isBad }) => isBad);
  out.observe("substation.breaker_open_load", {
    holds: bad.length > 0,
    atMs,
    value: loadMw,
    limit: loadShare * capacityMw,
    evidence: { transformers: bad.join(" "), breaker_status: breakerStatus, samples: bay.openWithLoad },
  });
}
