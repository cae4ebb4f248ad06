import type { View } from "../../admin/reader.ts";
import type { Behaviour, Description, Out } from "../../engine/behaviour.ts";
import type { CellValue } from "../../engine/emission.ts";
import { emissionDecoder } from "../../engine/emission_codec.ts";
import { ENGINE_TABLES } from "../../engine/engine_tables.ts";
import { civilDate, decimal, type Feed, feed, instant, integer, number, optional, type Row, text } from "../../engine/feed.ts";
import { ActorId, keyOf, SourceId } from "../../engine/ids.ts";
import type { Packed } from "../../engine/layout.ts";
import { DEFAULT_LIMITS } from "../../engine/limits.ts";
import { openMemoryStore } from "../../engine/memory_store.ts";
import type { AnyBehaviour } from "../../engine/population.ts";
import type { Rule } from "../../engine/rule.ts";
import { RuleTable } from "../../engine/rule_table.ts";
import type { Store } from "../../engine/store.ts";
import { resolveTable } from "../../engine/table.ts";
import { Turn } from "../../engine/turn.ts";
import { type Domain, World } from "../../engine/world.ts";

/** What the tiny grid's actors are told: the record as it was read. */
interface Told {
  readonly type: "told" | "moved";
  readonly row: Row;
  readonly authored: readonly string[];
  readonly publication: number;
}

const told = (row: Row, { path }: { readonly path: string | null }): Told => ({
  type: "told",
  row,
  authored: Object.keys(row),
  publication: Number(/\d{8}/.exec(path ?? "")?.[0] ?? 0),
});

const smartMeter = feed({
  name: "smart_meter",
  latenessMs: 600_000,
  fields: {
    event_id: text,
    meter_id: text,
    timestamp: instant,
    reading_kwh: number(-10_000, 10_000),
    voltage_v: optional(number(0, 1_000)),
    power_factor: optional(number(-1, 1)),
  },
  eventTimeMs: (row) => row.timestamp,
  dedupKey: (row) => row.event_id,
  actors: (row) => [ActorId("meter", row.meter_id)],
  table: "meter_readings",
  message: told,
});

const billing = feed({
  name: "billing",
  latenessMs: Number.POSITIVE_INFINITY,
  clockDelayMs: 60_000,
  dedup: "actor",
  fields: {
    transaction_id: text,
    __$operation: integer(1, 5),
    __$start_lsn: text,
    __$seqval: text,
    customer_id: text,
    meter_id: optional(text),
    base_amount: optional(decimal(18, 2)),
    payment_status: optional(text),
    cdc_timestamp: instant,
  },
  eventTimeMs: (row) => row.cdc_timestamp,
  dedupKey: (row) => `${row.transaction_id}@${row.__$start_lsn}/${row.__$seqval}/${row.__$operation}`,
  actors: (row) => [ActorId("bill", row.transaction_id)],
  table: "billing_changes",
  message: told,
});

const master = { latenessMs: Number.POSITIVE_INFINITY, dedup: "actor", refusesFuture: false, table: null, message: told } as const;

const transformerMaster = feed({
  ...master,
  name: "transformer_master",
  fields: {
    transformer_id: text,
    substation_id: optional(text),
    region: optional(text),
    status: optional(text),
    health_index_score: optional(number(0, 100)),
    last_maintenance_date: optional(civilDate),
    record_effective_date: civilDate,
  },
  eventTimeMs: (row) => Date.parse(row.record_effective_date),
  dedupKey: (row) => `${row.transformer_id} ${row.record_effective_date}`,
  actors: (row) => [ActorId("transformer", row.transformer_id)],
});

const customerMaster = feed({
  ...master,
  name: "customer_master",
  fields: {
    customer_id: text,
    meter_id: optional(text),
    transformer_id: optional(text),
    region: optional(text),
    account_status: optional(text),
    outstanding_balance: optional(decimal(18, 2)),
    record_effective_date: civilDate,
  },
  eventTimeMs: (row) => Date.parse(row.record_effective_date),
  dedupKey: (row) => `${row.customer_id} ${row.record_effective_date}`,
  actors: (row) => [ActorId("customer", row.customer_id)],
});

interface MeterWarm {
  customer: ActorId | null;
  transformer: ActorId | null;
  substation: ActorId | null;
}
type MeterState = Packed<{ kwh: number | null; n: number }, MeterWarm>;

