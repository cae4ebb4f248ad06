import type { Out } from "../../../engine/behaviour.ts";
import { days, minutes } from "../../../engine/duration.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import type { BillChanged, BillKeyed } from "../../tells.ts";

/** What was done to bills of a customer. */
export interface Alterations {
  /** When bills were cut, the latest few. */
  readonly cutsAtMs: readonly number[];
  /** Unpaid bills that were deleted, and may go on under another key: their transaction will tell. */
  readonly deleted: readonly { readonly bill: string; readonly billId: string | null; readonly startLsn: string; readonly atMs: number }[];
}

export const NO_ALTERATIONS: Alterations = { cutsAtMs: [], deleted: [] };

/** The name of the timer after which a deletion is one. */
export const ALTERED_TIMER = "altered";

const MAX = 16;
/** All rows of a transaction have come by then. */
const SETTLES_MS = minutes(1);

/** `billing.altered`, of a change: a cut of units or base beyond the limit, twice in a year; or the deletion of an unpaid bill, once it is sure. */
export function judgeAlteration(state: Alterations, message: BillChanged, out: Out<GridMessage>): Alterations {
  const { atMs, change, leftShare, stands, bill, startLsn } = message;
  const { cutShare } = limitsOf(out, "billing.altered");
  if (change === "deleted" && !stands.isPaid) {
    out.wakeAt(ALTERED_TIMER, atMs + SETTLES_MS);
    return { ...state, deleted: [...state.deleted, { bill, billId: stands.billId, startLsn, atMs }].slice(-MAX) };
  }
  if (change !== "changed" || leftShare === null || leftShare >= 1 - cutShare) return state;
  const cutsAtMs = [...state.cutsAtMs, atMs].sort((a, b) => a - b).slice(-MAX);
  judgeCuts(cutsAtMs, message, out);
  return { ...state, cutsAtMs };
}

/** A bill ended and one of its number began in one transaction: an update. */
export function keepKeyed(state: Alterations, { billId, startLsn }: BillKeyed): Alterations {
  return { ...state, deleted: state.deleted.filter((one) => one.startLsn !== startLsn || one.billId !== billId) };
}

/** The timer is due: deletions that nothing has explained are told of. */
export function settleDeletions(state: Alterations, dueMs: number, out: Out<GridMessage>): Alterations {
  const sure = state.deleted.filter(({ atMs }) => atMs + SETTLES_MS <= dueMs);
  for (const { bill, atMs } of sure) {
    out.observe("billing.altered", { holds: true, atMs, value: "unpaid_deleted", evidence: { bill } });
  }
  const deleted = state.deleted.filter((one) => !sure.includes(one));
  if (deleted.length > 0) out.wakeAt(ALTERED_TIMER, Math.min(...deleted.map(({ atMs }) => atMs)) + SETTLES_MS);
  return { ...state, deleted };
}

function judgeCuts(cutsAtMs: readonly number[], { atMs, bill, leftShare }: BillChanged, out: Out<GridMessage>): void {
  const { limitCount, windowDays, cutShare } = limitsOf(out, "billing.altered");
  const recent = cutsAtMs.filter((cutMs) => cutMs > atMs - days(windowDays) && cutMs <= atMs);
  if (recent.length < limitCount) return;
  out.observe("billing.altered", {
    holds: true,
    atMs,
    value: recent.length,
    limit: limitCount,
    evidence: { bill, left_share: leftShare, cut_share: cutShare },
  });
}
