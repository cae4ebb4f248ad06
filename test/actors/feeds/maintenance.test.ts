import * as assert from "uvu/assert";
import { maintenance } from "../../../actors/feeds/maintenance.ts";
import { days } from "../../../engine/duration.ts";
import { decoded, noteCodes, refused, rescuedOf, told } from "../../kit/decoding.ts";
import { GUIDE_LOG } from "../../kit/guide_samples.ts";
import { suite } from "../../kit/suite.ts";

const test = suite("maintenance feed");

/** The data guide's sample row, with the cells that it leaves out. */
const SAMPLE = {
  ...GUIDE_LOG,
  scheduled_date: "2025-04-06",
  completed_date: "",
  technician_id: "TECH-0007",
  technician_name: "A. Rao",
  hours_spent: "6.5",
  parts_replaced: "Gasket; valve",
  cost_inr: "12500.50",
  downtime_hours: "4",
  root_cause: "-",
  resolution_notes: "=SUM(A1)",
  follow_up_required: "Yes",
  next_inspection_date: "N/A",
};

test("a row of cells is typed by the feed, not by what the file holds", () => {
  const seen = decoded(maintenance, { cells: SAMPLE });
  assert.equal(seen.row, {
    ...SAMPLE,
    completed_date: null,
    hours_spent: 6.5,
    cost_inr: 1_250_050,
    downtime_hours: 4,
    follow_up_required: true,
    next_inspection_date: null,
  });
  assert.is(Object.keys(seen.row).length, 21);
  assert.equal([seen.notes, seen.rescued], [[], null]);
});

test("its transformer is told what was done, and the name of the file", () => {
  const message = told(maintenance, { cells: SAMPLE }, { path: "maintenance_csv/maintenance_logs_2025_04.csv" });
  assert.equal(
    { ...message, contentHash: message.contentHash.length },
    {
      type: "maintenance_logged",
      atMs: Date.UTC(2025, 3, 4, 18, 30),
      logId: "ML-2025_04-0001",
      contentHash: 32,
      path: "maintenance_logs_2025_04.csv",
      maintenanceType: "CORRECTIVE",
      severity: "HIGH",
      substationId: "SUB-N-012",
      reportedDate: "2025-04-05",
      completedDate: null,
      nextInspectionDate: null,
      followUpRequired: true,
    },
  );
  assert.is(told(maintenance, { cells: SAMPLE }).path, null);
});

test("the reported day begins at 00:00 in the grid zone, and partitions the row as it is", () => {
  const { row } = decoded(maintenance, { cells: SAMPLE });
  assert.is(new Date(maintenance.eventTimeMs(row)).toISOString(), "2025-04-04T18:30:00.000Z");
  assert.is(maintenance.date?.(row), "2025-04-05");
  assert.equal(maintenance.actors(row), ["transformer/TRF-N-0034"]);
  assert.equal([maintenance.latenessMs, maintenance.dedup, maintenance.refusesFuture], [days(62), "actor", true]);
});

test("equal content has an equal hash whatever the order of columns; any other cell another", () => {
  const hash = (cells: Record<string, string>) => told(maintenance, { cells }).contentHash;
  const reversed = Object.fromEntries(Object.entries(SAMPLE).reverse());
  assert.is(hash(reversed), hash(SAMPLE));
  for (const name of ["root_cause", "completed_date", "cost_inr"]) {
    assert.is.not(hash({ ...SAMPLE, [name]: name === "cost_inr" ? "1" : "2025-04-09" }), hash(SAMPLE), name);
  }
  const keyOf = (cells: Record<string, string>) => maintenance.dedupKey(decoded(maintenance, { cells }).row);
  assert.is(keyOf(SAMPLE), `ML-2025_04-0001@${hash(SAMPLE)}`);
});

test("a log needs its id, transformer, type and reported date", () => {
  assert.is(refused(maintenance, { cells: { ...SAMPLE, log_id: "" } }), "missing_field log_id");
  assert.is(refused(maintenance, { cells: { ...SAMPLE, transformer_id: "TRF-34" } }), "bad_id transformer_id");
  assert.is(refused(maintenance, { cells: { ...SAMPLE, maintenance_type: "N/A" } }), "missing_field maintenance_type");
  assert.is(refused(maintenance, { cells: { ...SAMPLE, reported_date: "05/04/2025" } }), "bad_time reported_date");
});

test("a completion before the report is kept: judging it is the transformer's", () => {
  const seen = decoded(maintenance, { cells: { ...SAMPLE, completed_date: "2025-04-01" } });
  assert.equal([seen.row["completed_date"], seen.notes], ["2025-04-01", []]);
});

test("bad numbers and an unknown severity cost what they must", () => {
  const seen = decoded(maintenance, { cells: { ...SAMPLE, hours_spent: "-5.2", cost_inr: "12500.505", severity: "WILD" } });
  assert.equal([seen.row["hours_spent"], seen.row["cost_inr"], seen.row["severity"]], [null, 1_250_051, "WILD"]);
  assert.equal(noteCodes(seen), ["unknown_code", "rescued", "rounded"]);
  assert.equal(rescuedOf(seen), {
    hours_spent: { value: "-5.2", reason: "out_of_range" },
    cost_inr: { value: "12500.505", reason: "rounded" },
  });
});
