import { minutes } from "../../engine/duration.ts";
import { type Fault, fault } from "../../engine/fault.ts";
import {
  bool,
  civilDate,
  code,
  decimal,
  type Feed,
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
import { debezium } from "./debezium.ts";
import { isMasked, lsn, NO_LSN, operation, positionOf, SNAPSHOT, updateMask } from "./lsn.ts";

const COMMAND_ID_MAX = 0xffff_ffff;
const AFTER_IMAGE = 4;
/** Columns of these operations count if the record has them: all others speak about everything. */
const SPARSE = [AFTER_IMAGE, SNAPSHOT];
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
  event_serial_no: optional(integer(0)),
};

/** What is said of the change, not of the bill. */
const OF_THE_CHANGE = ["cdc_timestamp", "event_serial_no"];
/** Columns as SQL Server numbers them in update masks, from 1. */
const CAPTURED = Object.keys(fields).filter((name) => !name.startsWith("__$") && !OF_THE_CHANGE.includes(name));
/** What a bill consists of. */
const BUSINESS = CAPTURED.filter((name) => name !== "transaction_id");

/**
 * Source 3 of the data guide: changes of bills, as rows of SQL Server change data capture or in envelopes of Debezium. A change goes to its bill.
 * Order is that of positions, never of times.
 */
export const billing: Feed<BillChange> = billingCapturedAs(CAPTURED);

/** The feed for a table whose columns were captured in this order: bit n - 1 of an update mask stands for the n-th of them. */
function billingCapturedAs(captured: readonly string[]): Feed<BillChange> {
  return feed({
    name: "billing",
    table: "billing_changes",
    latenessMs: Number.POSITIVE_INFINITY,
    clockDelayMs: minutes(1),
    dedup: "actor",
    fields,
    open: debezium(fields),
    captured: billingCapturedAs,
    place: (row) =>
      row.__$operation === SNAPSHOT ? null : positionOf(row.__$start_lsn, row.__$command_id, row.__$seqval, row.__$operation),
    check: (row) => lsnFault(row) ?? periodFault(row),
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
      values: businessOf(row),
      authored: SPARSE.includes(row.__$operation) ? BUSINESS.filter((name) => isAuthored(name, row, captured, context)) : BUSINESS,
      before: context.before === null ? null : businessOf(context.before),
      serial: row.event_serial_no ?? 0,
      unitsWh: row.units_consumed_kwh,
      ratePer10000: row.rate_per_kwh,
      basePaise: row.base_amount,
    }),
  });
}

function businessOf(row: Row): Row {
  return Object.fromEntries(BUSINESS.map((name) => [name, row[name] ?? null]));
}

/**
 * Of an after image: a value always counts, a null only if the mask says that its column changed (a large column that did not change comes as
 * null, too). A mask without information leaves it to the columns that are present. An insert or delete speaks about everything.
 */
function isAuthored(name: string, row: Row, captured: readonly string[], context: RecordContext): boolean {
  if (!context.authored(name)) return false;
  const mask = row["__$update_mask"];
  return row[name] !== null || (isMasked(typeof mask === "string" ? mask : null, captured.indexOf(name) + 1) ?? true);
}

/** Only a snapshot may have no place in the log. */
function lsnFault(row: Row): Fault | null {
  if (row["__$operation"] === SNAPSHOT) return null;
  const name = ["__$start_lsn", "__$seqval"].find((place) => row[place] === NO_LSN);
  return name === undefined ? null : fault("bad_lsn", "the log sequence number is zero", name);
}

function periodFault({ billing_period_start: start, billing_period_end: end }: Row): Fault | null {
  if (typeof start !== "string" || typeof end !== "string" || end >= start) return null;
  return fault("bad_interval", "the period ends before it starts", "billing_period_end");
}
