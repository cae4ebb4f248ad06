import * as assert from "uvu/assert";
import { billing } from "../../../actors/feeds/billing.ts";
import type { BillChange } from "../../../actors/message.ts";
import { minutes } from "../../../engine/duration.ts";
import { decoded, noteCodes, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { GUIDE_BILL } from "../../kit/guide_samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("billing feed");

const AT_MS = Date.UTC(2025, 5, 15, 11, 23, 45);
const READ = {
  ...GUIDE_BILL,
  __$start_lsn: "00000000000a3b5c7d8e",
  __$seqval: "00000000000b4c6d9e0f",
  units_consumed_kwh: 456_780,
  rate_per_kwh: 65_000,
  base_amount: 296_807,
  tax_amount: 53_425,
  total_amount: 350_232,
  cdc_timestamp: AT_MS,
  event_serial_no: null,
};

function change(members: object = {}): BillChange {
  return told(billing, { json: { ...GUIDE_BILL, ...members } });
}

test("the guide's sample is decoded exactly: paise, watt-hours, hundredths of a paisa", () => {
  const seen = decoded(billing, { json: GUIDE_BILL });
  assert.equal(seen.row, READ);
  assert.equal([seen.notes, seen.rescued], [[], null]);
  assert.is(billing.eventTimeMs(seen.row), AT_MS);
  assert.equal(billing.actors(seen.row), ["bill/TXN-00000042"]);
  assert.is(billing.dedupKey(seen.row), "TXN-00000042@00000000000a3b5c7d8e/00000000000b4c6d9e0f/2");
});

test("456,780 Wh at 65,000 make 296,907 paise, in integers alone", () => {
  const { unitsWh, ratePer10000 } = change();
  assert.is((BigInt(unitsWh ?? 0) * BigInt(ratePer10000 ?? 0) + 50_000n) / 100_000n, 296_907n);
});

test("its bill is told where the change stands and what it says", () => {
  const {
    __$operation,
    __$start_lsn,
    __$seqval,
    __$update_mask,
    __$command_id,
    transaction_id,
    cdc_timestamp,
    event_serial_no,
    ...values
  } = READ;
  assert.equal(change(), {
    type: "bill_change",
    atMs: AT_MS,
    operation: 2,
    startLsn: "00000000000a3b5c7d8e",
    seqval: "00000000000b4c6d9e0f",
    position: "00000000000a3b5c7d8e0000000100000000000b4c6d9e0f02",
    customerId: "CUST-000789",
    meterId: "SM-W-00134",
    values,
    authored: Object.keys(values),
    before: null,
    serial: 0,
    unitsWh: 456_780,
    ratePer10000: 65_000,
    basePaise: 296_807,
  });
});

test("the identity of a change leaves out the command, its position does not", () => {
  const [a, b] = [
    { ...GUIDE_BILL, __$command_id: 2 },
    { ...GUIDE_BILL, __$command_id: null },
  ].map((json) => decoded(billing, { json }).row);
  assert.is(billing.dedupKey(a ?? {}), billing.dedupKey(b ?? {}));
  assert.ok(change({ __$command_id: null }).position < change({ __$command_id: 2 }).position);
});

test("every spelling of one LSN gives one position", () => {
  const positions = ["0x0A3B5C7D8E", "0xa3b5c7d8e", "00000000000A3B5C7D8E", "0:000A3B5C:7D8E", "AAAAAAAKO1x9jg=="].map(
    (spelling) => change({ __$start_lsn: spelling }).position,
  );
  assert.is(new Set(positions).size, 1);
});

test("corpus 106: a change needs its operation and a position that is not zero", () => {
  const refusal = (members: object) => refused(billing, { json: { ...GUIDE_BILL, ...members } });
  for (const operation of [0, 6, 2.5, "two", true])
    assert.is(refusal({ __$operation: operation }), "bad_operation __$operation", String(operation));
  assert.is(refusal({ __$operation: null }), "missing_field __$operation");
  for (const lsn of ["0x0", "0x", "abc", 5, `0x${"1".repeat(21)}`]) {
    assert.is(refusal({ __$start_lsn: lsn }), "bad_lsn __$start_lsn", String(lsn));
    assert.is(refusal({ __$seqval: lsn }), "bad_lsn __$seqval", String(lsn));
  }
  assert.is(refusal({ __$start_lsn: null }), "missing_field __$start_lsn");
  assert.is(refusal({ transaction_id: "TXN-42" }), "bad_id transaction_id");
  assert.is(refusal({ customer_id: null }), "missing_field customer_id");
  assert.is(refusal({ cdc_timestamp: "now" }), "bad_time cdc_timestamp");
});

test("negative and zero amounts pass; one that is none costs itself, never the change", () => {
  const credit = decoded(billing, { json: { ...GUIDE_BILL, base_amount: -0.01, tax_amount: 0, total_amount: "-12.5" } });
  assert.equal([credit.row["base_amount"], credit.row["tax_amount"], credit.row["total_amount"]], [-1, 0, -1_250]);
  const bad = decoded(billing, { json: { ...GUIDE_BILL, base_amount: "1,5", total_amount: 1e12 } });
  assert.equal([bad.row["base_amount"], bad.row["total_amount"]], [null, null]);
  assert.equal(rescuedOf(bad), {
    base_amount: { value: "1,5", reason: "type_mismatch" },
    total_amount: { value: 1e12, reason: "out_of_range" },
  });
});

test("more places than money has are rounded half away from zero, noted and kept", () => {
  const seen = decoded(billing, { json: { ...GUIDE_BILL, base_amount: 10.005, units_consumed_kwh: 1.2345, rate_per_kwh: "6.50004" } });
  assert.equal([seen.row["base_amount"], seen.row["units_consumed_kwh"], seen.row["rate_per_kwh"]], [1_001, 1_235, 65_000]);
  assert.equal(noteCodes(seen), ["rounded", "rounded", "rounded"]);
  assert.equal(rescuedOf(seen), {
    units_consumed_kwh: { value: 1.2345, reason: "rounded" },
    rate_per_kwh: { value: "6.50004", reason: "rounded" },
    base_amount: { value: 10.005, reason: "rounded" },
  });
});

test("a period that ends before it starts loses its end, and a period of one day does not", () => {
  const seen = decoded(billing, { json: { ...GUIDE_BILL, billing_period_end: "2025-05-31" } });
  assert.equal([seen.row["billing_period_start"], seen.row["billing_period_end"]], ["2025-06-01", null]);
  assert.equal(rescuedOf(seen), { billing_period_end: { value: "2025-05-31", reason: "out_of_range" } });
  assert.is(decoded(billing, { json: { ...GUIDE_BILL, billing_period_end: "2025-06-01" } }).row["billing_period_end"], "2025-06-01");
});

test("an insert and a delete speak about everything, whatever the mask says", () => {
  for (const operation of [1, 2, 3, 5]) {
    const { authored } = change({ __$operation: operation, __$update_mask: "0x01", payment_method: null });
    assert.is(authored.length, 16, String(operation));
  }
});

test("corpus 110: of an update values count, and nulls whose bit is set", () => {
  const silent = (mask: string | null, members: object) => {
    const { authored, values } = change({ __$operation: 4, __$update_mask: mask, ...members });
    return Object.keys(values).filter((name) => !authored.includes(name));
  };
  const nulls = { payment_method: null, due_date: null };
  assert.equal(silent("0x1000", nulls), ["due_date"], "bit 13 is payment_method, bit 14 due_date");
  assert.equal(silent("0x2000", nulls), ["payment_method"]);
  assert.equal(silent("0x0001", nulls), ["payment_method", "due_date"]);
  assert.equal(silent("0x00", nulls), []);
  assert.equal(silent(null, nulls), []);
  assert.equal(silent("junk", nulls), []);
  assert.equal(silent("0x1000", { payment_status: "DUE", payment_method: null }), [], "a value counts without its bit");
});

test("bits of a mask follow the order in which columns were captured", () => {
  const reordered = billing.captured?.(["due_date", "transaction_id", "payment_method"]);
  assert.ok(reordered);
  const json = { ...GUIDE_BILL, __$operation: 4, payment_method: null, due_date: null };
  const authored = (mask: string) => {
    const all = told(reordered as typeof billing, { json: { ...json, __$update_mask: mask } }).authored;
    return ["payment_method", "due_date"].filter((name) => all.includes(name));
  };
  assert.equal([authored("0x01"), authored("0x04"), authored("0x05")], [["due_date"], ["payment_method"], ["payment_method", "due_date"]]);
});

test("a column that an update leaves out says nothing", () => {
  const { payment_method, ...rest } = GUIDE_BILL;
  for (const mask of ["0x1000", "0x00"]) {
    const { authored } = told(billing, { json: { ...rest, __$operation: 4, __$update_mask: mask } });
    assert.not(authored.includes("payment_method"), `${payment_method} ${mask}`);
  }
});

test("order is by position, so nothing is late; the clock waits a minute", () => {
  assert.equal([billing.latenessMs, billing.clockDelayMs, billing.dedup], [Number.POSITIVE_INFINITY, minutes(1), "actor"]);
});
