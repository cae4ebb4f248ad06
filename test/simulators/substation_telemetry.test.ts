import * as assert from "uvu/assert";
import { gridOf } from "../../simulators/grid.ts";
import { type Telemetry, telemetryRecords } from "../../simulators/substation_telemetry.ts";
import { transformerMaster } from "../../simulators/transformer_master.ts";
import { suite } from "../kit/suite.ts";

const test = suite("substation_telemetry");

const sets = [
  { seed: 42, scale: 1 },
  { seed: 7, scale: 1 },
  { seed: 42, scale: 3 },
].map(({ seed, scale }) => ({ scale, grid: gridOf(seed, scale), records: [...telemetryRecords(gridOf(seed, scale))] }));

const riseMilliK = (row: Telemetry): number => Math.round(row.oil_temperature_c * 1_000) - Math.round(row.ambient_temperature_c * 1_000);
const LABELS = { OVERLOAD: "alarm_overload", GAS_ALARM: "alarm_gas", BREAKER_TRIP: "alarm_breaker_trip" } as const;

test("there are 300 records, 12 overheated and 3 with each alarm code for each unit of scale", () => {
  for (const { scale, records } of sets) {
    const count = (label: string): number => records.filter(({ labels }) => labels.some((each) => each.label === label)).length;
    assert.is(records.length, 300 * scale);
    assert.equal(
      ["overheating", "alarm_overload", "alarm_gas", "alarm_breaker_trip"].map(count),
      [12, 3, 3, 3].map((each) => each * scale),
    );
  }
});

test("the written values stand for their labels, and clean ones keep away from every band", () => {
  for (const { records } of sets) {
    for (const { row, labels } of records) {
      const overheated = riseMilliK(row) >= 60_000;
      assert.ok(overheated ? riseMilliK(row) <= 90_000 && row.alarm_code === null : riseMilliK(row) < 55_000, `rise ${riseMilliK(row)} mK`);
      const expected = [...(overheated ? ["overheating"] : []), ...(row.alarm_code === null ? [] : [LABELS[row.alarm_code]])];
      assert.equal(
        labels.map(({ id, label }) => (id === row.telemetry_id ? label : "wrong id")),
        expected,
      );
      assert.is(row.alarm_code === "GAS_ALARM", row.dissolved_gas_ppm > 720);
      assert.is(row.alarm_code === "BREAKER_TRIP", row.breaker_status !== "CLOSED");
      if (row.alarm_code === "BREAKER_TRIP") assert.is(row.load_mw, 0);
      const overload = row.load_mw / row.capacity_mw;
      assert.is(row.alarm_code === "OVERLOAD", overload >= 1);
      assert.ok(overload <= 1.02);
      if (row.alarm_code !== "GAS_ALARM") assert.ok(row.dissolved_gas_ppm < 250); // Where gas becomes a matter for detectors.
    }
  }
});

test("load per cent is load over capacity, and oil follows the load as IEC 60076-7 has it in the steady state", () => {
  for (const { records } of sets) {
    for (const { row, labels } of records) {
      const load = row.load_mw / row.capacity_mw;
      assert.ok(Math.abs(row.load_percentage - 100 * load) <= 0.0501);
      if (labels.some(({ label }) => label === "overheating")) continue;
      const expectedC = row.ambient_temperature_c + 52 * ((1 + 6 * load * load) / 7) ** 0.8;
      assert.ok(Math.abs(row.oil_temperature_c - expectedC) <= 0.8, `${row.oil_temperature_c} against ${expectedC}`);
    }
  }
});

test("records agree with the master version in force, which is ACTIVE", () => {
  for (const { grid, records } of sets) {
    const master = transformerMaster(grid);
    const byId = new Map(Array.from({ length: grid.transformers }, (_, transformer) => [grid.transformerId(transformer), transformer]));
    for (const { row } of records) {
      const inForce = master.inForce(byId.get(row.transformer_id) ?? -1);
      assert.is(inForce.status, "ACTIVE");
      assert.equal(
        [row.substation_id, row.capacity_mw, row.region, row.state],
        [inForce.substation_id, inForce.capacity_mw, inForce.region, inForce.state],
      );
      assert.ok(Math.abs(row.voltage_kv / inForce.voltage_kv - 1) < 0.03);
    }
  }
});

test("ids and (transformer, time) are unique, enqueued is 0.2 to 2 s later, and a device counts its records", () => {
  for (const { records } of sets) {
    const rows = records.map(({ row }) => row);
    assert.is(new Set(rows.map((row) => row.telemetry_id)).size, rows.length);
    assert.equal(
      rows.map((row) => row.timestamp),
      [...new Set(rows.map((row) => row.timestamp))].sort(),
    );
    const last = new Map<string, number>();
    let repeats = 0;
    for (const row of rows) {
      const delayMs = Date.parse(row.iot_hub_enqueued_time) - Date.parse(row.timestamp);
      assert.ok(delayMs >= 200 && delayMs <= 2_000);
      const before = last.get(row.iot_device_id);
      if (before !== undefined) {
        assert.is(row.sequence_number, before + 1);
        repeats += 1;
      }
      last.set(row.iot_device_id, row.sequence_number);
    }
    assert.ok(repeats >= 50);
  }
});
