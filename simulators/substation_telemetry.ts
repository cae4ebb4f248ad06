import { DATA_DAY_AT_MS, DAY_MS, instant, spread } from "./calendar.ts";
import type { Grid } from "./grid.ts";
import { ambientC, systemShape } from "./load_curve.ts";
import { blockRanks } from "./permutation.ts";
import { type Random, streams } from "./random.ts";
import { clamped, rounded, shifted } from "./rounding.ts";
import { type TransformerRow, transformerMaster } from "./transformer_master.ts";
import type { Label, Labelled } from "./truth.ts";

/** Source 2 of the data guide, keys in its order. */
export interface Telemetry {
  readonly telemetry_id: string;
  readonly substation_id: string;
  readonly transformer_id: string;
  readonly timestamp: string;
  readonly load_mw: number;
  readonly capacity_mw: number;
  readonly load_percentage: number;
  readonly voltage_kv: number;
  readonly oil_temperature_c: number;
  readonly ambient_temperature_c: number;
  readonly dissolved_gas_ppm: number;
  readonly humidity_percent: number;
  readonly breaker_status: "CLOSED" | "OPEN" | "TRIPPED";
  readonly alarm_code: "OVERLOAD" | "GAS_ALARM" | "BREAKER_TRIP" | null;
  readonly region: string;
  readonly state: string;
  readonly iot_device_id: string;
  readonly iot_hub_enqueued_time: string;
  readonly sequence_number: number;
}

export interface TelemetryOptions {
  /** Names the stream of chance: other names give other telemetry ids and values. */
  readonly set: string;
  /** In each run of so many records, exactly 4 % are overheated and 1 % hold each of the three alarm codes. */
  readonly block: number;
}

export interface TelemetryArguments {
  readonly n: number;
  /** Rank among the transformers in service. */
  readonly device: number;
  /** How many records the device has sent before. */
  readonly sent: number;
  readonly atMs: number;
}

/** Makes the `n`-th record of a set: a pure function of the grid, the options and the arguments. */
export function telemetryRecord(grid: Grid, { set, block }: TelemetryOptions): (telemetry: TelemetryArguments) => Telemetry {
  const randoms = streams(grid.seed, set);
  const devices = streams(grid.seed, "iot_device");
  const master = transformerMaster(grid);
  const ranks = blockRanks(grid.seed, set, block);

  return ({ n, device, sent, atMs }) => {
    const random = randoms(n);
    const transformer = master.inServiceAt(device);
    const row = master.inForce(transformer);
    const traits = devices(transformer);
    const firstSequence = traits.integer(1_000, 900_000);
    const usualLoad = clamped(traits.between(0.35, 0.72) * systemShape(atMs) + 0.03 * random.bell(), 0.15, 0.92);
    return {
      telemetry_id: random.uuid(),
      substation_id: row.substation_id,
      transformer_id: row.transformer_id,
      timestamp: instant(atMs),
      ...measures(anomalyOf(ranks(n), block), row, usualLoad, atMs, random),
      region: row.region,
      state: row.state,
      iot_device_id: `IOT-${row.substation_id}-${transformer % 2 === 0 ? 2 : 1}`, // The guide has device 2 on TRF-S-0045.
      iot_hub_enqueued_time: instant(atMs + random.integer(200, 2_000)),
      sequence_number: firstSequence + sent,
    };
  };
}

/** The telemetry of the data day, in order of time: 300 records for each unit of scale. 250 devices report once, 50 of them again. */
export function* telemetryRecords(grid: Grid): Generator<Labelled<Telemetry>> {
  const count = 300 * grid.scale;
  const reporting = 250 * grid.scale;
  const recordOf = telemetryRecord(grid, { set: "substation_telemetry", block: count });
  const draws = streams(grid.seed, "substation_telemetry_draw");
  for (let n = 0; n < count; n += 1) {
    const atMs = spread(DATA_DAY_AT_MS, DAY_MS, n, count, draws(n).unit());
    const row = recordOf({ n, device: n % reporting, sent: Math.floor(n / reporting), atMs });
    yield { row, labels: labelsOf(row) };
  }
}

