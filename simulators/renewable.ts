import { DATA_DAY_AT_MS, HOUR_MS, instant, spread } from "./calendar.ts";
import type { Grid, PlantType } from "./grid.ts";
import { clearSkyWm2 } from "./load_curve.ts";
import { type Random, streams } from "./random.ts";
import { clamped, rounded } from "./rounding.ts";
import { type Labelled, unlabelled } from "./truth.ts";

/** Source 7 of the data guide, keys in its order; the last two exist from the third file on. */
export interface PlantReading {
  readonly reading_id: string;
  readonly plant_id: string;
  readonly plant_type: PlantType;
  readonly timestamp: string;
  readonly production_mw: number;
  readonly capacity_mw: number;
  readonly capacity_factor: number;
  readonly weather_condition: string;
  readonly irradiance_w_m2: number | null;
  readonly wind_speed_mps: number | null;
  readonly water_flow_m3s: number | null;
  readonly grid_injection_mw: number;
  readonly auxiliary_consumption_mw: number;
  readonly region: string;
  readonly state: string;
  readonly inverter_status: string | null;
  readonly curtailment_mw?: number;
  readonly battery_storage_mwh?: number;
}

/** The hours (UTC) on the data day that have a file. */
export const PLANT_HOURS = [6, 7, 8, 9, 10] as const;

/** One reading of every plant within the hour of the `nth` file, in order of time: 90 for each unit of scale. */
export function* plantReadings(grid: Grid, nth: number): Generator<Labelled<PlantReading>> {
  const startMs = DATA_DAY_AT_MS + (PLANT_HOURS[nth] ?? 0) * HOUR_MS;
  const count = PLANT_TYPES.length * grid.plantsPerType;
  const randoms = streams(grid.seed, "renewable");
  const plantOf = plants(grid);
  for (let n = 0; n < count; n += 1) {
    const random = randoms(nth * count + n);
    const atMs = spread(startMs, HOUR_MS, n, count, random.unit());
    const plant = plantOf(n);
    yield unlabelled(nth < 2 ? readingOf(plant, atMs, 0, random) : evolvedReading(plant, atMs, random));
  }
}

interface Plant {
  readonly type: PlantType;
  readonly id: string;
  readonly region: string;
  readonly state: string;
  readonly capacityMw: number;
  /** 0.88 … 1: how well it does compared with its kind. */
  readonly quality: number;
  readonly weather: string;
  /** Wind speed at the site, or water flow as a share of the rated one. */
  readonly resource: number;
  readonly storageMwh: number;
}

const PLANT_TYPES = ["SOLAR", "WIND", "HYDRO"] as const;
const CAPACITIES_MW = [10, 15, 20, 25, 40, 50, 75, 100] as const;
const SKY: Readonly<Record<string, number>> = { CLEAR: 1, PARTLY_CLOUDY: 0.82, CLOUDY: 0.55, RAIN: 0.4 };

function plants(grid: Grid): (n: number) => Plant {
  const traits = streams(grid.seed, "plant");
  return (n) => {
    const random = traits(n);
    const type = PLANT_TYPES[Math.floor(n / grid.plantsPerType)] ?? "HYDRO";
    const plant = n % grid.plantsPerType;
    const { region, state } = grid.plantPlace(plant);
    return {
      type,
      id: grid.plantId(type, plant),
      region,
      state,
      capacityMw: random.pick(CAPACITIES_MW),
      quality: random.between(0.88, 1),
      weather: random.pick(["CLEAR", "CLEAR", "PARTLY_CLOUDY", "CLOUDY", "RAIN"]),
      resource: type === "WIND" ? random.between(6, 11) : random.between(0.65, 0.9),
      storageMwh: random.between(1, 12),
    };
  };
}

/** The base schema. `curtailedShare` is the part of the possible power that was not produced on the operator's order. */
function readingOf(plant: Plant, atMs: number, curtailedShare: number, random: Random): PlantReading {
  const weather = measuredWeather(plant, atMs, random);
  const production_mw = rounded(potentialMw(plant, weather) * (1 - curtailedShare), 3);
  const auxiliary_consumption_mw = rounded(production_mw * random.between(0.01, 0.055), 3);
  return {
    reading_id: random.uuid(),
    plant_id: plant.id,
    plant_type: plant.type,
    timestamp: instant(atMs),
    production_mw,
    capacity_mw: plant.capacityMw,
    capacity_factor: rounded(production_mw / plant.capacityMw, 3),
    weather_condition: plant.weather,
    ...weather,
    grid_injection_mw: rounded(production_mw - auxiliary_consumption_mw, 3),
    auxiliary_consumption_mw,
    region: plant.region,
    state: plant.state,
    inverter_status: plant.type === "HYDRO" ? null : "ONLINE", // A hydro plant has no inverter.
  };
}

type Weather = Pick<PlantReading, "irradiance_w_m2" | "wind_speed_mps" | "water_flow_m3s">;

/** What the plant's own sensor sees; those of other types of plant are null. */
function measuredWeather({ type, weather, resource, capacityMw }: Plant, atMs: number, random: Random): Weather {
  const none: Weather = { irradiance_w_m2: null, wind_speed_mps: null, water_flow_m3s: null };
  switch (type) {
    case "SOLAR":
      return { ...none, irradiance_w_m2: rounded(clearSkyWm2(atMs) * (SKY[weather] ?? 1) * (1 + 0.03 * random.bell()), 1) };
    case "WIND":
      return { ...none, wind_speed_mps: rounded(clamped(resource + 0.7 * random.bell(), 4.5, 14), 1) };
    case "HYDRO":
      return { ...none, water_flow_m3s: rounded(capacityMw * 2 * resource * (1 + 0.02 * random.bell()), 2) };
  }
}

/** Power the weather allows, MW: irradiance times 0.85, a cubic wind curve from 3 to 12 m/s, or 60 m of head at 2 m³/s for each MW. */
function potentialMw({ capacityMw, quality }: Plant, { irradiance_w_m2, wind_speed_mps, water_flow_m3s }: Weather): number {
  if (irradiance_w_m2 !== null) return capacityMw * (irradiance_w_m2 / 1_000) * 0.85 * quality;
  if (wind_speed_mps !== null) return capacityMw * clamped((wind_speed_mps ** 3 - 27) / (1_728 - 27), 0, 1) * quality;
  return Math.min(capacityMw, (water_flow_m3s ?? 0) * 0.5 * quality);
}

function evolvedReading(plant: Plant, atMs: number, random: Random): PlantReading {
  const curtailedShare = random.unit() < 0.3 ? random.between(0.005, 0.04) : 0;
  const reading = readingOf(plant, atMs, curtailedShare, random);
  return {
    ...reading,
    curtailment_mw: rounded((reading.production_mw * curtailedShare) / (1 - curtailedShare), 2),
    battery_storage_mwh: rounded(plant.storageMwh + random.between(-0.01, 0.01), 2),
  };
}
