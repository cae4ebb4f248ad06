import { minutes } from "../../engine/duration.ts";
import { bool, code, feed, id, instant, key, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { regionActorOf } from "../grid_region.ts";
import type { ReadingMeasured } from "../message.ts";
import { CUSTOMER_ID, METER_ID, REGIONS } from "../names.ts";

/** Source 1 of the data guide: readings of smart meters. A row goes to its meter. */
export const smartMeter = feed({
  name: "smart_meter",
  table: "meter_readings",
  latenessMs: minutes(10),
  fields: {
    event_id: key,
    meter_id: id(METER_ID),
    customer_id: optional(id(CUSTOMER_ID)),
    timestamp: instant,
    reading_kwh: number(-10_000, 10_000),
    voltage_v: optional(number(0, 1_000)),
    current_a: optional(number(0, 5_000)),
    power_factor: optional(number(-1, 1)),
    frequency_hz: optional(number(0, 100)),
    meter_status: optional(code(["ACTIVE", "TAMPERED", "DISCONNECTED"])),
    region: optional(code(REGIONS)),
    state: optional(text),
    grid_zone: optional(text),
    is_anomaly_flag: optional(bool),
  },
  eventTimeMs: (row) => row.timestamp,
  dedupKey: (row) => row.event_id,
  actors: (row) => [ActorId("meter", row.meter_id)],
  tally: { actor: (row) => regionActorOf(row.meter_id), isLabelled: (row) => row.is_anomaly_flag === true },
  message: (row): ReadingMeasured => ({
    type: "reading_measured",
    atMs: row.timestamp,
    eventId: row.event_id,
    readingKwh: row.reading_kwh,
    voltageV: row.voltage_v,
    currentA: row.current_a,
    powerFactor: row.power_factor,
    frequencyHz: row.frequency_hz,
    status: row.meter_status,
    customerId: row.customer_id,
    region: row.region,
    gridZone: row.grid_zone,
  }),
});
