import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import { longHash } from "../../engine/ids.ts";
import { type Arrival, type GivenScript, type StageOptions, stage } from "./given.ts";
import { at } from "./puppets.ts";

type Changes = Readonly<Record<string, unknown>>;

/** `given` for the grid: its feeds, actors, tables and rules. */
export const given: GivenScript = stage(GRID, RULES);

/** The same with limits, settings or cuts of its own. */
export function grid(options: StageOptions): GivenScript {
  return stage(GRID, RULES, options);
}

/** An id that says all that its record does: equal records have equal ids. */
function idOf(...facts: readonly unknown[]): string {
  return longHash([JSON.stringify(facts)]);
}

const when = (minute: number): string => new Date(at(minute)).toISOString();

/** A reading of SM-N-00042, `minute` minutes after the start. */
export function reading(minute: number, readingKwh: number, changes: Changes = {}): Arrival {
  const record = {
    event_id: idOf(minute, readingKwh, changes),
    meter_id: "SM-N-00042",
    timestamp: when(minute),
    reading_kwh: readingKwh,
    meter_status: "ACTIVE",
  };
  return { feed: "smart_meter", record: { ...record, ...changes } };
}

/** Telemetry of TRF-N-0034 in SUB-N-012 with this oil temperature; ambient is 38 °C. */
export function oil(minute: number, oilC: number | null, changes: Changes = {}): Arrival {
  return telemetry(minute, { oil_temperature_c: oilC, ambient_temperature_c: 38, ...changes });
}

/** Telemetry of TRF-N-0034 in SUB-N-012. */
export function telemetry(minute: number, changes: Changes = {}): Arrival {
  const record = { telemetry_id: idOf(minute, changes), substation_id: "SUB-N-012", transformer_id: "TRF-N-0034", timestamp: when(minute) };
  return { feed: "substation_telemetry", record: { ...record, ...changes } };
}

/** A row of the customer master: CUST-000123 has meter SM-N-00042 behind TRF-N-0034 from a date on. */
export function customer(from: string, changes: Changes = {}): Arrival {
  const record = {
    customer_id: "CUST-000123",
    meter_id: "SM-N-00042",
    transformer_id: "TRF-N-0034",
    region: "NORTH",
    record_effective_date: from,
  };
  return { feed: "customer_master", record: { ...record, ...changes } };
}

/** A row of the transformer master: TRF-N-0034 stands in SUB-N-012 from a date on. */
export function transformer(from: string, changes: Changes = {}): Arrival {
  const record = {
    transformer_id: "TRF-N-0034",
    substation_id: "SUB-N-012",
    region: "NORTH",
    status: "ACTIVE",
    record_effective_date: from,
  };
  return { feed: "transformer_master", record: { ...record, ...changes } };
}

/** A log of TRF-N-0034. */
export function log(changes: Changes = {}, path?: string): Arrival {
  const record = { log_id: "ML-1", transformer_id: "TRF-N-0034", maintenance_type: "CORRECTIVE", reported_date: "2025-04-05" };
  return { feed: "maintenance", record: { ...record, ...changes }, ...(path === undefined ? {} : { path }) };
}

/** Production of REN-SOLAR-015 in the south, rated 25 MW. */
export function production(minute: number, productionMw: number, changes: Changes = {}): Arrival {
  const record = {
    reading_id: idOf(minute, productionMw, changes),
    plant_id: "REN-SOLAR-015",
    timestamp: when(minute),
    production_mw: productionMw,
  };
  return { feed: "renewable", record: { ...record, capacity_mw: 25, region: "SOUTH", ...changes } };
}

export const DELETE = 1;
export const INSERT = 2;
export const BEFORE = 3;
export const AFTER = 4;

