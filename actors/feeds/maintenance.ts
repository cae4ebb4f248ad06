import { days } from "../../engine/duration.ts";
import { bool, civilDate, code, decimal, feed, id, key, number, optional, type Row, text } from "../../engine/feed.ts";
import { ActorId, longHash } from "../../engine/ids.ts";
import { civilDayStartMs } from "../civil_day.ts";
import type { MaintenanceLogged } from "../message.ts";
import { REGIONS, SUBSTATION_ID, TRANSFORMER_ID } from "../names.ts";

/** Source 4 of the data guide: monthly files of maintenance logs. A row goes to its transformer, which recognises a log that comes again. */
export const maintenance = feed({
  name: "maintenance",
  table: "maintenance_logs",
  latenessMs: days(62),
  dedup: "actor",
  fields: {
    log_id: key,
    transformer_id: id(TRANSFORMER_ID),
    substation_id: optional(id(SUBSTATION_ID)),
    region: optional(code(REGIONS)),
    state: optional(text),
    maintenance_type: code(["PREVENTIVE", "CORRECTIVE", "EMERGENCY", "INSPECTION"]),
    failure_type: optional(code()),
    severity: optional(code(["LOW", "MEDIUM", "HIGH", "CRITICAL"])),
    reported_date: civilDate,
    scheduled_date: optional(civilDate),
    completed_date: optional(civilDate),
    technician_id: optional(text),
    technician_name: optional(text),
    hours_spent: optional(number(0, 10_000)),
    parts_replaced: optional(text),
    cost_inr: optional(decimal(18, 2)),
    downtime_hours: optional(number(0, 100_000)),
    root_cause: optional(text),
    resolution_notes: optional(text),
    follow_up_required: optional(bool),
    next_inspection_date: optional(civilDate),
  },
  eventTimeMs: (row) => civilDayStartMs(row.reported_date),
  date: (row) => row.reported_date,
  dedupKey: (row) => `${row.log_id}@${contentHash(row)}`,
  actors: (row) => [ActorId("transformer", row.transformer_id)],
  message: (row, context): MaintenanceLogged => ({
    type: "maintenance_logged",
    atMs: civilDayStartMs(row.reported_date),
    logId: row.log_id,
    contentHash: contentHash(row),
    path: context.path === null ? null : context.path.slice(context.path.lastIndexOf("/") + 1),
    maintenanceType: row.maintenance_type,
    severity: row.severity,
    substationId: row.substation_id,
    reportedDate: row.reported_date,
    completedDate: row.completed_date,
    nextInspectionDate: row.next_inspection_date,
    followUpRequired: row.follow_up_required,
  }),
});

function contentHash(row: Row): string {
  return longHash([JSON.stringify(Object.values(row))]);
}
