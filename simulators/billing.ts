import { DATA_DAY_AT_MS, DAY_MS, daysAfter, instant, monthStart, spread } from "./calendar.ts";
import { customerMaster } from "./customer_master.ts";
import { type Grid, padded } from "./grid.ts";
import type { Tariff } from "./load_curve.ts";
import { type Random, streams } from "./random.ts";
import { clamped, shifted } from "./rounding.ts";
import type { Label, Labelled } from "./truth.ts";

/** Source 3 of the data guide, keys in its order. Amounts in ₹. */
export interface BillingRow extends Bill {
  readonly __$operation: 1 | 2 | 3 | 4;
  readonly __$start_lsn: string;
  readonly __$seqval: string;
  readonly __$update_mask: string;
  readonly __$command_id: number;
  readonly cdc_timestamp: string;
}

/** The columns of the table that is captured, in its order: bit n-1 of an update mask stands for the n-th of them. */
interface Bill {
  readonly transaction_id: string;
  readonly bill_id: string;
  readonly customer_id: string;
  readonly meter_id: string;
  readonly billing_period_start: string;
  readonly billing_period_end: string;
  readonly units_consumed_kwh: number;
  readonly rate_per_kwh: number;
  readonly base_amount: number;
  readonly tax_amount: number;
  readonly total_amount: number;
  readonly payment_status: "PENDING" | "PAID" | "OVERDUE";
  readonly payment_method: string | null;
  readonly due_date: string;
  readonly region: string;
  readonly state: string;
  readonly fraud_flag: boolean;
}

/** Counts in one block of the feed: 240 inserts, 65 update pairs, 30 deletes. */
export const BLOCK = { rows: 400, changes: 335, bills: 240 } as const;

export interface BlockOptions {
  /** Names the stream of chance: other names give other bills. */
  readonly set: string;
  /** Which block, from 0. Blocks follow each other without a gap in LSNs, transaction ids and billed customers. */
  readonly block: number;
  /** LSN of the first change of block 0 is one step above it. */
  readonly lsnBase: number;
  /** Number of the first transaction of block 0 is one above it. */
  readonly transactionBase: number;
  /** Place of the first customer of block 0 among the open accounts. After all of them were billed, the next month begins. */
  readonly accountBase: number;
  /** When a change commits. `change` and `row` count over all blocks; `row` is the change's first. Must not fall as they grow. */
  readonly commitAtMs: (change: number, row: number) => number;
}

/**
 * One block of the change feed, in LSN order: 400 rows, each before image equal to the state it replaces. 16 rows are frauds (12 inserts,
 * 4 after images), 8 have a base amount that does not match (6 and 2). After an injected row its bill has no further update.
 */
export function billingBlock(grid: Grid, options: BlockOptions): readonly BillingRow[] {
  const { set, block, lsnBase, commitAtMs } = options;
  const plans = planned(grid, options);
  const states = new Map<Plan, Bill>();
  const billOf = billMaker(grid, options);
  const rows: BillingRow[] = [];
  let inserted = 0;
  scheduled(plans).forEach(({ plan, step }, nth) => {
    const change = block * BLOCK.changes + nth;
    const cdc = {
      start_lsn: hexadecimal(lsnBase + LSN_STEP * (change + 1)),
      seqval: hexadecimal(SEQVAL_BASE + SEQVAL_STEP * (change + 1)),
      at: instant(commitAtMs(change, block * BLOCK.rows + rows.length)),
    };
    const before = states.get(plan);
    if (before === undefined) {
      const bill = billOf(block * BLOCK.bills + inserted, plan);
      inserted += 1;
      states.set(plan, bill);
      rows.push(captured(2, bill, cdc, NO_MASK));
    } else if (step === "delete") {
      rows.push(captured(1, before, cdc, NO_MASK));
    } else {
      const after = updated(before, step, streams(grid.seed, `${set}_update`)(change));
      states.set(plan, after);
      const mask = maskOf(before, after);
      rows.push(captured(3, before, cdc, mask), captured(4, after, cdc, mask));
    }
  });
  return rows;
}

