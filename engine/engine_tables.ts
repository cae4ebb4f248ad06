import type { Table } from "./emission.ts";

/** Curated tables that the engine itself fills: they exist whatever the grid is. */
export const ENGINE_TABLES = [
  {
    name: "alerts",
    feed: null,
    columns: {
      event_id: { type: "string" },
      alert_id: { type: "string" },
      change: { type: "string" },
      rule: { type: "string" },
      rule_version: { type: "long" },
      severity: { type: "string" },
      status: { type: "string" },
      actor: { type: "string" },
      path: { type: "string" },
      event_time: { type: "timestamp" },
      starts_at: { type: "timestamp" },
      ends_at: { type: "timestamp" },
      count: { type: "long" },
      flags: { type: "string" },
      metric: { type: "string" },
      value: { type: "string" },
      unit: { type: "string" },
      limit_lower: { type: "double" },
      limit_upper: { type: "double" },
      evidence: { type: "string" },
      origin: { type: "string" },
      suppressed_by: { type: "string" },
    },
  },
  {
    name: "quarantine",
    feed: null,
    columns: {
      quarantine_id: { type: "string" },
      feed: { type: "string" },
      reason: { type: "string" },
      field: { type: "string" },
      error: { type: "string" },
      actor: { type: "string" },
      event_time: { type: "timestamp" },
      size_bytes: { type: "long" },
    },
  },
  {
    name: "schema_versions",
    feed: null,
    columns: {
      feed: { type: "string" },
      version: { type: "long" },
      column: { type: "string" },
      type: { type: "string" },
      origin: { type: "string" },
      position: { type: "string" },
    },
  },
] as const satisfies readonly Table[];
