import { bool, civilDate, code, decimal, feed, id, integer, number, optional, text } from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import { civilDayStartMs } from "../civil_day.ts";
import type { CustomerDescribed } from "../message.ts";
import { CUSTOMER_ID, METER_ID, REGIONS, TRANSFORMER_ID } from "../names.ts";
import { checkValidity, masterAbsence, masterFacts, masterKey } from "./master_facts.ts";

const business = {
  customer_name: optional(text),
  meter_id: optional(id(METER_ID)),
  transformer_id: optional(id(TRANSFORMER_ID)),
  region: optional(code(REGIONS)),
  state: optional(text),
  tariff_category: optional(code()),
  connection_type: optional(code()),
  sanctioned_load_kw: optional(number(0, 1_000_000)),
  account_status: optional(code()),
  outstanding_balance: optional(decimal(18, 2)),
};
const COLUMNS = Object.keys(business);

/** Source 6 of the data guide: who customers are and what feeds them, from a date on. A row goes to its customer, which keeps the history. */
export const customerMaster = feed({
  name: "customer_master",
  table: null,
  latenessMs: Number.POSITIVE_INFINITY,
  dedup: "actor",
  refusesFuture: false,
  fields: {
    customer_id: id(CUSTOMER_ID),
    ...business,
    record_effective_date: civilDate,
    record_end_date: optional(civilDate),
    is_current: optional(bool),
    scd_version: optional(integer()),
  },
  absence: masterAbsence("customer", "customer_id"),
  check: checkValidity,
  eventTimeMs: (row) => civilDayStartMs(row.record_effective_date),
  date: (row) => row.record_effective_date,
  dedupKey: (row) => masterKey(row.customer_id, row),
  actors: (row) => [ActorId("customer", row.customer_id)],
  message: (row, context): CustomerDescribed => ({ type: "customer_described", ...masterFacts(row, COLUMNS, context) }),
});
