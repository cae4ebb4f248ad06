import { instant } from "./calendar.ts";
import type { CustomerRow } from "./customer_master.ts";
import { type Grid, padded } from "./grid.ts";
import { type Heat, heat, type Site, siteOf, siteTelemetry, stepHeat } from "./injected_site.ts";
import { type Random, streams } from "./random.ts";
import { rounded } from "./rounding.ts";
import type { MeterReading } from "./smart_meter.ts";
import { type Street, streetOf } from "./street.ts";
import type { Telemetry } from "./substation_telemetry.ts";
import type { TheftPattern } from "./theft_patterns.ts";

/** Households below one transformer; in all but one street two of them steal in one of the seven ways. */
export interface StreetStory {
  readonly site: Site;
  readonly pattern: TheftPattern | null;
  /** The first day of the theft. */
  readonly fromDay: number;
  readonly meters: readonly StreetMeter[];
  /** What is taken and not counted, as a share of what is delivered, from that day on. */
  readonly stolenShare: number;
  customers(): readonly CustomerRow[];
  /** The reading of a half-hour that has ended at `atMs`. */
  reading(meter: number, day: number, half: number, atMs: number): MeterReading;
  /** The transformer's record at the beginning of a quarter of an hour; to be asked for in order. */
  telemetry(quarter: number, atMs: number, hour: number): Telemetry;
}

export interface StreetMeter {
  readonly meterId: string;
  readonly customerId: string;
  readonly isThief: boolean;
}

const METERS = 14;
const THIEVES = 2;
const CAPACITY_MW = 0.1;
const HALVES = 48;

/** `number`: of the street, from 0. Its site and its meters are numbered after it. */
export function streetStory(grid: Grid, number: number, pattern: TheftPattern | null, days: number): StreetStory {
  const seed = (grid.seed ^ (0x9e37 * (number + 1))) >>> 0;
  const fromDay = Math.floor(days / 2);
  const street = streetOf({ seed, meters: METERS, days, pattern, thieves: THIEVES, fromDay });
  const site = siteOf(grid, number + 1, number + 1, CAPACITY_MW);
  const meters = Array.from({ length: METERS }, (_, meter): StreetMeter => {
    const nth = number * METERS + meter + 1;
    return {
      meterId: `SM-N-${padded(200 * grid.scale + nth, 5)}`,
      customerId: `CUST-${padded(1_000 * grid.scale + nth, 6)}`,
      isThief: street.thieves.has(meter),
    };
  });
  const readings = streams(seed, "injected_reading");
  const samples = streams(seed, "injected_telemetry")(0);
  const state: Heat = heat();
  return {
    site,
    pattern,
    fromDay,
    meters,
    stolenShare: stolenShareOf(street, fromDay, days),
    customers: () => meters.map((meter) => customerRow(meter, site)),
    reading: (meter, day, half, atMs) => {
      const kwh = street.reported[meter]?.[day]?.[half] ?? 0;
      const random = readings((day * HALVES + half) * METERS + meter);
      return readingRow(meters[meter] as StreetMeter, kwh, atMs, random);
    },
    telemetry: (quarter, atMs, hour) => {
      const loadMw = powerMw(street, quarter);
      const { ambientC, oilC } = stepHeat(state, hour, loadMw / CAPACITY_MW, samples);
      return siteTelemetry(site, { atMs, loadMw, ambientC, oilC, sent: quarter }, samples);
    },
  };
}

function stolenShareOf(street: Street, fromDay: number, days: number): number {
  let [delivered, counted] = [0, 0];
  for (let day = fromDay; day < days; day += 1) {
    for (let half = 0; half < HALVES; half += 1) {
      delivered += street.deliveredKwh(day, half);
      for (const own of street.reported) counted += own[day]?.[half] ?? 0;
    }
  }
  return 1 - counted / delivered;
}

/** Power at quarters of an hour, such that straight lines between them have the energy of each half-hour. */
function powerMw(street: Street, quarter: number): number {
  const kwh = (half: number): number => street.deliveredKwh(Math.floor(half / HALVES), half % HALVES);
  const half = quarter >> 1;
  const edge = (at: number): number => (at === 0 ? 2 * kwh(0) : kwh(at - 1) + kwh(at)); // kW: the mean of both sides.
  const kw = quarter % 2 === 0 ? edge(half) : 4 * kwh(half) - (edge(half) + edge(half + 1)) / 2;
  return Math.max(0, kw) / 1_000;
}

function customerRow({ meterId, customerId }: StreetMeter, { transformerId }: Site): CustomerRow {
  return {
    customer_id: customerId,
    customer_name: "Asha Verma",
    meter_id: meterId,
    transformer_id: transformerId,
    region: "NORTH",
    state: "Delhi",
    tariff_category: "RESIDENTIAL",
    connection_type: "SINGLE_PHASE",
    sanctioned_load_kw: 6,
    account_status: "ACTIVE",
    outstanding_balance: 0,
    record_effective_date: "2024-01-01",
    record_end_date: "9999-12-31",
    is_current: true,
    scd_version: 1,
  };
}

function readingRow({ meterId, customerId }: StreetMeter, kwh: number, atMs: number, random: Random): MeterReading {
  const voltage_v = rounded(231 + 2.6 * random.bell(), 1);
  const power_factor = rounded(random.between(0.87, 0.99), 3);
  return {
    event_id: random.uuid(),
    meter_id: meterId,
    customer_id: customerId,
    timestamp: instant(atMs),
    reading_kwh: kwh,
    voltage_v,
    current_a: rounded((2_000 * kwh) / (voltage_v * power_factor), 2),
    power_factor,
    frequency_hz: rounded(49.98 + 0.012 * random.bell(), 2),
    meter_status: "ACTIVE",
    region: "NORTH",
    state: "Delhi",
    grid_zone: "ZONE-1",
    is_anomaly_flag: false,
  };
}
