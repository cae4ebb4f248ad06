import * as assert from "uvu/assert";
import { type BillingRow, billingRows } from "../../simulators/billing.ts";
import { gridOf } from "../../simulators/grid.ts";
import { suite } from "../kit/suite.ts";

const test = suite("billing");

const sets = [
  { seed: 42, scale: 1 },
  { seed: 7, scale: 1 },
  { seed: 42, scale: 3 },
].map(({ seed, scale }) => ({ scale, records: [...billingRows(gridOf(seed, scale))] }));

const keyOf = (row: BillingRow): string => `${row.transaction_id}@${row.__$start_lsn}/${row.__$seqval}/${row.__$operation}`;
const paise = (rupees: number): number => Math.round(rupees * 100);
const exactPaise = (row: BillingRow): number => {
  const product = BigInt(Math.round(row.units_consumed_kwh * 1_000)) * BigInt(Math.round(row.rate_per_kwh * 10_000));
  return Number((product + 50_000n) / 100_000n);
};
/** The row as it is in the table: without what the capture adds. */
const imageOf = (row: BillingRow): string =>
  JSON.stringify(Object.entries(row).filter(([column]) => !column.startsWith("__$") && column !== "cdc_timestamp"));

test("240 inserts, 65 update pairs and 30 deletes make 400 rows for each unit of scale, on 240 bills", () => {
  for (const { scale, records } of sets) {
    const count = (operation: number): number => records.filter(({ row }) => row.__$operation === operation).length;
    assert.equal(
      [1, 2, 3, 4].map(count),
      [30, 240, 65, 65].map((each) => each * scale),
    );
    assert.is(new Set(records.map(({ row }) => row.transaction_id)).size, 240 * scale);
    assert.is(new Set(records.map(({ row }) => keyOf(row))).size, 400 * scale);
  }
});

test("there are 12 frauds among the inserts and 4 among the after images, 6 and 2 mismatches", () => {
  for (const { scale, records } of sets) {
    const count = (label: string, operation: number): number =>
      records.filter(({ row, labels }) => row.__$operation === operation && labels[0]?.label === label).length;
    assert.equal([count("fraud", 2), count("fraud", 4)], [12 * scale, 4 * scale]);
    assert.equal([count("ratio_mismatch", 2), count("ratio_mismatch", 4)], [6 * scale, 2 * scale]);
  }
});

test("the written amounts stand for their labels, and clean ones are exact in paise", () => {
  for (const { records } of sets) {
    for (const { row, labels } of records) {
      const basePaise = paise(row.base_amount);
      assert.is(paise(row.tax_amount), Math.round(basePaise * 0.18 + 1e-9));
      assert.is(paise(row.total_amount), basePaise + paise(row.tax_amount));
      const label = labels[0];
      if (label !== undefined) assert.is(label.id, keyOf(row));
      if (row.__$operation !== 2 && row.__$operation !== 4) {
        assert.is(label, undefined);
      } else if (basePaise >= 1 && basePaise <= 5_000) {
        assert.equal([label?.label, row.fraud_flag], ["fraud", true]);
        assert.ok(row.units_consumed_kwh > 20);
      } else if (basePaise !== exactPaise(row)) {
        const ratio = basePaise / exactPaise(row);
        assert.equal([label?.label, row.fraud_flag], ["ratio_mismatch", false]);
        assert.ok(ratio >= 0.4 && ratio <= 0.7 && basePaise >= 6_000, `ratio ${ratio}`);
      } else {
        assert.equal([label, row.fraud_flag], [undefined, false]);
        assert.ok(basePaise >= 6_000);
      }
    }
  }
});

test("a before image equals the state it replaces, its after image follows in the same change and differs where the mask says", () => {
  for (const { records } of sets) {
    const states = new Map<string, string>();
    records.forEach(({ row }, at) => {
      const state = states.get(row.transaction_id);
      if (row.__$operation === 2) assert.is(state, undefined);
      else assert.is(row.__$operation === 4 ? undefined : imageOf(row), row.__$operation === 4 ? undefined : state);
      if (row.__$operation === 3) {
        const after = records[at + 1]?.row;
        assert.equal(
          [after?.__$operation, after?.__$start_lsn, after?.__$seqval, after?.cdc_timestamp],
          [4, row.__$start_lsn, row.__$seqval, row.cdc_timestamp],
        );
        const columns = Object.entries(row).filter(([column]) => !column.startsWith("__$"));
        const changed = columns.reduce(
          (mask, [column, value], ordinal) =>
            Object.entries(after ?? {}).some(([name, other]) => name === column && other !== value) ? mask | (1 << ordinal) : mask,
          0,
        );
        assert.ok(changed !== 0);
        assert.is(Number(row.__$update_mask), changed);
        assert.is(after?.__$update_mask, row.__$update_mask);
      }
      if (row.__$operation === 2 || row.__$operation === 4) states.set(row.transaction_id, imageOf(row));
      if (row.__$operation === 1) states.set(row.transaction_id, "deleted");
    });
  }
});

test("after an injected row its bill has no further update, and only paid bills are deleted", () => {
  for (const { records } of sets) {
    const injected = new Set<string>();
    for (const { row, labels } of records) {
      if (row.__$operation === 3) assert.not.ok(injected.has(row.transaction_id));
      if (row.__$operation === 1) assert.is(row.payment_status, "PAID");
      if (labels.length > 0) injected.add(row.transaction_id);
    }
  }
});

test("LSNs, and with them the commit times, rise with every change; a customer is billed once", () => {
  for (const { scale, records } of sets) {
    const changes = records.map(({ row }) => row).filter((row) => row.__$operation !== 4);
    changes.slice(1).forEach((row, before) => {
      const previous = changes[before];
      assert.ok(BigInt(row.__$start_lsn) > BigInt(previous?.__$start_lsn ?? 0));
      assert.ok(BigInt(row.__$seqval) > BigInt(previous?.__$seqval ?? 0));
      assert.ok(row.cdc_timestamp > (previous?.cdc_timestamp ?? ""));
    });
    assert.ok(changes.every((row) => /^0x[0-9A-F]{10}$/.test(row.__$start_lsn) && row.cdc_timestamp.startsWith("2025-06-15T")));
    assert.is(new Set(changes.map((row) => row.customer_id)).size, 240 * scale);
  }
});

test("bills follow the links of the grid", () => {
  const grid = gridOf(42, 1);
  const byId = new Map(Array.from({ length: grid.customers }, (_, customer) => [grid.customerId(customer), customer]));
  for (const { row } of sets[0]?.records ?? []) {
    const meter = grid.meterOf(byId.get(row.customer_id) ?? -1);
    assert.is(row.meter_id, grid.meterId(meter));
    const { region, state } = grid.placeOf(grid.substationOf(grid.transformerOf(meter)));
    assert.equal([row.region, row.state], [region, state]);
  }
});
