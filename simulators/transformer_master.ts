import { daysAfter } from "./calendar.ts";
import type { Grid } from "./grid.ts";
import { permutation } from "./permutation.ts";
import { type Random, streams } from "./random.ts";
import { clamped, rounded } from "./rounding.ts";
import type { Labelled } from "./truth.ts";

/** A version of a transformer, keys in column order. Dates are civil dates; the open end is 9999-12-31. */
export interface TransformerRow {
  readonly transformer_id: string;
  readonly substation_id: string;
  readonly region: string;
  readonly state: string;
  readonly manufacturer: string;
  readonly capacity_mw: number;
  readonly voltage_kv: number;
  readonly cooling_type: string | null;
  readonly installation_date: string;
  /** 0 … 100, 100 = healthy. */
  readonly health_index_score: number;
  readonly status: "ACTIVE" | "UNDER_MAINTENANCE" | "DECOMMISSIONED";
  readonly last_maintenance_date: string | null;
  readonly record_effective_date: string;
  readonly record_end_date: string;
  readonly is_current: boolean;
  readonly scd_version: number;
}

/** The transformers of a grid: the snapshot, what changed on 2025-06-01, and which of them carry load on the data day. */
export interface TransformerMaster {
  snapshot(transformer: number): TransformerRow;
  /** The row of the delta file, null for a transformer that did not change. */
  delta(transformer: number): TransformerRow | null;
  /** The version in force on the data day. */
  inForce(transformer: number): TransformerRow;
  /** How many transformers are ACTIVE on the data day. */
  readonly inService: number;
  /** The `rank`-th of them (rank below `inService`), in a shuffled order. */
  inServiceAt(rank: number): number;
}

export function transformerMaster(grid: Grid): TransformerMaster {
  const bounds = BOUNDS.map((bound) => bound * grid.scale);
  const ranks = permutation(grid.seed, "transformer_roles", grid.transformers, [
    [TRF_N_0034, bounds[0] ?? 0], // The guide's example of a maintained transformer: it changes.
    [TRF_S_0045 + 100 * grid.scale, bounds[ROLES.length - 2] ?? 0], // The guide's example of telemetry: in service, nothing special.
  ]);
  const roleOf = (transformer: number): Role => {
    const rank = ranks.forward(transformer);
    return ROLES[bounds.findIndex((bound) => rank < bound)] ?? "unchanged";
  };
  const plates = streams(grid.seed, "transformer_plate");
  const changes = streams(grid.seed, "transformer_change");
  const voltages = streams(grid.seed, "substation_voltage");

  const snapshot = (transformer: number): TransformerRow => {
    const substation = grid.substationOf(transformer);
    const place = grid.placeOf(substation);
    const random = plates(transformer);
    const status = snapshotStatus(roleOf(transformer), random);
    return {
      transformer_id: grid.transformerId(transformer),
      substation_id: grid.substationId(substation),
      region: place.region,
      state: place.state,
      manufacturer: random.pick(MANUFACTURERS),
      capacity_mw: random.pick(CAPACITIES_MW),
      voltage_kv: voltages(substation).pick(VOLTAGES_KV), // One busbar: the transformers of a substation share its voltage.
      cooling_type: random.pick(COOLING_TYPES),
      installation_date: daysAfter("1994-01-01", random.integer(0, 10_900)),
      health_index_score: rounded(status === "ACTIVE" ? random.between(52, 92) : random.between(36, 52), 1),
      status,
      last_maintenance_date: lastMaintenance(roleOf(transformer), random),
      record_effective_date: "2024-01-01",
      record_end_date: OPEN_END,
      is_current: true,
      scd_version: 1,
    };
  };
  const delta = (transformer: number): TransformerRow | null => {
    const role = roleOf(transformer);
    if (role === "unchanged" || role === "out_of_service") return null;
    const before = snapshot(transformer);
    const after = { ...before, ...change(role, before, changes(transformer)) };
    return { ...after, record_effective_date: "2025-06-01", scd_version: 2 };
  };
  const outOfService = bounds[ROLES.indexOf("decommissioned")] ?? 0;
  return {
    snapshot,
    delta,
    inForce: (transformer) => delta(transformer) ?? snapshot(transformer),
    inService: grid.transformers - outOfService,
    inServiceAt: (rank) => ranks.inverse(outOfService + rank),
  };
}

