import type { ColumnType, Table } from "../engine/emission.ts";

const paise: ColumnType = { type: "long" };
const SCD2_COLUMNS = {
  version_id: { type: "string" },
  record_effective_date: { type: "date" },
  record_end_date: { type: "date" },
  is_current: { type: "boolean" },
  scd_version: { type: "long" },
  known_from: { type: "timestamp" },
  known_to: { type: "timestamp" },
  change: { type: "string" },
} as const;

/** The curated tables of the grid, beside those of the engine. A table of a feed begins with the feed's fields. */
export const TABLES = [
  {
    name: "meter_readings",
    feed: "smart_meter",
    columns: { transformer_id: { type: "string" }, link_status: { type: "string" }, conflict: { type: "boolean" } },
  },
  {
    name: "transformer_telemetry",
    feed: "substation_telemetry",
    columns: { load_pct_used: { type: "double" }, capacity_source: { type: "string" }, conflict: { type: "boolean" } },
  },
  {
    name: "billing_changes",
    feed: "billing",
    columns: {
      position: { type: "string" },
      changed_columns: { type: "string" },
      before_base_amount: { type: "decimal", precision: 18, scale: 2 },
      before_tax_amount: { type: "decimal", precision: 18, scale: 2 },
      before_total_amount: { type: "decimal", precision: 18, scale: 2 },
      base_paise: paise,
      tax_paise: paise,
      total_paise: paise,
      before_base_paise: paise,
      before_tax_paise: paise,
      before_total_paise: paise,
    },
  },
  { name: "maintenance_logs", feed: "maintenance", columns: { revision: { type: "long" }, superseded: { type: "boolean" } } },
  { name: "renewable_production", feed: "renewable", columns: { capacity_factor_used: { type: "double" }, conflict: { type: "boolean" } } },
  {
    name: "dim_transformer_changes",
    feed: null,
    columns: {
      transformer_id: { type: "string" },
      substation_id: { type: "string" },
      region: { type: "string" },
      state: { type: "string" },
      manufacturer: { type: "string" },
      capacity_mw: { type: "double" },
      voltage_kv: { type: "double" },
      cooling_type: { type: "string" },
      installation_date: { type: "date" },
      health_index_score: { type: "double" },
      status: { type: "string" },
      last_maintenance_date: { type: "date" },
      ...SCD2_COLUMNS,
    },
  },
  {
    name: "dim_customer_changes",
    feed: null,
    columns: {
      customer_id: { type: "string" },
      customer_name: { type: "string" },
      meter_id: { type: "string" },
      transformer_id: { type: "string" },
      region: { type: "string" },
      state: { type: "string" },
      tariff_category: { type: "string" },
      connection_type: { type: "string" },
      sanctioned_load_kw: { type: "double" },
      account_status: { type: "string" },
      outstanding_balance: { type: "decimal", precision: 18, scale: 2 },
      ...SCD2_COLUMNS,
    },
  },
] as const satisfies readonly Table[];
