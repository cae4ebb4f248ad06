import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { Sample } from "./sample.ts";

/** `transformer.load_field`: the percentage that is reported against the one that follows from load and capacity. */
export function judgeLoadField({ atMs, load, loadPercent }: Sample, out: Out<GridMessage>): void {
  if (load === null || loadPercent === null) return;
  const { limitPercent } = limitsOf(out, "transformer.load_field");
  const difference = Math.round(100 * (loadPercent - 100 * load)) / 100;
  if (Math.abs(difference) <= limitPercent) return;
  out.observe("transformer.load_field", {
    holds: true,
    atMs,
    value: difference,
    limit: limitPercent,
    evidence: { reported_percent: loadPercent, recomputed_percent: Math.round(10_000 * load) / 100 },
  });
}
