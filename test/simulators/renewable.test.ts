import * as assert from "uvu/assert";
import { gridOf } from "../../simulators/grid.ts";
import { PLANT_HOURS, plantReadings } from "../../simulators/renewable.ts";
import { suite } from "../kit/suite.ts";

const test = suite("renewable");

const files = PLANT_HOURS.map((hour, nth) => ({ hour, rows: [...plantReadings(gridOf(42, 1), nth)].map(({ row }) => row) }));

test("every file has one reading of each of the 90 plants, within its hour, in order of time", () => {
  for (const { hour, rows } of files) {
    assert.is(new Set(rows.map((row) => row.plant_id)).size, 90);
    assert.is(rows.length, 90);
    assert.ok(rows.every((row) => row.timestamp.startsWith(`2025-06-15T${String(hour).padStart(2, "0")}:`)));
    assert.equal(
      rows.map((row) => row.timestamp),
      [...new Set(rows.map((row) => row.timestamp))].sort(),
    );
  }
  assert.is(new Set(files.flatMap(({ rows }) => rows.map((row) => row.reading_id))).size, 450);
});

test("the two new columns are there from the third file on, and nowhere before", () => {
  const BASE = 16;
  assert.equal(
    files.map(({ rows }) => [...new Set(rows.map((row) => Object.keys(row).length - BASE))]),
    [[0], [0], [2], [2], [2]],
  );
  assert.ok(
    files.slice(2).every(({ rows }) => rows.every((row) => Number(row.curtailment_mw) >= 0 && Number(row.battery_storage_mwh) > 0)),
  );
  assert.ok(files.slice(2).some(({ rows }) => rows.some((row) => Number(row.curtailment_mw) > 0)));
});

test("injection is production less auxiliary, the factor is production over capacity, and sensors are those of the type", () => {
  for (const row of files.flatMap(({ rows }) => rows)) {
    assert.ok(Math.abs(row.production_mw - row.auxiliary_consumption_mw - row.grid_injection_mw) < 1e-9);
    assert.ok(Math.abs(row.capacity_factor - row.production_mw / row.capacity_mw) <= 0.000501);
    assert.ok(row.production_mw > 0 && row.production_mw <= row.capacity_mw && row.grid_injection_mw > 0);
    const sensors = [row.irradiance_w_m2, row.wind_speed_mps, row.water_flow_m3s].map((value) => value !== null);
    assert.equal(sensors, [row.plant_type === "SOLAR", row.plant_type === "WIND", row.plant_type === "HYDRO"]);
    assert.is(row.plant_id.split("-")[1], row.plant_type);
  }
});

test("solar production follows irradiance: the performance ratio of a plant stays within 3 %", () => {
  const ratios = new Map<string, number[]>();
  for (const row of files.flatMap(({ rows }) => rows)) {
    if (row.irradiance_w_m2 === null) continue;
    const ratio = (row.production_mw + (row.curtailment_mw ?? 0)) / ((row.capacity_mw * row.irradiance_w_m2) / 1_000);
    ratios.set(row.plant_id, [...(ratios.get(row.plant_id) ?? []), ratio]);
  }
  assert.is(ratios.size, 30);
  for (const each of ratios.values()) assert.ok(Math.max(...each) / Math.min(...each) < 1.03);
});
