import type { Out } from "../../../engine/behaviour.ts";
import { dayOf } from "../../../engine/instant.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { BillChanged } from "../../tells.ts";

/** A period that is billed: days counted from 1970, both in it. */
export interface Period {
  readonly bill: string;
  readonly meter: string | null;
  readonly from: number;
  readonly to: number;
}

const PERIODS_MAX = 24;

/** `billing.period`: a bill's days against those of the meter's other bills. Returns the periods that stand now. */
export function judgePeriod(
  before: readonly Period[],
  { atMs, bill, change, stands }: BillChanged,
  out: Out<GridMessage>,
): readonly Period[] {
  const others = before.filter((period) => period.bill !== bill);
  const { periodStart, periodEnd, meter } = stands;
  if (change === "deleted" || periodStart === null || periodEnd === null) return others;
  const own: Period = { bill, meter, from: dayOf(periodStart), to: dayOf(periodEnd) };
  const known = before.find((period) => period.bill === bill);
  const isNew = known === undefined || known.from !== own.from || known.to !== own.to || known.meter !== own.meter;
  if (isNew)
    compare(
      own,
      others.filter((period) => period.meter === meter),
      atMs,
      out,
    );
  return [...others, own].sort((a, b) => a.from - b.from || (a.bill < b.bill ? -1 : 1)).slice(-PERIODS_MAX);
}

function compare(own: Period, others: readonly Period[], atMs: number, out: Out<GridMessage>): void {
  const { gapDays } = limitsOf(out, "billing.period");
  const shared = others
    .map((other) => ({ other, days: Math.min(own.to, other.to) - Math.max(own.from, other.from) + 1 }))
    .find(({ days }) => days > 0);
  const before = others.filter(({ to }) => to < own.from).at(-1);
  const gap = before === undefined ? 0 : own.from - before.to - 1;
  if (shared === undefined && gap <= gapDays) return;
  out.observe("billing.period", {
    holds: true,
    atMs,
    value: shared === undefined ? gap : -shared.days,
    limit: gapDays,
    severity: shared === undefined ? "info" : "warning",
    evidence: { bill: own.bill, other: shared?.other.bill ?? before?.bill ?? null, from_day: own.from, to_day: own.to },
  });
}
