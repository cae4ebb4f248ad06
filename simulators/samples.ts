import type { BillingRow } from "./billing.ts";
import type { MeterReading } from "./smart_meter.ts";
import type { Telemetry } from "./substation_telemetry.ts";

/** The data guide's sample of a meter reading, as it stands there. It is no record of the set: its values contradict each other. */
export const SAMPLE_READING: MeterReading = {
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

/** The data guide's sample of substation telemetry, as it stands there. */
export const SAMPLE_TELEMETRY: Telemetry = {
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

/** The bill of the data guide's sample, in the moment it is paid: the image before, and the image after. */
export const SAMPLE_UPDATE_PAIR: readonly [BillingRow, BillingRow] = [paymentImage(3, "PENDING", null), paymentImage(4, "PAID", "UPI")];

function paymentImage(operation: 3 | 4, status: BillingRow["payment_status"], method: string | null): BillingRow {
  return {
    __$operation: operation,
    __$start_lsn: "0x0A3B5C7D8E",
    __$seqval: "0x0B4C6D9E0F",
    __$update_mask: "0x001800", // Columns 12 and 13: status and method.
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
    payment_status: status,
    payment_method: method,
    due_date: "2025-07-01",
    region: "WEST",
    state: "Maharashtra",
    fraud_flag: false,
    cdc_timestamp: "2025-06-15T11:23:45.000Z",
  };
}
