import { daysAfter } from "./calendar.ts";
import { type Grid, padded } from "./grid.ts";
import { permutation } from "./permutation.ts";
import { type Random, streams } from "./random.ts";
import { shifted } from "./rounding.ts";
import { transformerMaster } from "./transformer_master.ts";
import { type Labelled, unlabelled } from "./truth.ts";

/** Source 4 of the data guide: 21 cells, keys in its order. Dates are civil dates; null is an empty cell. */
export interface MaintenanceRow {
  readonly log_id: string;
  readonly transformer_id: string;
  readonly substation_id: string;
  readonly region: string;
  readonly state: string;
  readonly maintenance_type: "PREVENTIVE" | "CORRECTIVE" | "EMERGENCY" | "INSPECTION";
  readonly failure_type: string | null;
  readonly severity: "LOW" | "MEDIUM" | "HIGH" | "CRITICAL";
  readonly reported_date: string;
  readonly scheduled_date: string;
  readonly completed_date: string | null;
  readonly technician_id: string;
  readonly technician_name: string;
  readonly hours_spent: number | null;
  readonly parts_replaced: string | null;
  readonly cost_inr: number | null;
  readonly downtime_hours: number | null;
  readonly root_cause: string | null;
  readonly resolution_notes: string | null;
  readonly follow_up_required: "True" | "False";
  readonly next_inspection_date: string | null;
}

/** The header of the files. */
export const MAINTENANCE_COLUMNS = [
  "log_id",
  "transformer_id",
  "substation_id",
  "region",
  "state",
  "maintenance_type",
  "failure_type",
  "severity",
  "reported_date",
  "scheduled_date",
  "completed_date",
  "technician_id",
  "technician_name",
  "hours_spent",
  "parts_replaced",
  "cost_inr",
  "downtime_hours",
  "root_cause",
  "resolution_notes",
  "follow_up_required",
  "next_inspection_date",
] as const satisfies readonly (keyof MaintenanceRow)[];

/** The monthly exports. June's ends on the 14th: the data day is the 15th, and no log may be reported after it. */
export const MAINTENANCE_MONTHS = [
  { name: "2025_04", firstDate: "2025-04-01", days: 30 },
  { name: "2025_05", firstDate: "2025-05-01", days: 31 },
  { name: "2025_06", firstDate: "2025-06-01", days: 14 },
] as const;

/** The logs of one month, in order of their reported date: 150 for each unit of scale. Over all months a transformer has two. */
export function* maintenanceRows(grid: Grid, month: number): Generator<Labelled<MaintenanceRow>> {
  const { name, firstDate, days } = MAINTENANCE_MONTHS[month] ?? MAINTENANCE_MONTHS[0];
  const count = 150 * grid.scale;
  const master = transformerMaster(grid);
  const randoms = streams(grid.seed, "maintenance");
  const visits = permutation(grid.seed, "maintenance_visits", grid.transformers, [[0, TRF_N_0034]]);
  for (let n = 0; n < count; n += 1) {
    const ordinal = month * count + n;
    const row = master.inForce(visits.forward(ordinal % (225 * grid.scale)));
    const { transformer_id, substation_id, region, state } = row;
    const reported = daysAfter(firstDate, Math.floor((n * days) / count));
    const equipment = { log_id: `ML-${name}-${padded(n + 1, 4)}`, transformer_id, substation_id, region, state };
    yield unlabelled({ ...equipment, ...work(reported, randoms(ordinal)) });
  }
}

const TRF_N_0034 = 34 - 1; // The guide's sample row is about it, and begins its file.
const LAST_DATE = "2025-06-14";

type Work = Omit<MaintenanceRow, "log_id" | "transformer_id" | "substation_id" | "region" | "state">;

interface Failure {
  readonly failure_type: string;
  readonly parts: string | null;
  readonly cause: string;
  readonly notes: string;
}

