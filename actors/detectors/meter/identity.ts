import type { Out } from "../../../engine/behaviour.ts";
import { keyOf } from "../../../engine/ids.ts";
import type { GridMessage, ReadingMeasured } from "../../message.ts";
import type { Link } from "../../tells.ts";

/** `meter.identity`: the customer that records name against the one of the master, five times. `link`: in force, or null. */
export function judgeIdentity({ atMs, customerId }: ReadingMeasured, link: Link | null, out: Out<GridMessage>): void {
  if (link === null || customerId === null) return;
  const holds = customerId !== keyOf(link.customer);
  if (!holds && !out.hasEpisode("meter.identity")) return;
  out.observe("meter.identity", { holds, atMs, value: customerId, evidence: { linked: keyOf(link.customer) } });
}
