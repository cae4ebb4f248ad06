import * as assert from "uvu/assert";
import { gridOf } from "../../simulators/grid.ts";
import { MAINTENANCE_COLUMNS, MAINTENANCE_MONTHS, maintenanceRows } from "../../simulators/maintenance.ts";
import { suite } from "../kit/suite.ts";

const test = suite("maintenance");

const months = MAINTENANCE_MONTHS.map((month, nth) => ({ ...month, rows: [...maintenanceRows(gridOf(42, 1), nth)].map(({ row }) => row) }));
const all = months.flatMap(({ rows }) => rows);

test("every month has 150 logs in order of their date, numbered under its name", () => {
  for (const { name, firstDate, rows } of months) {
    assert.is(rows.length, 150);
    assert.is(rows[0]?.log_id, `ML-${name}-0001`);
    const dates = rows.map((row) => row.reported_date);
    assert.equal(dates, [...dates].sort());
    assert.ok(dates.every((date) => date.slice(0, 7) === firstDate.slice(0, 7)));
  }
  assert.is(new Set(all.map((row) => row.log_id)).size, 450);
});

test("the rows have the guide's 21 columns", () => {
  assert.is(MAINTENANCE_COLUMNS.length, 21);
  assert.equal([...new Set(all.flatMap((row) => Object.keys(row)))].sort(), [...MAINTENANCE_COLUMNS].sort());
});

test("nothing is reported after the data day has begun, and no date precedes the one before it", () => {
  for (const row of all) {
    assert.ok(row.reported_date < "2025-06-15");
    assert.ok(row.scheduled_date >= row.reported_date);
    if (row.completed_date !== null) assert.ok(row.completed_date >= row.scheduled_date && row.completed_date < "2025-06-15");
  }
});

test("no transformer is due for inspection by the data day, has a critical order open, or failed three times", () => {
  const failures = new Map<string, number>();
  for (const row of all) {
    if (row.next_inspection_date !== null) assert.ok(row.next_inspection_date > "2025-06-22");
    if (row.completed_date === null) assert.is.not(row.severity, "CRITICAL");
    const failed = row.maintenance_type === "CORRECTIVE" || row.maintenance_type === "EMERGENCY";
    if (failed) failures.set(row.transformer_id, (failures.get(row.transformer_id) ?? 0) + 1);
    assert.is(failed, row.failure_type !== null);
  }
  assert.ok(Math.max(...failures.values()) <= 2);
});

test("a log names the substation of its transformer", () => {
  const grid = gridOf(42, 1);
  const byId = new Map(Array.from({ length: grid.transformers }, (_, transformer) => [grid.transformerId(transformer), transformer]));
  for (const row of all) assert.is(row.substation_id, grid.substationId(grid.substationOf(byId.get(row.transformer_id) ?? -1)));
  assert.equal([all[0]?.transformer_id, all[0]?.substation_id], ["TRF-N-0034", "SUB-N-012"]);
});
