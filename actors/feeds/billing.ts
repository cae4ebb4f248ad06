import { minutes } from "../../engine/duration.ts";
import { fault } from "../../engine/fault.ts";
import {
  bool,
  civilDate,
  code,
  decimal,
  feed,
  id,
  instant,
  integer,
  optional,
  type RecordContext,
  type Row,
  text,
} from "../../engine/feed.ts";
import { ActorId } from "../../engine/ids.ts";
import type { BillChange } from "../message.ts";
import { CUSTOMER_ID, METER_ID, REGIONS, TRANSACTION_ID } from "../names.ts";
import { isMasked, lsn, operation, positionOf, updateMask } from "./lsn.ts";

const COMMAND_ID_MAX = 0xffff_ffff;
const AFTER_IMAGE = 4;
const rupees = decimal(18, 2, { min: -1e11, max: 1e11 });

const fields = {
  __$operation: operation,
  __$start_lsn: lsn,
  __$seqval: lsn,
  __$update_mask: optional(updateMask),
  __$command_id: optional(integer(0, COMMAND_ID_MAX)),
  transaction_id: id(TRANSACTION_ID),
  bill_id: optional(text),
  customer_id: id(CUSTOMER_ID),
  meter_id: optional(id(METER_ID)),
  billing_period_start: optional(civilDate),
  billing_period_end: optional(civilDate),
  units_consumed_kwh: optional(decimal(18, 3)),
  rate_per_kwh: optional(decimal(18, 4)),
  base_amount: optional(rupees),
  tax_amount: optional(rupees),
  total_amount: optional(rupees),
  payment_status: optional(code()),
  payment_method: optional(code()),
  due_date: optional(civilDate),
  region: optional(code(REGIONS)),
  state: optional(text),
  fraud_flag: optional(bool),
  cdc_timestamp: instant,
};

/** Columns as SQL Server numbers them in update masks, from 1. */
const CAPTURED = Object.keys(fields).filter((name) => !name.startsWith("__$"));
/** What a bill consists of: all but its key and the time of the change. */
const BUSINESS = CAPTURED.filter((name) => name !== "transaction_id" && name !== "cdc_timestamp");

/** Source 3 of the data guide: rows of SQL Server change data capture. A row goes to its bill. Order is that of positions, never of times. */
export const billing = feed({
  name: "billing",
  table: "billing_changes",
  latenessMs: Number.POSITIVE_INFINITY,
  clockDelayMs: minutes(1),
  dedup: "actor",
  fields,
  check: ({ billing_period_start: start, billing_period_end: end }) =>
    start !== null && end !== null && end < start ? fault("bad_interval", "the period ends before it starts", "billing_period_end") : null,
  eventTimeMs: (row) => row.cdc_timestamp,
  dedupKey: (row) => `${row.transaction_id}@${row.__$start_lsn}/${row.__$seqval}/${row.__$operation}`,
  actors: (row) => [ActorId("bill", row.transaction_id)],
  message: (row, context): BillChange => ({
    type: "bill_change",
    atMs: row.cdc_timestamp,
    operation: row.__$operation,
    startLsn: row.__$start_lsn,
    seqval: row.__$seqval,
    position: positionOf(row.__$start_lsn, row.__$command_id, row.__$seqval, row.__$operation),
    customerId: row.customer_id,
    meterId: row.meter_id,
    values: Object.fromEntries(BUSINESS.map((name) => [name, (row as Row)[name] ?? null])),
    authored: row.__$operation === AFTER_IMAGE ? BUSINESS.filter((name) => isAuthored(name, row, row.__$update_mask, context)) : BUSINESS,
    unitsWh: row.units_consumed_kwh,
    ratePer10000: row.rate_per_kwh,
    basePaise: row.base_amount,
  }),
});

/**
 * Of an after image: a value always counts, a null only if the mask says that its column changed (a large column that did not change comes as
 * null, too). A mask without information leaves it to the columns that are present. An insert or delete speaks about everything.
 */
function isAuthored(name: string, row: Row, mask: string | null, context: RecordContext): boolean {
  if (!context.authored(name)) return false;
  return row[name] !== null || (isMasked(mask, CAPTURED.indexOf(name) + 1) ?? true);
}
