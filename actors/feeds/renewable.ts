import { hours } from "../../engine/duration.ts";
import { code, feed, id, instant, key, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { numberOf } from "../cell.ts";
import type { ProductionMeasured } from "../message.ts";
import { PLANT_ID, REGIONS } from "../names.ts";

/** Source 7 of the data guide: hourly files of solar, wind and hydro plants, whose schema grows. A row goes to its plant. */
export const renewable = feed({
  name: "renewable",
  table: "renewable_production",
  latenessMs: hours(2),
  fields: {
    reading_id: key,
    plant_id: id(PLANT_ID),
    plant_type: optional(code(["SOLAR", "WIND", "HYDRO"])),
    timestamp: instant,
    production_mw: number(-100, 5_000),
    capacity_mw: optional(number(Number.MIN_VALUE, 5_000)),
    capacity_factor: optional(number(-1, 2)),
    weather_condition: optional(code()),
    irradiance_w_m2: optional(number(0, 2_000)),
    wind_speed_mps: optional(number(0, 120)),
    water_flow_m3s: optional(number(0, 100_000)),
    grid_injection_mw: optional(number()),
    auxiliary_consumption_mw: optional(number()),
    region: optional(code(REGIONS)),
    state: optional(text),
    inverter_status: optional(code()),
  },
  evolution: {
    mode: "addNewColumns",
    inferColumnTypes: true,
    hints: { production_mw: "double", curtailment_mw: "double", battery_storage_mwh: "double" },
  },
  eventTimeMs: (row) => row.timestamp,
  dedupKey: (row) => row.reading_id,
  actors: (row) => [ActorId("plant", row.plant_id)],
  message: (row, { extra }): ProductionMeasured => ({
    type: "production_measured",
    atMs: row.timestamp,
    eventId: row.reading_id,
    productionMw: row.production_mw,
    capacityMw: row.capacity_mw,
    capacityFactor: row.capacity_factor,
    inverterStatus: row.inverter_status,
    plantType: row.plant_type,
    irradianceWm2: row.irradiance_w_m2,
    windMps: row.wind_speed_mps,
    waterM3s: row.water_flow_m3s,
    injectionMw: row.grid_injection_mw,
    auxiliaryMw: row.auxiliary_consumption_mw,
    curtailmentMw: numberOf(extra?.["curtailment_mw"]),
    batteryMwh: numberOf(extra?.["battery_storage_mwh"]),
    region: row.region,
    state: row.state,
  }),
});
