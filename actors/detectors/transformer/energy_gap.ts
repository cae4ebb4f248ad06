import type { Out } from "../../../engine/behaviour.ts";
import { ActorId } from "../../../engine/ids.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import { rankChildren } from "./balance.ts";
import { type DayBalance, type EnergyBook, type FrozenChild, variationsOf } from "./energy_book.ts";

type Limits = LimitsOf<"transformer.energy_gap">;

const TOP = 5;

/**
 * `transformer.energy_gap`, once for each day that is balanced: what was delivered and not metered, beyond losses and what is always missing.
 * `customerOf`: whose meter it was on that day.
 */
export function judgeGap(book: EnergyBook, result: DayBalance, customerOf: (meter: string) => ActorId | null, out: Out<GridMessage>): void {
  const limits = limitsOf(out, "transformer.energy_gap");
  const atMs = gridDayStartMs(result.day + 1);
  if (result.determinateHours < limits.hoursMin) {
    out.observe("transformer.energy_gap", { holds: null, atMs, value: null, reason: result.reason ?? "coverage" });
    return;
  }
  const share = result.gapKwh / result.energyKwh;
  const net = share - book.cleanShare;
  learnClean(book, share, limits);
  book.lately = [...book.lately, [result.day, net] as const].slice(-limits.windowDays);
  const over = daysOver(book, limits);
  const under = book.lately.filter(([, one]) => one < limits.clearShare).length;
  if (over >= limits.overDays && book.frozen === null) freeze(book, result, customerOf, out);
  const isOver = over < limits.overDays && under >= limits.underDays;
  if (isOver && book.frozen !== null) thaw(book, result, customerOf, out);
  hold(book, result.day, net, limits, out);
  out.observe("transformer.energy_gap", {
    holds: over >= limits.overDays ? true : isOver ? false : null,
    atMs,
    value: rounded(net, 4),
    limit: limits.limitShare,
    ...(over >= limits.overDays || isOver ? {} : { reason: "window_open" }),
    evidence: evidenceOf(book, result, over),
  });
}

/**
 * Late readings have changed a day that was balanced. If too few days are left above the limit, nothing is left of the alert that rests on them.
 * `settled`: what the day was balanced from.
 */
export function judgeCorrection(
  book: EnergyBook,
  result: DayBalance,
  customerOf: (meter: string) => ActorId | null,
  out: Out<GridMessage>,
): void {
  const limits = limitsOf(out, "transformer.energy_gap");
  const before = book.lately.find(([day]) => day === result.day)?.[1] ?? null;
  const isDeterminate = result.determinateHours >= limits.hoursMin;
  const net = isDeterminate ? result.gapKwh / result.energyKwh - book.cleanShare : null;
  book.lately = book.lately.flatMap(([day, share]) =>
    day !== result.day ? [[day, share] as const] : net === null ? [] : [[day, net] as const],
  );
  const over = daysOver(book, limits);
  if (over >= limits.overDays || out.alertOf("transformer.energy_gap")?.isOpen !== true) return;
  if (book.frozen !== null) thaw(book, result, customerOf, out);
  hold(book, result.day, book.lately.at(-1)?.[1] ?? 0, limits, out);
  const evidence = { ...evidenceOf(book, result, over), share_before: before === null ? null : rounded(before, 4) };
  const value = net === null ? null : rounded(net, 4);
  out.amend("transformer.energy_gap", { holds: false, atMs: gridDayStartMs(result.day + 1), value, limit: limits.limitShare, evidence });
}

function daysOver({ lately }: EnergyBook, { limitShare }: Limits): number {
  return lately.filter(([, share]) => share > limitShare).length;
}

/** What is missing on days that are clean is not metered at all: street lights, pumps. Bounded, so that a theft does not become one of them. */
export function learnClean(book: EnergyBook, share: number, { limitShare, cleanMaxShare }: Limits): void {
  if (share > limitShare || book.frozen !== null) return;
  book.cleanDays = Math.min(30, book.cleanDays + 1);
  const mean = book.cleanShare + (share - book.cleanShare) / book.cleanDays;
  book.cleanShare = Math.min(cleanMaxShare, Math.max(0, mean));
}

function freeze(book: EnergyBook, result: DayBalance, customerOf: (meter: string) => ActorId | null, out: Out<GridMessage>): void {
  book.frozen = rankChildren(book.balance, variationsOf(book)).slice(0, TOP);
  const confidence = confidenceOf(book, result);
  book.frozen.forEach(({ id, score }, n) => {
    tellShare(id, result.day, { score, rank: n + 1, confidence }, customerOf, out);
  });
}

/** The alert is over: nothing is to be explained any more. */
function thaw(book: EnergyBook, { day }: DayBalance, customerOf: (meter: string) => ActorId | null, out: Out<GridMessage>): void {
  for (const { id } of book.frozen ?? []) tellShare(id, day, { score: 0, rank: 0, confidence: 0 }, customerOf, out);
  book.frozen = null;
}

function tellShare(
  meter: string,
  day: number,
  told: { readonly score: number; readonly rank: number; readonly confidence: number },
  customerOf: (meter: string) => ActorId | null,
  out: Out<GridMessage>,
): void {
  const customer = customerOf(meter);
  if (customer !== null) out.tell(customer, { type: "gap_shared", meter: ActorId("meter", meter), day, ...told });
}

/** While much is missing the meters do not learn lower uses as usual; not for longer than a month. */
function hold(book: EnergyBook, day: number, net: number, { holdShare, holdDays }: Limits, out: Out<GridMessage>): void {
  const isHeld = book.heldSinceDay > 0;
  const isLong = isHeld && day - book.heldSinceDay >= holdDays;
  const holds = net > holdShare && !isLong;
  if (holds === isHeld) return;
  book.heldSinceDay = holds ? day : 0;
  for (const meter of Object.keys(book.told).sort()) out.tell(ActorId("meter", meter), { type: "balance_held", holds });
}

/** How sure a balance is: its coverage, how long it has been kept, and how well the weights explain it. */
function confidenceOf({ balance }: EnergyBook, { coverage, fit }: DayBalance): number {
  return rounded(coverage * (balance.hours / (balance.hours + 168)) * (0.5 + 0.5 * fit), 3);
}

function evidenceOf(book: EnergyBook, result: DayBalance, over: number) {
  const { lossA, lossB, hours } = book.balance;
  return {
    day: result.day,
    energy_kwh: rounded(result.energyKwh, 2),
    gap_kwh: rounded(result.gapKwh, 2),
    clean_share: rounded(book.cleanShare, 4),
    days_over: over,
    hours: result.determinateHours,
    coverage: rounded(result.coverage, 3),
    loss_a: rounded(lossA, 5),
    loss_b: rounded(lossB, 5),
    fit: rounded(result.fit, 3),
    confidence: confidenceOf(book, result),
    n: hours,
    ranking: (book.frozen ?? []).map(lineOf).join("; "),
  };
}

function lineOf({ id, score, cos, w, cv, kwh }: FrozenChild): string {
  return `${id} ${rounded(score, 3)} = cos ${rounded(cos, 3)} w ${rounded(w, 3)} cv ${rounded(cv, 3)} ${rounded(kwh, 1)} kWh`;
}
