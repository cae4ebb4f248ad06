import * as assert from "uvu/assert";
import { civilDate, gridDayStartMs } from "../../../../actors/civil_day.ts";
import { type CustomerWatch, customerWatch, followBalance, judgeBill, judgeTotals } from "../../../../actors/detectors/customer/watch.ts";
import type { GridMessage } from "../../../../actors/message.ts";
import { RULES } from "../../../../actors/rules.ts";
import type { BillChanged, MeteredDay, MeterTotal } from "../../../../actors/tells.ts";
import type { Out } from "../../../../engine/behaviour.ts";
import type { Version } from "../../../../engine/history.ts";
import { ActorId } from "../../../../engine/ids.ts";
import type { Observation } from "../../../../engine/rule.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("customer rules");
const METER = ActorId("meter", "SM-N-00042");
const FIRST = 20_240; // A day in June 2025.

/** What a detector does, rule by rule. */
function listener(): { readonly out: Out<GridMessage>; of(rule: string): readonly Observation["holds"][] } {
  const seen: [string, Observation][] = [];
  const limits = new Map<string, Readonly<Record<string, number>>>(RULES.map((rule) => [rule.id, rule.limits]));
  const out = {
    limits: (rule: string) => limits.get(rule) ?? {},
    observe: (rule: string, observation: Observation) => seen.push([rule, observation]),
    wakeAt: () => {},
  };
  return {
    out: out as Partial<Out<GridMessage>> as Out<GridMessage>,
    of: (rule) => seen.filter(([id]) => id === rule).map(([, { holds }]) => holds),
  };
}

const total = (days: readonly MeteredDay[]): MeterTotal => ({
  type: "meter_total",
  meter: METER,
  atMs: gridDayStartMs((days.at(-1)?.day ?? 0) + 1),
  days,
  hoursKwh: null,
});
const day = (n: number, kwh: number, coverage = 1): MeteredDay => ({ day: FIRST + n, kwh, coverage });
const dates = (from: number, to: number) => ({
  periodStart: civilDate(gridDayStartMs(FIRST + from)),
  periodEnd: civilDate(gridDayStartMs(FIRST + to)),
});
const billed = (unitsWh: number): BillChanged => ({
  type: "bill_changed",
  bill: ActorId("bill", "TXN-00000042"),
  atMs: 0,
  change: "issued",
  changePaise: 0,
  leftShare: null,
  startLsn: "0",
  stands: { billId: "B", meter: METER, unitsWh, isPaid: false, ...dates(0, 9) },
});
const version = (accountStatus: string, balance: number | null = null): Version =>
  ({
    from: "2020-01-01",
    to: null,
    values: { account_status: accountStatus, outstanding_balance: balance },
  }) as Partial<Version> as Version;

function weeks(state: CustomerWatch, count: number, kwh: (n: number) => number, versions: readonly Version[], out: Out<GridMessage>): void {
  for (let week = 0; week < count; week += 1) {
    judgeTotals(state, total(Array.from({ length: 7 }, (_, n) => day(7 * week + n, kwh(7 * week + n)))), versions, out);
  }
}

test("a bill's units are compared with the meter's days once nine in ten are known, whichever comes first", () => {
  for (const [units, holds] of [
    [100_000, false],
    [121_000, true],
    [119_000, false], // Less than 20 kWh.
    [79_000, true],
  ] as const) {
    const { out, of } = listener();
    const state = customerWatch();
    judgeBill(state, billed(units), out);
    judgeTotals(state, total(Array.from({ length: 8 }, (_, n) => day(n, 10))), [], out);
    judgeTotals(state, total([day(8, 10), day(9, 10)]), [], out);
    assert.equal(of("billing.metered_gap"), [null, null, holds], String(units));
    const other = listener();
    const first = customerWatch();
    judgeTotals(first, total(Array.from({ length: 10 }, (_, n) => day(n, 10))), [], other.out);
    judgeBill(first, billed(units), other.out);
    assert.equal(other.of("billing.metered_gap"), [holds], String(units));
  }
});

test("hours without readings are not taken for hours without use", () => {
  const { out, of } = listener();
  const state = customerWatch();
  judgeTotals(state, total(Array.from({ length: 10 }, (_, n) => day(n, 90, 0.9))), [], out);
  judgeBill(state, billed(1_000_000), out);
  judgeBill(state, billed(1_300_000), out);
  assert.equal(of("billing.metered_gap"), [false, true]);
});

test("energy on an account that is not active as of the day is told of each day, until the account is, or nothing is used", () => {
  const { out, of } = listener();
  const state = customerWatch();
  judgeTotals(state, total([day(0, 5), day(1, 5), day(2, 0.5), day(3, 0.1), day(4, 0.1), day(5, 0.1)]), [version("DISCONNECTED")], out);
  judgeTotals(state, total([day(6, 5)]), [version("ACTIVE")], out);
  assert.equal(of("customer.inactive_use"), [true, true, null, null, null, false, false]);
  const unknown = listener();
  judgeTotals(customerWatch(), total([day(0, 5)]), [], unknown.out);
  assert.equal(unknown.of("customer.inactive_use"), []);
});

test("a balance that rises three times while use falls below 70 % of before is told of", () => {
  const last = (balances: readonly number[], kwh: number, count = 5) => {
    const { out, of } = listener();
    const state = customerWatch();
    for (const balance of balances) followBalance(state, [version("ACTIVE", balance)]);
    weeks(state, count, (n) => (n >= 28 ? kwh : 10), [], out);
    return of("customer.arrears_drop").at(-1);
  };
  assert.is(last([1, 2, 3, 4], 6), true);
  assert.is(last([1, 2, 3, 4], 8), false);
  assert.is(last([1, 2, 3], 6), false);
  assert.is(last([1, 2, 3, 2, 4, 5], 6), false);
  assert.is(last([1, 2, 3, 4], 6, 3), undefined); // Three weeks are too few.
});