export function* transformerSnapshot(grid: Grid): Generator<Labelled<TransformerRow>> {
  const master = transformerMaster(grid);
  for (let transformer = 0; transformer < grid.transformers; transformer += 1) yield { row: master.snapshot(transformer), labels: [] };
}

/** The changed transformers; each label names the columns whose written values differ. */
export function* transformerDelta(grid: Grid): Generator<Labelled<TransformerRow>> {
  const master = transformerMaster(grid);
  for (let transformer = 0; transformer < grid.transformers; transformer += 1) {
    const row = master.delta(transformer);
    if (row === null) continue;
    const columns = changedColumns(master.snapshot(transformer), row);
    yield { row, labels: [{ id: row.transformer_id, label: "changed", columns }] };
  }
}

type Role =
  | "out_of_service"
  | "enters_maintenance"
  | "decommissioned"
  | "first_maintenance"
  | "cooling_unknown"
  | "uprated"
  | "returned"
  | "serviced"
  | "unchanged";

// The roles by rank at scale 1, each up to its bound. Those that leave a transformer out of service come first: the rest is in service.
const ROLES: readonly Role[] = [
  "out_of_service",
  "enters_maintenance",
  "decommissioned",
  "first_maintenance",
  "cooling_unknown",
  "uprated",
  "returned",
  "serviced",
  "unchanged",
];
const BOUNDS: readonly number[] = [10, 18, 21, 24, 26, 28, 32, 40, 500];

const TRF_N_0034 = 34 - 1;
const TRF_S_0045 = 45 - 1;
const OPEN_END = "9999-12-31";

const MANUFACTURERS = ["Bharat Transformers", "Deccan Electric", "Ganga Power Works", "Malwa Switchgear", "Sahyadri Engineering"] as const;
const CAPACITIES_MW = [40, 63, 80, 100, 125, 150, 160, 200] as const;
const VOLTAGES_KV = [11, 22, 33, 66] as const;
const COOLING_TYPES = ["ONAN", "ONAF", "OFAF", "ODAF"] as const;
const IGNORED_COLUMNS: readonly string[] = ["record_effective_date", "record_end_date", "is_current", "scd_version"];

function snapshotStatus(role: Role, random: Random): TransformerRow["status"] {
  const chance = random.unit(); // Drawn for every role, so that a role changes no other value.
  if (role === "out_of_service") return chance < 0.3 ? "DECOMMISSIONED" : "UNDER_MAINTENANCE";
  return role === "decommissioned" || role === "returned" ? "UNDER_MAINTENANCE" : "ACTIVE";
}

function lastMaintenance(role: Role, random: Random): string | null {
  const date = daysAfter("2024-03-01", random.integer(0, 390));
  const never = role === "first_maintenance" || (role === "unchanged" && random.unit() < 0.04);
  return never ? null : date;
}

function change(role: Role, before: TransformerRow, random: Random): Partial<TransformerRow> {
  const health = (low: number, high: number): number => rounded(clamped(before.health_index_score + random.between(low, high), 20, 98), 1);
  const visited = daysAfter("2025-05-02", random.integer(0, 28));
  switch (role) {
    case "enters_maintenance":
      return { status: "UNDER_MAINTENANCE", health_index_score: health(-20, -8), last_maintenance_date: visited };
    case "decommissioned":
      return { status: "DECOMMISSIONED", health_index_score: health(-16, -8) };
    case "first_maintenance":
      return { last_maintenance_date: visited, health_index_score: health(1, 6) }; // From null.
    case "cooling_unknown":
      return { cooling_type: null }; // To null, and nothing else: a comparison with <> never sees it.
    case "uprated":
      return { capacity_mw: before.capacity_mw * 1.25 };
    case "returned":
      return { status: "ACTIVE", health_index_score: health(10, 25), last_maintenance_date: visited };
    case "serviced":
      return { health_index_score: health(1, 6), last_maintenance_date: visited };
    case "out_of_service":
    case "unchanged":
      return {};
  }
}

function changedColumns(before: TransformerRow, after: TransformerRow): readonly string[] {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after).flatMap(([column, value]) =>
    IGNORED_COLUMNS.includes(column) || old.get(column) === value ? [] : [column],
  );
}