/** How many records of the data day a device has sent: a live stream goes on from there. */
export function sentOnDataDay(grid: Grid, device: number): number {
  if (device < 50 * grid.scale) return 2;
  return device < 250 * grid.scale ? 1 : 0;
}

type Anomaly = "overheating" | "OVERLOAD" | "GAS_ALARM" | "BREAKER_TRIP";
type Measures = Omit<
  Telemetry,
  | "telemetry_id"
  | "substation_id"
  | "transformer_id"
  | "timestamp"
  | "region"
  | "state"
  | "iot_device_id"
  | "iot_hub_enqueued_time"
  | "sequence_number"
>;

const CODES = ["OVERLOAD", "GAS_ALARM", "BREAKER_TRIP"] as const;

function anomalyOf(rank: number, block: number): Anomaly | null {
  const overheated = Math.round(0.04 * block);
  const alarms = Math.round(0.03 * block);
  if (rank < overheated) return "overheating";
  return rank < overheated + alarms ? (CODES[rank % CODES.length] ?? null) : null;
}

function measures(anomaly: Anomaly | null, master: TransformerRow, usualLoad: number, atMs: number, random: Random): Measures {
  const tripped = anomaly === "BREAKER_TRIP";
  const wanted = anomaly === "OVERLOAD" ? random.between(1.001, 1.019) : tripped ? 0 : usualLoad;
  const load_mw = rounded(wanted * master.capacity_mw, 2);
  const load = load_mw / master.capacity_mw;
  const ambientTenths = Math.round(10 * (ambientC(atMs) + 0.6 * random.bell()));
  const riseTenths =
    anomaly === "overheating" ? random.integer(600, 900) : Math.round(10 * (steadyRiseK(load) + random.between(-0.7, 0.7)));
  return {
    load_mw,
    capacity_mw: master.capacity_mw,
    load_percentage: rounded(100 * load, 1),
    voltage_kv: rounded(master.voltage_kv * (1 + 0.008 * random.bell()), 2),
    oil_temperature_c: shifted(ambientTenths + riseTenths, 1), // In tenths: 98.2 - 38.2 is not 60 in binary.
    ambient_temperature_c: shifted(ambientTenths, 1),
    dissolved_gas_ppm:
      anomaly === "GAS_ALARM" ? rounded(random.between(725, 1_500), 1) : rounded(usualGasPpm(master) + random.between(-4, 4), 1),
    humidity_percent: rounded(clamped(128 - 1.9 * (ambientTenths / 10) + 4 * random.bell(), 30, 84), 1),
    breaker_status: tripped ? random.pick(["OPEN", "TRIPPED"]) : "CLOSED",
    alarm_code: anomaly === "overheating" ? null : anomaly,
  };
}

/** Top-oil rise over ambient in the steady state, IEC 60076-7, for a load in units of the capacity: 52 K at 1. */
function steadyRiseK(load: number): number {
  return 52 * ((1 + 6 * load ** 2) / 7) ** 0.8;
}

/** Gas rises as health falls. 30 … 235 ppm for a transformer in service. */
function usualGasPpm({ health_index_score }: TransformerRow): number {
  return 30 + 3.2 * (100 - health_index_score);
}

/** What a record shows, from its values as written. */
export function labelsOf({ telemetry_id: id, oil_temperature_c, ambient_temperature_c, alarm_code }: Telemetry): readonly Label[] {
  const riseMilliK = Math.round(1_000 * oil_temperature_c) - Math.round(1_000 * ambient_temperature_c);
  const labels: Label[] = [];
  if (riseMilliK >= 60_000) labels.push({ id, label: "overheating" });
  if (alarm_code !== null) labels.push({ id, label: ALARM_LABELS[alarm_code] });
  return labels;
}

const ALARM_LABELS = { OVERLOAD: "alarm_overload", GAS_ALARM: "alarm_gas", BREAKER_TRIP: "alarm_breaker_trip" } as const;
