import * as assert from "uvu/assert";
import type { Arrival, Seen } from "../../../kit/given.ts";
import { AFTER, change, DELETE, given, INSERT } from "../../../kit/grid.ts";
import { suite } from "../../../kit/suite.ts";

const test = suite("billing rules");

function said(seen: Seen, rule: string): readonly string[] {
  const events = seen.events.filter(({ data }) => data.rule === `billing.${rule}`);
  return events.map(({ type, data }) => `${type.split(".")[2]} ${data.severity} ${data.observation.value}`);
}

/** A change of the `nth` bill, for a month of 2025. */
const bill = (n: number, operation: number, nth: number, more = {}): Arrival =>
  change(n, operation, {
    transaction_id: `TXN-0000010${nth}`,
    bill_id: `BILL-${nth}`,
    meter_id: "SM-W-00134",
    units_consumed_kwh: "400",
    base_amount: "2600.00",
    tax_amount: "468.00",
    total_amount: "3068.00",
    ...more,
  });
const month = (first: string, last: string) => ({ billing_period_start: first, billing_period_end: last });
const MAY = month("2025-05-01", "2025-05-31");
const JUNE = month("2025-06-01", "2025-06-30");

test("a total that is not base and tax, by more than half a rupee, is told of in the record's row, too", async () => {
  const of = async (total: string) => {
    const seen = await given().when(bill(0, INSERT, 1, { total_amount: total }));
    return [said(seen, "total"), seen.rows("billing_changes")[0]?.rules];
  };
  assert.equal(await of("3068.50"), [[], null]);
  assert.equal(await of("3068.51"), [["raised warning 0.51"], "billing.total"]);
  assert.equal(await of("3000.00"), [["raised warning -68"], "billing.total"]);
});

test("two bills of a meter for the same days overlap, days between two are a gap", async () => {
  const may = bill(0, INSERT, 1, MAY);
  const of = async (more: object) => said(await given(may).when(bill(5, INSERT, 2, { ...more })), "period");
  assert.equal(await of(JUNE), []);
  assert.equal(await of(month("2025-05-31", "2025-06-30")), ["raised warning -1"]);
  assert.equal(await of(month("2025-06-02", "2025-06-30")), []);
  assert.equal(await of(month("2025-06-03", "2025-06-30")), ["raised info 2"]);
  assert.equal(await of({ ...month("2025-05-10", "2025-06-30"), meter_id: "SM-W-00999" }), []);
});

test("a bill that is changed, or issued anew after it was deleted, does not overlap itself", async () => {
  const paid = { ...MAY, payment_status: "PAID" };
  const changed = await given(bill(0, INSERT, 1, MAY)).when(bill(5, AFTER, 1, paid));
  assert.equal(said(changed, "period"), []);
  const again = await given(bill(0, INSERT, 1, paid)).when(bill(5, DELETE, 1, paid), bill(10, INSERT, 2, MAY));
  assert.equal(said(again, "period"), []);
});

test("a second bill of a customer that is cut by more than a fifth within a year is an alteration, and stays one", async () => {
  const cut = (n: number, nth: number, units: string) => bill(n, AFTER, nth, { units_consumed_kwh: units });
  const bills = [bill(0, INSERT, 1, MAY), bill(1, INSERT, 2, JUNE)];
  const of = async (...changes: readonly Arrival[]) => said(await given(...bills).when(...changes), "altered");
  assert.equal(await of(cut(5, 1, "319")), []);
  assert.equal(await of(cut(5, 1, "319"), cut(6, 2, "321")), []);
  assert.equal(await of(cut(5, 1, "319"), cut(6, 2, "319"), bill(500, INSERT, 3)), ["raised major 2"]);
  assert.equal(await of(bill(5, AFTER, 1, { base_amount: "2000" }), cut(6, 2, "319")), ["raised major 2"]);
});

test("the deletion of an unpaid bill is an alteration, unless its transaction goes on with it", async () => {
  const later = bill(30, INSERT, 3, JUNE);
  const paid = { payment_status: "PAID" };
  assert.equal(said(await given(bill(0, INSERT, 1)).when(bill(5, DELETE, 1), later), "altered"), ["raised major unpaid_deleted"]);
  assert.equal(said(await given(bill(0, INSERT, 1, paid)).when(bill(5, DELETE, 1, paid), later), "altered"), []);
  const moved = bill(5, INSERT, 2, { bill_id: "BILL-1", __$seqval: "0xfffff" });
  assert.equal(said(await given(bill(0, INSERT, 1)).when(bill(5, DELETE, 1), moved, later), "altered"), []);
});