const FAILURES: readonly [Failure, ...Failure[]] = [
  {
    failure_type: "OIL_LEAK",
    parts: "Gasket set; oil 200 l",
    cause: "Aged gasket",
    notes: 'Gasket replaced, oil topped up to the mark "20 °C"',
  },
  {
    failure_type: "BUSHING_CRACK",
    parts: "HV bushing",
    cause: "Thermal stress",
    notes: "Bushing replaced, insulation resistance within limits",
  },
  { failure_type: "COOLING_FAN_FAULT", parts: "Fan motor", cause: "Worn bearing", notes: "Motor replaced, both fan groups run" },
  {
    failure_type: "OVERHEATING",
    parts: null,
    cause: "Overload in the evening peak",
    notes: "Load moved to the other unit; oil sample taken",
  },
  {
    failure_type: "TAP_CHANGER_FAULT",
    parts: "Contact set",
    cause: "Contact wear",
    notes: "Contacts replaced, sequence and resistance checked",
  },
  {
    failure_type: "WINDING_INSULATION",
    parts: null,
    cause: "Moisture in the oil",
    notes: "Oil filtered and dried, breakdown voltage 62 kV",
  },
];
const TECHNICIANS = [
  "A. Kulkarni",
  "B. Thomas",
  "D. Saxena",
  "F. Qureshi",
  "H. Menon",
  "J. Bora",
  "K. Naidu",
  "M. Chatterjee",
  "P. Gill",
  "R. Yadav",
  "S. Hegde",
  "V. Trivedi",
] as const;

function work(reported_date: string, random: Random): Work {
  const maintenance_type = typeOf(random);
  const isFailure = maintenance_type === "CORRECTIVE" || maintenance_type === "EMERGENCY";
  const failure = isFailure ? random.pick(FAILURES) : null;
  const severity = severityOf(maintenance_type, random);
  const isEmergency = maintenance_type === "EMERGENCY"; // Done on the day it is reported, so that no critical order is ever left open.
  const scheduled_date = daysAfter(reported_date, isEmergency ? 0 : random.integer(1, 8));
  const technician = random.integer(0, TECHNICIANS.length - 1);
  const done = daysAfter(scheduled_date, isEmergency ? 0 : random.integer(0, 3));
  const open = done > LAST_DATE; // Still to be done when the export was made.
  return {
    maintenance_type,
    failure_type: failure?.failure_type ?? null,
    severity,
    reported_date,
    scheduled_date,
    completed_date: open ? null : done,
    technician_id: `TECH-${padded(technician + 1, 4)}`,
    technician_name: TECHNICIANS[technician] ?? TECHNICIANS[0],
    hours_spent: open ? null : shifted(random.integer(10, isFailure ? 240 : 80), 1),
    parts_replaced: open ? null : (failure?.parts ?? null),
    cost_inr: open ? null : shifted(random.integer(2_000_00, isFailure ? 400_000_00 : 30_000_00), 2),
    downtime_hours: open ? null : isFailure ? shifted(random.integer(5, 480), 1) : 0,
    root_cause: failure?.cause ?? null,
    resolution_notes: open ? null : (failure?.notes ?? ROUTINE_NOTES[maintenance_type === "INSPECTION" ? 0 : 1]),
    follow_up_required: !open && isFailure && random.unit() < 0.2 ? "True" : "False",
    next_inspection_date: open ? null : daysAfter(done, random.integer(90, 365)), // After the data day for all: nothing is overdue.
  };
}

const ROUTINE_NOTES = ["Visual inspection, no findings", "Oil sample taken, connections tightened, silica gel replaced"] as const;

function typeOf(random: Random): MaintenanceRow["maintenance_type"] {
  const share = random.unit();
  if (share < 0.4) return "PREVENTIVE";
  if (share < 0.65) return "INSPECTION";
  return share < 0.92 ? "CORRECTIVE" : "EMERGENCY";
}

function severityOf(type: MaintenanceRow["maintenance_type"], random: Random): MaintenanceRow["severity"] {
  if (type === "EMERGENCY") return random.pick(["HIGH", "CRITICAL"]);
  return type === "CORRECTIVE" ? random.pick(["MEDIUM", "MEDIUM", "HIGH"]) : random.pick(["LOW", "LOW", "MEDIUM"]);
}