/** A CDC row of TXN-00000042, bill of CUST-000789: `n` minutes after the start; a before and its after image have the same n. Amounts in rupees as text. */
export function change(n: number, operation: number, changes: Changes = {}): Arrival {
  const record = {
    __$operation: operation,
    __$start_lsn: `0x${(0xa3b5c + Math.round(n * 10)).toString(16)}`,
    __$seqval: `0x${(0xb4c6d + Math.round(n * 10)).toString(16)}`,
    __$update_mask: "0x00",
    transaction_id: "TXN-00000042",
    customer_id: "CUST-000789",
    base_amount: "2968.07",
    total_amount: "3502.32",
    payment_status: "PENDING",
    cdc_timestamp: when(n),
  };
  return { feed: "billing", record: { ...record, ...changes }, mode: "cdc" };
}

/** The data guide's sample of each feed. */
export const GUIDE_SAMPLES: readonly Arrival[] = [
  {
    feed: "smart_meter",
    record: {
      event_id: "a3f2e1d4-...",
      meter_id: "SM-N-00042",
      customer_id: "CUST-000123",
      timestamp: "2025-06-15T14:23:45.123Z",
      reading_kwh: 7.234,
      voltage_v: 232.5,
      current_a: 12.45,
      power_factor: 0.923,
      frequency_hz: 50.02,
      meter_status: "ACTIVE",
      region: "NORTH",
      state: "Delhi",
      grid_zone: "ZONE-3",
      is_anomaly_flag: false,
    },
  },
  {
    feed: "substation_telemetry",
    record: {
      telemetry_id: "b4d3c2a1-...",
      substation_id: "SUB-S-023",
      transformer_id: "TRF-S-0045",
      timestamp: "2025-06-15T10:15:30.456Z",
      load_mw: 87.34,
      capacity_mw: 150,
      load_percentage: 58.2,
      voltage_kv: 22.45,
      oil_temperature_c: 65.3,
      ambient_temperature_c: 38.2,
      dissolved_gas_ppm: 245.7,
      humidity_percent: 67.4,
      breaker_status: "CLOSED",
      alarm_code: null,
      region: "SOUTH",
      state: "Karnataka",
      iot_device_id: "IOT-SUB-S-023-2",
      iot_hub_enqueued_time: "2025-06-15T10:15:31.100Z",
      sequence_number: 678234,
    },
  },
  {
    feed: "billing",
    mode: "cdc",
    record: {
      __$operation: 2,
      __$start_lsn: "0x0A3B5C7D8E",
      __$seqval: "0x0B4C6D9E0F",
      __$update_mask: "0x00",
      __$command_id: 1,
      transaction_id: "TXN-00000042",
      bill_id: "BILL-00012345",
      customer_id: "CUST-000789",
      meter_id: "SM-W-00134",
      billing_period_start: "2025-06-01",
      billing_period_end: "2025-06-29",
      units_consumed_kwh: 456.78,
      rate_per_kwh: 6.5,
      base_amount: 2968.07,
      tax_amount: 534.25,
      total_amount: 3502.32,
      payment_status: "PAID",
      payment_method: "UPI",
      due_date: "2025-07-01",
      region: "WEST",
      state: "Maharashtra",
      fraud_flag: false,
      cdc_timestamp: "2025-06-15T11:23:45.000Z",
    },
  },
  {
    feed: "maintenance",
    record: {
      log_id: "ML-2025_04-0001",
      transformer_id: "TRF-N-0034",
      substation_id: "SUB-N-012",
      region: "NORTH",
      state: "Delhi",
      maintenance_type: "CORRECTIVE",
      failure_type: "OIL_LEAK",
      severity: "HIGH",
      reported_date: "2025-04-05",
    },
  },
  {
    feed: "renewable",
    record: {
      reading_id: "c5e4d3b2-...",
      plant_id: "REN-SOLAR-015",
      plant_type: "SOLAR",
      timestamp: "2025-06-15T08:34:12.789Z",
      production_mw: 6.234,
      capacity_mw: 25,
      capacity_factor: 0.412,
      weather_condition: "CLEAR",
      irradiance_w_m2: 745.3,
      wind_speed_mps: null,
      water_flow_m3s: null,
      grid_injection_mw: 5.892,
      auxiliary_consumption_mw: 0.342,
      region: "SOUTH",
      state: "Karnataka",
      inverter_status: "ONLINE",
    },
  },
];