/** `customer` is told nothing of readings; a row of `customer_master` moves its meter and makes it link there. */
const meter: Behaviour<MeterState, Told> = {
  kind: "meter",
  version: 1,
  clocks: ["smart_meter", "billing"],
  hot: { kwh: "nullable", n: "u32" },
  initial: () => ({ customer: null, transformer: null, substation: null }),
  receive(state, message, out) {
    if (message.type === "moved") Object.assign(state.change(), message.row);
    else if (message.type === "told") measured(state, message, out);
  },
  describe: ({ hot, warm: { customer, transformer } }) => ({
    status: hot.kwh === null ? null : "ACTIVE",
    attributes: {
      customer_id: customer === null ? null : keyOf(customer),
      transformer_id: transformer === null ? null : keyOf(transformer),
      region: "NORTH",
      grid_zone: "ZONE-3",
    },
    latest: hot.kwh === null ? null : { eventTime: Date.UTC(2025, 5, 15, 16, 23, 45, 120), reading_kwh: hot.kwh, voltage_v: 231.8 },
    rolling: { n: hot.n, median: 6.8, learning: true },
  }),
  rolling: ({ hot }) => ({ n: hot.n, median: 6.8, learning: true }),
  links: ({ warm: { customer, transformer, substation } }) => ({
    ...(customer === null ? {} : { customer }),
    ...(transformer === null ? {} : { transformer }),
    ...(substation === null ? {} : { substation }),
    region: ActorId("region", "NORTH"),
  }),
};

function measured({ hot }: MeterState, { row }: Told, out: Out<Told>): void {
  const value = Number(row["reading_kwh"]);
  const atMs = Number(row["timestamp"]);
  if (value >= 0.001 && value <= 0.05) out.observe("meter.near_zero", { holds: true, atMs, value, limit: 0.05 });
  if (value >= 50) out.observe("meter.spike", { holds: true, atMs, value, limit: 50, severity: value > 100 ? "critical" : "major" });
  out.curate("meter_readings", { link_status: "pending" });
  if (value === 13) throw new Error("unlucky");
  hot.kwh = value;
  hot.n += 1;
}

const plainHistory = { untracked: [], ignored: [], ignoreNulls: [] } as const;

interface Kept {
  values: Record<string, CellValue> | null;
}

const customer: Behaviour<Kept, Told> = {
  kind: "customer",
  version: 1,
  clocks: [],
  history: { ...plainHistory, untracked: ["outstanding_balance"] },
  initial: () => ({ values: null }),
  receive(state, message, out) {
    if (message.type !== "told") return;
    remember(state, message, out, ["customer_id", "record_effective_date"]);
    const meterId = state.values?.["meter_id"];
    const transformerId = state.values?.["transformer_id"];
    if (typeof meterId !== "string" || typeof transformerId !== "string") return;
    const links = {
      customer: out.self,
      transformer: ActorId("transformer", transformerId),
      substation: ActorId("substation", "SUB-N-012"),
    };
    out.tell(ActorId("meter", meterId), { ...message, type: "moved", row: links });
  },
  describe: ({ values }) => described(values, "account_status"),
  links: meterOf,
};

const transformer: Behaviour<Kept, Told> = {
  kind: "transformer",
  version: 1,
  clocks: ["transformer_master"],
  history: plainHistory,
  initial: () => ({ values: null }),
  receive(state, message, out) {
    if (message.type === "told") remember(state, message, out, ["transformer_id", "record_effective_date"]);
  },
  describe: ({ values }) => described(values, "status"),
  links: () => ({ region: ActorId("region", "NORTH") }),
};

const bill: Behaviour<Kept, Told> = {
  kind: "bill",
  version: 1,
  clocks: ["billing"],
  history: plainHistory,
  initial: () => ({ values: null }),
  receive(state, message, out) {
    if (message.type !== "told") return;
    const { row } = message;
    const atMs = Number(row["cdc_timestamp"]);
    const paise = Number(row["base_amount"]);
    if (row["__$operation"] !== 1 && paise <= 5_000) {
      out.observe("billing.tiny_amount", { holds: true, atMs, value: paise / 100 });
      out.observe("billing.unit_price", { holds: true, atMs, value: 0.1 });
    }
    const position = `${row["__$start_lsn"]}${row["__$seqval"]}`.replaceAll("0x", "");
    const { customer_id = null, meter_id = null, base_amount = null, payment_status = null } = row;
    const values = { customer_id, meter_id, base_amount, payment_status };
    const rank = { publication: 0, precedence: 2, generation: 0 };
    const change = row["__$operation"] === 1 ? ({ kind: "delete", values: {} } as const) : ({ kind: "upsert", values } as const);
    if (out.remember({ ...change, from: position, rank, authored: null, atMs }).duplicate) return out.duplicate();
    state.values = change.kind === "delete" ? null : values;
    out.curate("billing_changes", {});
  },
  describe: ({ values }) => described(values, "payment_status"),
  links: meterOf,
};

