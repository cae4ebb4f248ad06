import type { Out } from "../../../engine/behaviour.ts";
import { type Version, versionAt } from "../../../engine/history.ts";
import { numberOf, textOf } from "../../cell.ts";
import { civilDate, gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import type { BillChanged, BillKeyed, BillStanding, GapShared, MeteredDay, MeterTotal, SignsChanged } from "../../tells.ts";
import { type Alterations, judgeAlteration, keepKeyed, NO_ALTERATIONS, settleDeletions } from "../billing/altered.ts";
import { judgeMetered } from "../billing/metered_gap.ts";
import { judgePeriod, type Period } from "../billing/period.ts";
import { type Arrears, arrearsAfter, judgeArrears } from "./arrears_drop.ts";
import { judgeInactive } from "./inactive_use.ts";
import { judgeTariff } from "./tariff_misuse.ts";
import { judgeRisk, NO_SIGNS, type Signs } from "./theft_risk.ts";

/** What a customer's detectors keep. Changed in place. */
export interface CustomerWatch {
  periods: readonly Period[];
  alterations: Alterations;
  /** The latest bill by the end of its period. */
  bill: BillStanding | null;
  /** What its meters have counted, by day, in order. */
  metered: readonly MeteredDay[];
  arrears: Arrears | null;
  quietDays: number;
  signs: Signs;
  /** Of the last time that signs changed; null: there has been none. */
  risk: number | null;
}

/** Long enough for a bill of two months that comes two weeks later. */
const DAYS_MAX = 75;

export function customerWatch(): CustomerWatch {
  return { periods: [], alterations: NO_ALTERATIONS, bill: null, metered: [], arrears: null, quietDays: 0, signs: NO_SIGNS, risk: null };
}

export function judgeBill(state: CustomerWatch, message: BillChanged, out: Out<GridMessage>): void {
  state.periods = judgePeriod(state.periods, message, out);
  state.alterations = judgeAlteration(state.alterations, message, out);
  const { change, stands } = message;
  if (change === "deleted" || stands.periodEnd === null || stands.periodEnd < (state.bill?.periodEnd ?? "")) return;
  state.bill = stands;
  see(state, { billed: judgeMetered(stands, state.metered, out) }, message.atMs, out);
}

/** Signs at the connection, from its meter or its transformer. */
export function judgeSigns(state: CustomerWatch, message: SignsChanged, out: Out<GridMessage>): void {
  see(state, { meter: message.signs }, message.atMs, out);
}

export function judgeShare(state: CustomerWatch, { score, confidence, day }: GapShared, out: Out<GridMessage>): void {
  see(state, { gap: score, confidence }, gridDayStartMs(day + 1), out);
}

/** The risk follows signs that have changed. Until there is one, nothing is said. */
function see(state: CustomerWatch, seen: Partial<Signs>, atMs: number, out: Out<GridMessage>): void {
  const signs = { ...state.signs, ...seen };
  const isSame = (Object.keys(signs) as (keyof Signs)[]).every((name) => signs[name] === state.signs[name]);
  state.signs = signs;
  if (!isSame || state.risk !== null) state.risk = judgeRisk(signs, atMs, out);
}

export function keepBill(state: CustomerWatch, message: BillKeyed): void {
  state.alterations = keepKeyed(state.alterations, message);
}

export function settleBills(state: CustomerWatch, dueMs: number, out: Out<GridMessage>): void {
  state.alterations = settleDeletions(state.alterations, dueMs, out);
}

/** Days that a meter has counted: what is told again replaces what was told before. */
export function judgeTotals(
  state: CustomerWatch,
  { days, atMs, hoursKwh }: MeterTotal,
  versions: readonly Version[],
  out: Out<GridMessage>,
): void {
  const told = new Set(days.map(({ day }) => day));
  state.metered = [...state.metered.filter(({ day }) => !told.has(day)), ...days].sort((a, b) => a.day - b.day).slice(-DAYS_MAX);
  for (const one of days) {
    const date = civilDate(gridDayStartMs(one.day));
    state.quietDays = judgeInactive(state.quietDays, one, textOf(versionAt(versions, date)?.values["account_status"]), out);
  }
  const tariff = textOf(versionAt(versions, civilDate(atMs))?.values["tariff_category"]);
  if (hoursKwh !== null) judgeTariff(hoursKwh, tariff, atMs, out);
  const billed = state.bill === null ? false : judgeMetered(state.bill, state.metered, out);
  see(state, { billed, arrears: judgeArrears(state.arrears, state.metered, atMs, out) }, atMs, out);
}

/** The balance of the version that stands open. */
export function followBalance(state: CustomerWatch, versions: readonly Version[]): void {
  const balance = numberOf(versions.findLast(({ to }) => to === null)?.values["outstanding_balance"]);
  if (balance !== null) state.arrears = arrearsAfter(state.arrears, balance);
}
