import { GRID } from "../../actors/registry.ts";
import { RULES } from "../../actors/rules.ts";
import type { View } from "../../admin/reader.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { longHash } from "../../engine/ids.ts";
import { type Arrival, type GivenScript, type Seen, type StageOptions, stage } from "./given.ts";
import { GUIDE_BILL, GUIDE_LOG, GUIDE_PRODUCTION, GUIDE_READING, GUIDE_TELEMETRY } from "./guide_samples.ts";
import { at } from "./puppets.ts";

type Changes = Readonly<Record<string, unknown>>;

/** `given` for the grid: its feeds, actors, tables and rules. */
export const given: GivenScript = stage(GRID, RULES);

/** The same with limits, settings or cuts of its own. */
export function grid(options: StageOptions): GivenScript {
  return stage(GRID, RULES, options);
}

/** What commands see of a state that a script has led to. */
export function viewOf({ store }: Pick<Seen, "store">): View {
  return { store, domain: GRID, decode: emissionDecoder("main", GRID.tables) };
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

/** The data guide's sample of each feed that has one. */
export const GUIDE_SAMPLES: readonly Arrival[] = [
  { feed: "smart_meter", record: GUIDE_READING },
  { feed: "substation_telemetry", record: GUIDE_TELEMETRY },
  { feed: "billing", mode: "cdc", record: GUIDE_BILL },
  { feed: "maintenance", record: GUIDE_LOG },
  { feed: "renewable", record: GUIDE_PRODUCTION },
];
