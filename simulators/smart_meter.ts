import { DATA_DAY_AT_MS, DAY_MS, instant, spread } from "./calendar.ts";
import { customerMaster } from "./customer_master.ts";
import type { Grid } from "./grid.ts";
import { demandKwh } from "./load_curve.ts";
import { blockRanks } from "./permutation.ts";
import { type Random, streams } from "./random.ts";
import { clamped, rounded, shifted } from "./rounding.ts";
import type { Label, Labelled } from "./truth.ts";

/** Source 1 of the data guide, keys in its order. */
export interface MeterReading {
  readonly event_id: string;
  readonly meter_id: string;
  readonly customer_id: string;
  readonly timestamp: string;
  readonly reading_kwh: number;
  readonly voltage_v: number;
  readonly current_a: number;
  readonly power_factor: number;
  readonly frequency_hz: number;
  readonly meter_status: "ACTIVE" | "TAMPERED" | "DISCONNECTED";
  readonly region: string;
  readonly state: string;
  readonly grid_zone: string;
  readonly is_anomaly_flag: boolean;
}

export interface ReadingOptions {
  /** Names the stream of chance: other names give other event ids and values. */
  readonly set: string;
  /** In each run of so many readings, exactly 5 % are thefts and 3 % spikes. */
  readonly block: number;
}

/** Makes the `n`-th reading of a set, of the meter of `customer` at `atMs`: a pure function of the grid, the options and its arguments. */
export function meterReading(grid: Grid, { set, block }: ReadingOptions): (n: number, customer: number, atMs: number) => MeterReading {
  const randoms = streams(grid.seed, set);
  const customerRow = customerMaster(grid);
  const ranks = blockRanks(grid.seed, set, block);

  return (n, customer, atMs) => {
    const random = randoms(n);
    const { tariff_category, sanctioned_load_kw } = customerRow(customer);
    const usualKwh = clamped(
      demandKwh(tariff_category, sanctioned_load_kw, atMs) * random.between(0.75, 1.3),
      CLEAN_KWH_MIN,
      CLEAN_KWH_MAX,
    );
    const honest = honestMeasures(usualKwh, random);
    const rank = ranks(n);
    const anomaly = anomalyOf(rank, block);
    const meter = grid.meterOf(customer);
    const place = grid.placeOf(grid.substationOf(grid.transformerOf(meter)));
    return {
      event_id: random.uuid(),
      meter_id: grid.meterId(meter),
      customer_id: grid.customerId(customer),
      timestamp: instant(atMs),
      ...measures(anomaly, rank, honest, random),
      frequency_hz: rounded(clamped(49.98 + 0.018 * random.bell(), 49.93, 50.03), 2),
      meter_status: anomaly === null ? "ACTIVE" : rank % 2 === 0 ? "TAMPERED" : "DISCONNECTED",
      region: place.region,
      state: place.state,
      grid_zone: place.gridZone,
      is_anomaly_flag: anomaly !== null,
    };
  };
}

/** The readings of the data day, in order of time: 500 for each unit of scale, each of a meter drawn at random. */
export function* meterReadings(grid: Grid): Generator<Labelled<MeterReading>> {
  const count = 500 * grid.scale;
  const readingOf = meterReading(grid, { set: "smart_meter", block: count });
  const draws = streams(grid.seed, "smart_meter_draw");
  for (let n = 0; n < count; n += 1) {
    const draw = draws(n);
    const customer = grid.openAccount(draw.integer(0, grid.openAccounts - 1));
    const row = readingOf(n, customer, spread(DATA_DAY_AT_MS, DAY_MS, n, count, draw.unit()));
    yield { row, labels: labelsOf(row) };
  }
}

type Anomaly = "theft" | "spike";
type Measures = Pick<MeterReading, "reading_kwh" | "voltage_v" | "current_a" | "power_factor">;

const CLEAN_KWH_MIN = 0.12;
const CLEAN_KWH_MAX = 46; // With the 2 % of noise below 49: clean readings lie in (0.06, 49).

function anomalyOf(rank: number, block: number): Anomaly | null {
  const thefts = Math.round(0.05 * block);
  if (rank < thefts) return "theft";
  return rank < thefts + Math.round(0.03 * block) ? "spike" : null;
}

/** kWh = V·I·pf/1000 over one hour, from the values as written, within 2 % and the rounding. */
function honestMeasures(usualKwh: number, random: Random): Measures {
  const voltage_v = rounded(231 + 2.6 * random.bell(), 1);
  const power_factor = rounded(random.between(0.87, 0.99), 3);
  const current_a = rounded((usualKwh * 1_000) / (voltage_v * power_factor), 2);
  const reading_kwh = rounded(((voltage_v * current_a * power_factor) / 1_000) * random.between(0.98, 1.02), 3);
  return { reading_kwh, voltage_v, current_a, power_factor };
}

function measures(anomaly: Anomaly | null, rank: number, honest: Measures, random: Random): Measures {
  if (anomaly === null) return honest;
  if (anomaly === "spike") return { ...honest, reading_kwh: shifted(random.integer(50_000, 120_000), 3) };
  const reading_kwh = shifted(random.integer(1, 50), 3);
  const bypassedAfterSensor = Math.floor(rank / 2) % 2 === 0; // The sensor still sees the true current. Half of the thefts, of either status.
  if (bypassedAfterSensor) return { ...honest, reading_kwh };
  return { ...honest, reading_kwh, current_a: rounded((reading_kwh * 1_000) / (honest.voltage_v * honest.power_factor), 2) };
}

/** What a reading shows, from its values as written. */
export function labelsOf({ event_id: id, reading_kwh, meter_status }: MeterReading): readonly Label[] {
  const labels: Label[] = [];
  if (reading_kwh >= 0.001 && reading_kwh <= 0.05) labels.push({ id, label: "theft" });
  if (reading_kwh >= 50) labels.push({ id, label: "spike" });
  if (meter_status !== "ACTIVE") labels.push({ id, label: meter_status.toLowerCase() });
  return labels;
}
