import type { Out } from "../engine/behaviour.ts";
import type { BillChange, GridMessage } from "./message.ts";
import { limitsOf } from "./rules.ts";

/** The rules that look at one image of a bill: is its amount tiny, and does it follow from units and rate? */
export function judgeImage(message: BillChange, out: Out<GridMessage>): void {
  judgeAmount(message, out);
  judgePrice(message, out);
}

function judgeAmount({ basePaise, unitsWh, atMs }: BillChange, out: Out<GridMessage>): void {
  const { lowestPaise, limitPaise, majorUnitsKwh } = limitsOf(out, "billing.tiny_amount");
  if (basePaise === null || basePaise < lowestPaise || basePaise > limitPaise) return;
  const severity = unitsWh !== null && unitsWh > majorUnitsKwh * 1_000 ? "major" : "info";
  out.observe("billing.tiny_amount", {
    holds: true,
    atMs,
    value: basePaise / 100,
    limit: limitPaise / 100,
    severity,
    evidence: { units_kwh: unitsWh === null ? null : unitsWh / 1_000 },
  });
}

/** Base against units x rate, in exact paise. The guide's own sample is 1.00 rupee off, so a difference must be large both ways. */
function judgePrice({ basePaise, unitsWh, ratePer10000, atMs }: BillChange, out: Out<GridMessage>): void {
  if (basePaise === null || unitsWh === null || ratePer10000 === null) return;
  const expectedPaise = Number((BigInt(unitsWh) * BigInt(ratePer10000) + 50_000n) / 100_000n);
  if (expectedPaise <= 0) return;
  const { toleranceShare, toleranceDifferencePaise, majorRatio } = limitsOf(out, "billing.unit_price");
  const ratio = basePaise / expectedPaise;
  const isFar =
    Math.abs(basePaise - expectedPaise) > toleranceShare * expectedPaise && Math.abs(basePaise - expectedPaise) > toleranceDifferencePaise;
  if (!isFar) return;
  const severity = ratio < majorRatio ? "major" : "warning";
  out.observe("billing.unit_price", {
    holds: true,
    atMs,
    value: Math.round(ratio * 10_000) / 10_000,
    limit: 1 - toleranceShare,
    clear: 1,
    severity,
    evidence: { base_paise: basePaise, expected_paise: expectedPaise, units_kwh: unitsWh / 1_000, rate: ratePer10000 / 10_000 },
  });
}