/** The change feed of the data day: 400 rows for each unit of scale. */
export function* billingRows(grid: Grid): Generator<Labelled<BillingRow>> {
  const changes = BLOCK.changes * grid.scale;
  const draws = streams(grid.seed, "billing_draw");
  const commitAtMs = (change: number): number => spread(DATA_DAY_AT_MS, DAY_MS, change, changes, draws(change).unit());
  for (let block = 0; block < grid.scale; block += 1) {
    const options = { set: "billing", block, lsnBase: FILE_LSN_BASE, transactionBase: 0, accountBase: 0, commitAtMs };
    for (const row of billingBlock(grid, options)) yield { row, labels: labelsOf(row) };
  }
}

/** Above every LSN of the generated file at any scale. */
export const LIVE_LSN_BASE = 0x0b_0000_0000;
/** How far the LSN moves with each change. */
export const LSN_STEP = 0x10;

type Step = "insert" | "pay" | "fall_due" | "correct" | "defraud" | "mismatch" | "delete";
type Kind = "clean" | "fraud" | "mismatch";

/** The life of one bill: how it is inserted, and what becomes of it. */
interface Plan {
  readonly kind: Kind;
  readonly paid: boolean;
  readonly later: readonly Step[];
  /** Ascending, one in [0, 1) for the insert and each later step. */
  readonly times: readonly number[];
}

const FILE_LSN_BASE = 0x0a_3b5c_0000;
const SEQVAL_BASE = 0x0b_4c6d_0000;
const SEQVAL_STEP = 0x08;
const NO_MASK = "0x00"; // As in the guide's insert.

const METHODS = ["UPI", "CREDIT_CARD", "DEBIT_CARD", "NET_BANKING", "CASH"] as const;
const RATES_E4: Readonly<Record<Tariff, number>> = { RESIDENTIAL: 65_000, COMMERCIAL: 87_500, INDUSTRIAL: 76_000, AGRICULTURAL: 42_500 }; // In 10⁻⁴ ₹ per kWh.

// The lives of the 240 bills of a block, with how many lead each. Only bills that are PAID are deleted: to delete an unpaid one is a sign of fraud.
const LIVES: readonly (readonly [count: number, kind: Kind, paid: boolean, later: readonly Step[]])[] = [
  [10, "fraud", false, []],
  [2, "fraud", true, ["delete"]],
  [6, "mismatch", false, []],
  [4, "clean", false, ["defraud"]],
  [2, "clean", false, ["mismatch"]],
  [5, "clean", false, ["fall_due", "pay"]],
  [20, "clean", false, ["pay", "delete"]],
  [14, "clean", false, ["pay"]],
  [9, "clean", false, ["fall_due"]],
  [6, "clean", false, ["correct"]],
  [8, "clean", true, ["delete"]],
  [64, "clean", true, []],
  [90, "clean", false, []],
];

function planned(grid: Grid, { set, block }: BlockOptions): readonly Plan[] {
  const lives = LIVES.flatMap(([count, kind, paid, later]) => Array.from({ length: count }, () => ({ kind, paid, later })));
  const randoms = streams(grid.seed, `${set}_plan`);
  return lives.map((life, nth) => {
    const random = randoms(block * BLOCK.bills + nth);
    const times = Array.from({ length: 1 + life.later.length }, () => random.unit()).sort((a, b) => a - b);
    return { ...life, times };
  });
}

function scheduled(plans: readonly Plan[]): readonly { readonly plan: Plan; readonly step: Step }[] {
  const steps = plans.flatMap((plan) => plan.times.map((time, nth) => ({ plan, step: plan.later[nth - 1] ?? "insert", time })));
  return steps.sort((a, b) => a.time - b.time); // Stable: equal times keep the order of one bill's steps.
}

function billMaker(grid: Grid, { set, transactionBase, accountBase }: BlockOptions): (ordinal: number, plan: Plan) => Bill {
  const randoms = streams(grid.seed, `${set}_bill`);
  const customerRow = customerMaster(grid);
  return (ordinal, { kind, paid }) => {
    const random = randoms(ordinal);
    const place = accountBase + ordinal;
    const customer = customerRow(grid.openAccount(place % grid.openAccounts));
    const month = 4 + Math.floor(place / grid.openAccounts); // May 2025 first, then the months after it: a customer's periods never overlap.
    const number = transactionBase + ordinal + 1;
    const unitsWh = 10 * Math.round(100 * clamped(customer.sanctioned_load_kw * 0.12 * 730 * random.between(0.7, 1.3), 60, 15_000));
    const rateE4 = RATES_E4[customer.tariff_category];
    return {
      transaction_id: `TXN-${padded(number, 8)}`,
      bill_id: `BILL-${padded(10_000 + number, 8)}`,
      customer_id: customer.customer_id,
      meter_id: customer.meter_id,
      billing_period_start: monthStart(2025, month),
      billing_period_end: daysAfter(monthStart(2025, month + 1), -1),
      units_consumed_kwh: shifted(unitsWh, 3),
      rate_per_kwh: shifted(rateE4, 4),
      ...amounts(basePaise(kind, unitsWh, rateE4, random)),
      payment_status: paid ? "PAID" : "PENDING",
      payment_method: paid ? random.pick(METHODS) : null,
      due_date: daysAfter(monthStart(2025, month + 1), 30),
      region: customer.region,
      state: customer.state,
      fraud_flag: kind === "fraud",
    };
  };
}