const place = (kind: string): Behaviour<{ n: number }, Told> => ({
  kind,
  version: 1,
  clocks: [],
  initial: () => ({ n: 0 }),
  receive: () => {},
  describe: () => ({ status: null, attributes: {}, latest: null, rolling: null }),
  links: () => ({}),
});

function described(values: Kept["values"], status: string): Description {
  const is = values?.[status];
  return { status: typeof is === "string" ? is : null, attributes: { ...values }, latest: null, rolling: null };
}

function meterOf({ values }: Kept): Record<string, ActorId> {
  const key = values?.["meter_id"];
  return typeof key === "string" ? { meter: ActorId("meter", key) } : {};
}

function remember(state: Kept, { row, publication }: Told, out: Out<Told>, except: readonly string[]): void {
  const values = Object.fromEntries(Object.entries(row).filter(([name]) => !except.includes(name)));
  const rank = { publication, precedence: 0, generation: 0 };
  const remembered = out.remember({ from: String(row["record_effective_date"]), kind: "upsert", rank, values, authored: null, atMs: null });
  if (remembered.duplicate) return out.duplicate();
  state.values = { ...remembered.versions.findLast(({ to }) => to === null)?.values };
}

const rule = (id: string, severity: Rule["severity"], metric: string, unit: string): Rule => ({
  id,
  version: 1,
  family: "energy",
  severity,
  metric,
  unit,
  limits: {},
  pulseMs: 3_600_000,
  stamps: true,
  summary: id,
});

const RULES: readonly Rule[] = [
  rule("meter.near_zero", "info", "reading_kwh", "kWh"),
  rule("meter.spike", "major", "reading_kwh", "kWh"),
  rule("billing.tiny_amount", "info", "base_amount", "INR"),
  rule("billing.unit_price", "warning", "ratio", ""),
];

/** Ids of the tiny grid's rules. */
export const TINY_RULES: readonly string[] = RULES.map(({ id }) => id);

const FEEDS: readonly Feed[] = [smartMeter, billing, transformerMaster, customerMaster];
const TABLES = [
  { name: "meter_readings", feed: "smart_meter", columns: { link_status: { type: "string" } } },
  { name: "billing_changes", feed: "billing", columns: {} },
  ...ENGINE_TABLES,
] as const;
const BEHAVIOURS: readonly AnyBehaviour[] = [meter, customer, bill, transformer, place("substation"), place("region")];

/** A grid with just enough of each thing that reading has to tell apart. */
export const TINY_GRID: Domain = {
  behaviours: BEHAVIOURS,
  feeds: FEEDS,
  tables: TABLES.map((table) => resolveTable(table, FEEDS.find((one) => one.name === table.feed) ?? null)),
};

/** When records of the tiny grid arrive, unless they say otherwise. */
export const ARRIVED_AT_MS = Date.UTC(2025, 5, 16, 4, 0, 1);

export interface TinyEngine extends View {
  readonly store: Store;
  /** Takes records of a feed as one batch of the file `path`, and commits it. Text that is no JSON object may be among them. */
  take(
    feed: string,
    records: readonly (object | string)[],
    options?: { readonly path?: string; readonly arrivedAtMs?: number },
  ): Promise<void>;
}

/** The tiny grid in an engine without sources and sinks, on a store in memory. */
export function tinyEngine(): TinyEngine {
  const store = openMemoryStore();
  const options = { name: "main", domain: TINY_GRID, rules: new RuleTable(RULES), schemas: new Map(), limits: DEFAULT_LIMITS };
  const turn = new Turn(new World(options, store));
  let files = 0;
  return {
    store,
    domain: TINY_GRID,
    decode: emissionDecoder("main", TINY_GRID.tables),
    async take(name, records, { path = `${name}.json`, arrivedAtMs = ARRIVED_AT_MS } = {}) {
      files += 1;
      const batch = {
        origin: `file:${files}/`,
        path,
        generation: 0,
        records: records.map((record, at) => ({
          at,
          arrivedAtMs,
          bytes: Buffer.from(typeof record === "string" ? record : JSON.stringify(record)),
        })),
        resumeAt: new Map(),
        idle: false,
      };
      await store.commit(turn.run({ source: SourceId(name), feed: name, mode: "delta", origin: "live" }, batch));
    },
  };
}
