import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import { limitsOf } from "../../rules.ts";

/** `meter.energy_while_disconnected`: status and energy of one record that contradict each other. */
export function judgeDisconnected({ atMs, readingKwh, status }: ReadingMeasured, out: Out<GridMessage>): void {
  if (status !== "DISCONNECTED") return;
  const { limitKwh, doubtfulKwh } = limitsOf(out, "meter.energy_while_disconnected");
  if (readingKwh <= limitKwh || readingKwh >= doubtfulKwh) return;
  out.observe("meter.energy_while_disconnected", {
    holds: true,
    atMs,
    value: readingKwh,
    limit: limitKwh,
    evidence: { meter_status: status },
  });
}
