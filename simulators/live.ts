import { type BillingRow, BLOCK, billingBlock, LIVE_LSN_BASE, LSN_STEP } from "./billing.ts";
import { DATA_DAY_AT_MS, DAY_MS } from "./calendar.ts";
import { type Grid, gridOf } from "./grid.ts";
import { meterReading } from "./smart_meter.ts";
import { sentOnDataDay, telemetryRecord } from "./substation_telemetry.ts";
import { transformerMaster } from "./transformer_master.ts";

export const PROFILES = ["meters", "substations", "billing"] as const;
export type Profile = (typeof PROFILES)[number];

/** One message of a live stream. */
export interface LiveMessage {
  /** Its number in the stream, from 0. */
  readonly n: number;
  /** When it is due: `startAtMs + n · 1000 / rate`. May have a fraction. */
  readonly atMs: number;
  /** Its event time: `atMs` in whole milliseconds; for an update's after image that of its before image, since both commit together. */
  readonly eventTimeMs: number;
  /** meter_id, substation_id or transaction_id: messages of one key keep their order. */
  readonly key: string;
  /** The record as one line of JSON, without a line end. */
  readonly json: string;
}

export interface LiveOptions {
  readonly profile: Profile;
  /** A whole number below 2^32. */
  readonly seed: number;
  /** 1 … 10,000, as of the generated data. */
  readonly scale: number;
  /** Whole milliseconds, 2025-06-15 or later. Two streams that start at least as far apart as the first of them runs share no id and no LSN. */
  readonly startAtMs: number;
  /** Messages per second, 0.001 … 10,000. */
  readonly rate: number;
  /** Number of the first message wanted: a stream resumes after message n with `n + 1`. */
  readonly first?: number;
}

/**
 * The messages of a live stream, without end and without waiting. Message n is a pure function of the options (`first` excepted) and n: a
 * stream that is resumed goes on with exactly the messages it would have sent. The links are those of the generated data of the same seed and
 * scale, the ids are others, LSNs and device sequence numbers go on above them. In every 100 readings there are 5 thefts and 3 spikes, in
 * every 100 telemetry records 4 overheated ones and each alarm code once, in every 400 billing rows 16 frauds and 8 mismatches.
 * Throws a RangeError for options out of range.
 */
export function liveMessages({ first = 0, ...options }: LiveOptions): Generator<LiveMessage, never> {
  const { profile, rate, startAtMs, seed, scale } = options;
  if (!(rate >= 0.001 && rate <= 10_000)) throw new RangeError("rate: from 0.001 to 10000 messages per second");
  if (!Number.isSafeInteger(startAtMs) || startAtMs < DATA_DAY_AT_MS)
    throw new RangeError("startAtMs: whole milliseconds, 2025-06-15 or later");
  if (!Number.isSafeInteger(first) || first < 0) throw new RangeError("first: a whole number, 0 or more");
  return numbered(MAKERS[profile](gridOf(seed, scale), options), first);
}

type Make = (n: number) => LiveMessage;

function* numbered(make: Make, first: number): Generator<LiveMessage, never> {
  for (let n = first; ; n += 1) yield make(n);
}

const MAKERS: Readonly<Record<Profile, (grid: Grid, options: Omit<LiveOptions, "first">) => Make>> = {
  meters(grid, { startAtMs, rate }) {
    const readingOf = meterReading(grid, { set: `smart_meter_live_${startAtMs}`, block: 100 });
    return (n) => {
      const due = dueAt(n, startAtMs, rate);
      const reading = readingOf(n, grid.openAccount(n % grid.openAccounts), due.eventTimeMs); // In turn, so that each meter has a steady cadence.
      return { n, ...due, key: reading.meter_id, json: JSON.stringify(reading) };
    };
  },

  substations(grid, { startAtMs, rate }) {
    const recordOf = telemetryRecord(grid, { set: `substation_telemetry_live_${startAtMs}`, block: 100 });
    const { inService } = transformerMaster(grid);
    const sentBefore = Math.max(0, Math.ceil((startAtMs - DATA_DAY_AT_MS - DAY_MS) / 1_000) * Math.ceil(rate / inService)); // By streams that began earlier.
    return (n) => {
      const due = dueAt(n, startAtMs, rate);
      const device = n % inService;
      const sent = sentOnDataDay(grid, device) + sentBefore + Math.floor(n / inService);
      const record = recordOf({ n, device, sent, atMs: due.eventTimeMs });
      return { n, ...due, key: record.substation_id, json: JSON.stringify(record) };
    };
  },

  billing(grid, { startAtMs, rate }) {
    const blockOf = liveBlocks(grid, startAtMs, rate);
    return (n) => {
      const row = blockOf(Math.floor(n / BLOCK.rows))[n % BLOCK.rows];
      if (row === undefined) throw new Error(`a block of billing rows holds fewer than ${BLOCK.rows}`);
      return {
        n,
        ...dueAt(n, startAtMs, rate),
        eventTimeMs: Date.parse(row.cdc_timestamp),
        key: row.transaction_id,
        json: JSON.stringify(row),
      };
    };
  },
};

function dueAt(n: number, startAtMs: number, rate: number): Pick<LiveMessage, "atMs" | "eventTimeMs"> {
  const atMs = startAtMs + (n * 1_000) / rate;
  return { atMs, eventTimeMs: Math.floor(atMs) };
}

/** The billing rows by block. Remembers one block: a stream asks for them in order. */
function liveBlocks(grid: Grid, startAtMs: number, rate: number): (block: number) => readonly BillingRow[] {
  // Room for 16 changes and bills in each millisecond since the data day: a stream that begins later is above one that began earlier.
  const room = (startAtMs - DATA_DAY_AT_MS) * 16;
  const options = {
    set: `billing_live_${startAtMs}`,
    lsnBase: LIVE_LSN_BASE + room * LSN_STEP,
    transactionBase: 50_000_000 + room,
    accountBase: BLOCK.bills * grid.scale, // The customers the generated file has not billed come first.
    commitAtMs: (_change: number, row: number) => dueAt(row, startAtMs, rate).eventTimeMs,
  };
  let remembered: { readonly block: number; readonly rows: readonly BillingRow[] } | null = null;
  return (block) => {
    if (remembered?.block !== block) remembered = { block, rows: billingBlock(grid, { ...options, block }) };
    return remembered.rows;
  };
}