function updated(bill: Bill, step: Step, random: Random): Bill {
  const unitsWh = Math.round(1_000 * bill.units_consumed_kwh);
  const rateE4 = Math.round(10_000 * bill.rate_per_kwh);
  switch (step) {
    case "pay":
      return { ...bill, payment_status: "PAID", payment_method: random.pick(METHODS) };
    case "fall_due":
      return { ...bill, payment_status: "OVERDUE" };
    case "correct": {
      const correctedWh = 10 * Math.round((unitsWh / 10) * random.between(1.01, 1.05));
      return { ...bill, units_consumed_kwh: shifted(correctedWh, 3), ...amounts(exactPaise(correctedWh, rateE4)) };
    }
    case "defraud":
      return { ...bill, ...amounts(basePaise("fraud", unitsWh, rateE4, random)), fraud_flag: true };
    case "mismatch":
      return { ...bill, ...amounts(basePaise("mismatch", unitsWh, rateE4, random)) };
    case "insert":
    case "delete":
      return bill;
  }
}

/** Units in Wh times a rate in 10⁻⁴ ₹ per kWh, in paise. Whole numbers below 2^53, so halves are exact. */
function exactPaise(unitsWh: number, rateE4: number): number {
  return Math.round((unitsWh * rateE4) / 100_000);
}

function basePaise(kind: Kind, unitsWh: number, rateE4: number, random: Random): number {
  if (kind === "fraud") return random.integer(1, 5_000);
  const exact = exactPaise(unitsWh, rateE4); // At least 60 kWh, hence ₹ 255: its 40 % stay above ₹ 60.
  return kind === "mismatch" ? Math.round(exact * random.between(0.4001, 0.6999)) : exact;
}

function amounts(paise: number): Pick<Bill, "base_amount" | "tax_amount" | "total_amount"> {
  const taxPaise = Math.round((paise * 18) / 100);
  return { base_amount: shifted(paise, 2), tax_amount: shifted(taxPaise, 2), total_amount: shifted(paise + taxPaise, 2) };
}

function captured(
  operation: BillingRow["__$operation"],
  bill: Bill,
  cdc: { start_lsn: string; seqval: string; at: string },
  mask: string,
): BillingRow {
  return {
    __$operation: operation,
    __$start_lsn: cdc.start_lsn,
    __$seqval: cdc.seqval,
    __$update_mask: mask,
    __$command_id: 1,
    ...bill,
    cdc_timestamp: cdc.at,
  };
}

function maskOf(before: Bill, after: Bill): string {
  const old = new Map<string, unknown>(Object.entries(before));
  const bits = Object.entries(after).reduce((mask, [column, value], nth) => (old.get(column) === value ? mask : mask + 2 ** nth), 0);
  return `0x${bits.toString(16).toUpperCase().padStart(6, "0")}`;
}

function hexadecimal(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(10, "0")}`;
}

function labelsOf(row: BillingRow): readonly Label[] {
  if (row.__$operation !== 2 && row.__$operation !== 4) return [];
  const id = `${row.transaction_id}@${row.__$start_lsn}/${row.__$seqval}/${row.__$operation}`;
  const paise = Math.round(100 * row.base_amount);
  const exact = exactPaise(Math.round(1_000 * row.units_consumed_kwh), Math.round(10_000 * row.rate_per_kwh));
  if (paise <= 5_000) return [{ id, label: "fraud" }];
  return paise <= 0.7 * exact ? [{ id, label: "ratio_mismatch" }] : [];
}
