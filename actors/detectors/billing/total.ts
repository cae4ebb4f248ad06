import type { Out } from "../../../engine/behaviour.ts";
import { numberOf } from "../../cell.ts";
import type { BillChange, GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";

/** `billing.total`: the sum of an image's parts, in paise. Which share the tax must be differs between states, and is not judged. */
export function judgeTotal({ atMs, values, basePaise }: BillChange, out: Out<GridMessage>): void {
  const taxPaise = numberOf(values["tax_amount"]);
  const totalPaise = numberOf(values["total_amount"]);
  if (basePaise === null || taxPaise === null || totalPaise === null) return;
  const { tolerancePaise } = limitsOf(out, "billing.total");
  const difference = totalPaise - basePaise - taxPaise;
  if (Math.abs(difference) <= tolerancePaise) return;
  out.observe("billing.total", {
    holds: true,
    atMs,
    value: difference / 100,
    limit: tolerancePaise / 100,
    evidence: { base_paise: basePaise, tax_paise: taxPaise, total_paise: totalPaise },
  });
}
