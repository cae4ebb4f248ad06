import { bool, civilDate, code, feed, id, integer, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { civilDayStartMs } from "../civil_day.ts";
import type { TransformerDescribed } from "../message.ts";
import { REGIONS, SUBSTATION_ID, TRANSFORMER_ID } from "../names.ts";
import { checkValidity, masterAbsence, masterFacts, masterKey } from "./master_facts.ts";

const business = {
  substation_id: optional(id(SUBSTATION_ID)),
  region: optional(code(REGIONS)),
  state: optional(text),
  manufacturer: optional(text),
  capacity_mw: optional(number(Number.MIN_VALUE, 5_000)),
  voltage_kv: optional(number()),
  cooling_type: optional(code()),
  installation_date: optional(civilDate),
  health_index_score: optional(number(0, 100)),
  status: optional(code(["ACTIVE", "UNDER_MAINTENANCE", "DECOMMISSIONED"])),
  last_maintenance_date: optional(civilDate),
};
const COLUMNS = Object.keys(business);

/** Source 5 of the data guide: what transformers are, from a date on. A row goes to its transformer, which keeps the history. */
export const transformerMaster = feed({
  name: "transformer_master",
  table: null,
  latenessMs: Number.POSITIVE_INFINITY,
  dedup: "actor",
  refusesFuture: false,
  fields: {
    transformer_id: id(TRANSFORMER_ID),
    ...business,
    record_effective_date: civilDate,
    record_end_date: optional(civilDate),
    is_current: optional(bool),
    scd_version: optional(integer()),
  },
  absence: masterAbsence("transformer", "transformer_id"),
  check: checkValidity,
  eventTimeMs: (row) => civilDayStartMs(row.record_effective_date),
  date: (row) => row.record_effective_date,
  dedupKey: (row) => masterKey(row.transformer_id, row),
  actors: (row) => [ActorId("transformer", row.transformer_id)],
  message: (row, context): TransformerDescribed => ({ type: "transformer_described", ...masterFacts(row, COLUMNS, context) }),
});
