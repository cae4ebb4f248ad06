import * as assert from "uvu/assert";
import { gridOf } from "../../simulators/grid.ts";
import { meterReadings } from "../../simulators/smart_meter.ts";
import { suite } from "../kit/suite.ts";

const test = suite("smart_meter");

const sets = [
  { seed: 42, scale: 1 },
  { seed: 7, scale: 1 },
  { seed: 42, scale: 3 },
].map(({ seed, scale }) => ({ scale, records: [...meterReadings(gridOf(seed, scale))] }));

const gridFields = (row: Readonly<Record<string, unknown>>): string => Object.keys(row).join(",");
const GUIDE_KEYS =
  "event_id,meter_id,customer_id,timestamp,reading_kwh,voltage_v,current_a,power_factor,frequency_hz,meter_status,region,state,grid_zone,is_anomaly_flag";

test("there are 500 readings, 25 thefts, 15 spikes and 20 of either status for each unit of scale", () => {
  for (const { scale, records } of sets) {
    const count = (label: string): number => records.filter(({ labels }) => labels.some((each) => each.label === label)).length;
    assert.is(records.length, 500 * scale);
    assert.equal(
      ["theft", "spike", "tampered", "disconnected"].map(count),
      [25, 15, 20, 20].map((each) => each * scale),
    );
  }
});

test("the written values stand for their labels, and clean ones keep away from every band", () => {
  for (const { records } of sets) {
    for (const { row, labels } of records) {
      const names = labels.map(({ id, label }) => (id === row.event_id ? label : "wrong id"));
      const kwh = row.reading_kwh;
      const band = kwh >= 0.001 && kwh <= 0.05 ? "theft" : kwh >= 50 && kwh <= 120 ? "spike" : null;
      if (band === null) {
        assert.ok(kwh > 0.06 && kwh < 49, `${kwh} kWh`);
        assert.equal([names, row.meter_status, row.is_anomaly_flag], [[], "ACTIVE", false]);
      } else {
        assert.equal([names, row.is_anomaly_flag], [[band, row.meter_status.toLowerCase()], true]);
        assert.is.not(row.meter_status, "ACTIVE");
      }
    }
  }
});

test("energy is V·I·pf over an hour within 3 %, but for spikes and the half of the thefts that bypass the meter after its sensor", () => {
  for (const { scale, records } of sets) {
    let bypassed = 0;
    for (const { row, labels } of records) {
      const physicalKwh = (row.voltage_v * row.current_a * row.power_factor) / 1_000;
      const label = labels[0]?.label;
      if (label === undefined) assert.ok(Math.abs(row.reading_kwh / physicalKwh - 1) <= 0.03, `${row.reading_kwh} against ${physicalKwh}`);
      if (label === "spike") assert.ok(physicalKwh < 49);
      if (label === "theft" && physicalKwh > 0.06) bypassed += 1;
    }
    assert.ok(Math.abs(bypassed - 12.5 * scale) <= 1, `${bypassed}`);
  }
});

test("event ids are unique, time rises within the day, and decimals are the fields' own", () => {
  for (const { records } of sets) {
    const rows = records.map(({ row }) => row);
    assert.is(new Set(rows.map((row) => row.event_id)).size, rows.length);
    assert.equal(
      rows.map((row) => row.timestamp),
      [...new Set(rows.map((row) => row.timestamp))].sort(),
    );
    assert.ok(rows.every((row) => row.timestamp.startsWith("2025-06-15T") && row.timestamp.endsWith("Z")));
    assert.ok(rows.every((row) => /^\d+(\.\d{1,3})?$/.test(String(row.reading_kwh)) && /^\d+(\.\d)?$/.test(String(row.voltage_v))));
    assert.ok(rows.every((row) => row.frequency_hz >= 49.92 && row.frequency_hz <= 50.03));
    assert.ok(rows.every((row) => gridFields({ ...row }) === GUIDE_KEYS));
  }
});

test("readings follow the links of the grid, and only open accounts have any", () => {
  const grid = gridOf(42, 1);
  const byId = new Map(Array.from({ length: grid.customers }, (_, customer) => [grid.customerId(customer), customer]));
  for (const { row } of sets[0]?.records ?? []) {
    const customer = byId.get(row.customer_id) ?? -1;
    const place = grid.placeOf(grid.substationOf(grid.transformerOf(grid.meterOf(customer))));
    assert.is(row.meter_id, grid.meterId(grid.meterOf(customer)));
    assert.ok(grid.isOpen(customer));
    assert.equal({ region: row.region, state: row.state, gridZone: row.grid_zone }, place);
    assert.is(row.region.charAt(0), row.meter_id.charAt(3));
  }
});
