import { minutes } from "../../engine/duration.ts";
import { fault } from "../../engine/fault.ts";
import { code, feed, id, instant, integer, key, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { regionActorOf } from "../grid_region.ts";
import type { TelemetryMeasured } from "../message.ts";
import { REGIONS, SUBSTATION_ID, TRANSFORMER_ID } from "../names.ts";

const ABOVE_ZERO = Number.MIN_VALUE;
const MEASURES = [
  "load_mw",
  "load_percentage",
  "voltage_kv",
  "oil_temperature_c",
  "ambient_temperature_c",
  "dissolved_gas_ppm",
  "humidity_percent",
  "breaker_status",
  "alarm_code",
] as const;

/** Source 2 of the data guide. A row goes to its transformer, which tells its substation; without a transformer, to the substation. */
export const substationTelemetry = feed({
  name: "substation_telemetry",
  table: "transformer_telemetry",
  latenessMs: minutes(5),
  fields: {
    telemetry_id: key,
    substation_id: id(SUBSTATION_ID),
    transformer_id: optional(id(TRANSFORMER_ID)),
    timestamp: instant,
    load_mw: optional(number(-5_000, 5_000)),
    capacity_mw: optional(number(ABOVE_ZERO, 5_000)),
    load_percentage: optional(number(-500, 500)),
    voltage_kv: optional(number(0, 1_200)),
    oil_temperature_c: optional(number(-60, 300)),
    ambient_temperature_c: optional(number(-60, 80)),
    dissolved_gas_ppm: optional(number(0, 1_000_000)),
    humidity_percent: optional(number(0, 100)),
    breaker_status: optional(code(["CLOSED", "OPEN", "TRIPPED"])),
    alarm_code: optional(code(["OVERLOAD", "GAS_ALARM", "BREAKER_TRIP"])),
    region: optional(code(REGIONS)),
    state: optional(text),
    iot_device_id: optional(text),
    iot_hub_enqueued_time: optional(instant),
    sequence_number: optional(integer(0)),
  },
  check: (row) => (MEASURES.every((name) => row[name] === null) ? fault("missing_field", "the record measures nothing") : null),
  eventTimeMs: (row) => row.timestamp,
  dedupKey: (row) => row.telemetry_id,
  actors: (row) => [row.transformer_id === null ? ActorId("substation", row.substation_id) : ActorId("transformer", row.transformer_id)],
  tally: { actor: (row) => regionActorOf(row.substation_id), isLabelled: () => false },
  message: (row): TelemetryMeasured => ({
    type: "telemetry_measured",
    atMs: row.timestamp,
    eventId: row.telemetry_id,
    substationId: row.substation_id,
    loadMw: row.load_mw,
    capacityMw: row.capacity_mw,
    loadPercent: row.load_percentage,
    voltageKv: row.voltage_kv,
    oilC: row.oil_temperature_c,
    ambientC: row.ambient_temperature_c,
    gasPpm: row.dissolved_gas_ppm,
    humidityPercent: row.humidity_percent,
    breakerStatus: row.breaker_status,
    alarmCode: row.alarm_code,
    region: row.region,
    deviceId: row.iot_device_id,
    sequenceNumber: row.sequence_number,
    enqueuedAtMs: row.iot_hub_enqueued_time,
  }),
});
