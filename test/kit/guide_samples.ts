// The data guide's sample records, written down here a second time on purpose: product and tests check each other against the guide.

/** Source 1. */
export const GUIDE_READING = {
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
};

/** Source 2. */
export const GUIDE_TELEMETRY = {
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
};

/** Source 3. */
export const GUIDE_BILL = {
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
};

/** Source 7, base schema. */
export const GUIDE_PRODUCTION = {
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
};

/** Source 4: the columns that the guide's row shows. */
export const GUIDE_LOG = {
  log_id: "ML-2025_04-0001",
  transformer_id: "TRF-N-0034",
  substation_id: "SUB-N-012",
  region: "NORTH",
  state: "Delhi",
  maintenance_type: "CORRECTIVE",
  failure_type: "OIL_LEAK",
  severity: "HIGH",
  reported_date: "2025-04-05",
};
