import { instant } from "./calendar.ts";
import { type Grid, padded } from "./grid.ts";
import type { Random } from "./random.ts";
import { clamped, rounded } from "./rounding.ts";
import type { Telemetry } from "./substation_telemetry.ts";
import type { TransformerRow } from "./transformer_master.ts";

/** Where injected stories happen: equipment of the region NORTH, numbered beyond that of the grid, so that nothing of the grid is touched. */
export interface Site {
  readonly transformerId: string;
  readonly substationId: string;
  readonly capacityMw: number;
  readonly deviceId: string;
}

/** `number`: of the site, from 1. `station`: of its substation, from 1. */
export function siteOf(grid: Grid, number: number, station: number, capacityMw: number): Site {
  const substationId = `SUB-N-${padded(50 * grid.scale + station, 3)}`;
  return {
    transformerId: `TRF-N-${padded(100 * grid.scale + number, 4)}`,
    substationId,
    capacityMw,
    deviceId: `IOT-${substationId}-${number}`,
  };
}

/** The site's row of the transformer master. */
export function siteRow({ transformerId, substationId, capacityMw }: Site): TransformerRow {
  return {
    transformer_id: transformerId,
    substation_id: substationId,
    region: "NORTH",
    state: "Delhi",
    manufacturer: "Deccan Electric",
    capacity_mw: capacityMw,
    voltage_kv: 11,
    cooling_type: "ONAN",
    installation_date: "2015-04-01",
    health_index_score: 80,
    status: "ACTIVE",
    last_maintenance_date: "2025-03-01",
    record_effective_date: "2024-01-01",
    record_end_date: "9999-12-31",
    is_current: true,
    scd_version: 1,
  };
}

/** What a site measures at an instant. */
export interface SiteSample {
  readonly atMs: number;
  readonly loadMw: number;
  readonly oilC: number;
  readonly ambientC: number;
  /** Records that its device sent before. */
  readonly sent: number;
}

/** The record of a sample. Load to a watt: it feeds an energy balance with a few kilowatts. */
export function siteTelemetry(site: Site, { atMs, loadMw, oilC, ambientC, sent }: SiteSample, random: Random): Telemetry {
  const load_mw = rounded(loadMw, 6);
  return {
    telemetry_id: random.uuid(),
    substation_id: site.substationId,
    transformer_id: site.transformerId,
    timestamp: instant(atMs),
    load_mw,
    capacity_mw: site.capacityMw,
    load_percentage: rounded((100 * load_mw) / site.capacityMw, 1),
    voltage_kv: rounded(11 * (1 + 0.008 * random.bell()), 2),
    oil_temperature_c: rounded(oilC, 1),
    ambient_temperature_c: rounded(ambientC, 1),
    dissolved_gas_ppm: rounded(90 + random.between(-4, 4), 1),
    humidity_percent: rounded(clamped(128 - 1.9 * ambientC + 4 * random.bell(), 30, 84), 1),
    breaker_status: "CLOSED",
    alarm_code: null,
    region: "NORTH",
    state: "Delhi",
    iot_device_id: site.deviceId,
    iot_hub_enqueued_time: instant(atMs + random.integer(200, 2_000)),
    sequence_number: 1_000 + sent,
  };
}

/** Air and top oil of a site, moved on step by step. Changed in place. */
export interface Heat {
  weatherK: number;
  amplitude: number;
  breezeK: number;
  oilC: number | null;
}

export function heat(): Heat {
  return { weatherK: 0, amplitude: 1, breezeK: 0, oilC: null };
}

const STEP_HOURS = 0.25;
const OIL_HOURS = 3;

/**
 * A quarter of an hour: weather that wanders within days, days that are more or less hot, wind that nobody measures, and oil that follows load and air with a time
 * constant of three hours (IEC 60076-7, ONAN). `hour`: of the day, grid zone, with its fraction.
 */
export function stepHeat(state: Heat, hour: number, load: number, random: Random): { readonly ambientC: number; readonly oilC: number } {
  if (hour < STEP_HOURS) state.amplitude = clamped(1 + 0.3 * random.bell(), 0.3, 1.9);
  state.weatherK = wandered(state.weatherK, 2.5, 72, random);
  state.breezeK = wandered(state.breezeK, 0.7, 4, random);
  const ambientC = 32 + 6 * state.amplitude * Math.cos(((hour - 15) / 12) * Math.PI) + state.weatherK;
  const settledC = ambientC + 55 * ((1 + 5 * load * load) / 6) ** 0.8;
  state.oilC = state.oilC === null ? settledC : state.oilC + (1 - Math.exp(-STEP_HOURS / OIL_HOURS)) * (settledC - state.oilC);
  return { ambientC, oilC: state.oilC + state.breezeK + 0.2 * random.bell() };
}

function wandered(value: number, deviation: number, tauHours: number, random: Random): number {
  const kept = Math.exp(-STEP_HOURS / tauHours);
  return kept * value + deviation * Math.sqrt(1 - kept * kept) * random.bell();
}
