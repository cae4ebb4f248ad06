import type { Seeded } from "./seeded.ts";

/** A row of change data capture, as SQL Server writes it. Amounts are numbers of at most their column's places. */
export type ChangeRow = Readonly<Record<string, unknown>>;

/** Rows in the order of the log, and what they leave: transaction_id -> columns of the bill, as the table has them (null: deleted). */
export interface BillLives {
  readonly rows: readonly ChangeRow[];
  readonly left: ReadonlyMap<string, ChangeRow | null>;
}

interface Step {
  readonly operation: number;
  readonly image: ChangeRow;
}

const START_MS = Date.UTC(2025, 5, 15, 12);
const STATUSES = ["PENDING", "PAID", "OVERDUE"];

/**
 * Random lives of bills: inserts, updates, deletions, inserts again, updates written as deletion and insert, and changes of the key. `sparse`:
 * of an update, columns that did not change are null now and then, and the mask says so. `commands`: rows tell their command.
 */
export function billLives(
  random: Seeded,
  {
    transactions = 30,
    keys = 6,
    sparse = false,
    commands = true,
  }: { transactions?: number; keys?: number; sparse?: boolean; commands?: boolean } = {},
): BillLives {
  const left = new Map<string, ChangeRow | null>();
  const rows: ChangeRow[] = [];
  for (let n = 0; n < transactions; n += 1) {
    const key = `TXN-${String(1 + random.below(keys)).padStart(8, "0")}`;
    const steps = stepsOf(random, key, left, `TXN-${String(1_000 + n).padStart(8, "0")}`);
    let sequence = 0;
    for (const [nth, { operation, image }] of steps.entries()) {
      if (operation !== 4) sequence += 1;
      const before = operation === 4 ? (steps[nth - 1] as Step).image : null;
      const cdc = {
        __$operation: operation,
        __$start_lsn: `0x${(0xa000 + 16 * n).toString(16).toUpperCase()}`,
        __$seqval: `0x${(0xb000 + 16 * n + sequence).toString(16)}`,
        __$update_mask: "0x00",
        __$command_id: commands ? sequence : null,
        cdc_timestamp: new Date(START_MS + 60_000 * n).toISOString(),
      };
      rows.push({ ...cdc, ...(sparse && before !== null ? thinned(random, before, image) : image) });
      if (operation !== 3) left.set(String(image["transaction_id"]), operation === 1 ? null : image);
    }
  }
  return { rows, left };
}

function stepsOf(random: Seeded, key: string, left: ReadonlyMap<string, ChangeRow | null>, fresh: string): readonly Step[] {
  const stands = left.get(key) ?? null;
  if (stands === null) return [{ operation: 2, image: created(random, key) }];
  const after = updated(random, stands);
  switch (random.below(8)) {
    case 0:
      return [{ operation: 1, image: stands }];
    case 1:
      return [
        { operation: 1, image: stands },
        { operation: 2, image: after },
      ];
    case 2:
      return [
        { operation: 1, image: stands },
        { operation: 2, image: { ...after, transaction_id: fresh } },
      ];
    default:
      return [
        { operation: 3, image: stands },
        { operation: 4, image: after },
      ];
  }
}

const COLUMNS = [
  "transaction_id",
  "bill_id",
  "customer_id",
  "meter_id",
  "billing_period_start",
  "billing_period_end",
  "units_consumed_kwh",
  "rate_per_kwh",
  "base_amount",
  "tax_amount",
  "total_amount",
  "payment_status",
  "payment_method",
  "due_date",
  "region",
  "state",
  "fraud_flag",
];

function created(random: Seeded, key: string): ChangeRow {
  const base = 10_000 + random.below(1_000_000);
  return {
    transaction_id: key,
    bill_id: `BILL-${key.slice(4)}`,
    customer_id: `CUST-00000${1 + random.below(3)}`,
    meter_id: "SM-N-00042",
    billing_period_start: "2025-05-01",
    billing_period_end: "2025-05-31",
    units_consumed_kwh: (base + random.below(9)) / 1_000,
    rate_per_kwh: 6.5,
    base_amount: base / 100,
    tax_amount: Math.round(base * 0.18) / 100,
    total_amount: (base + Math.round(base * 0.18)) / 100,
    payment_status: "PENDING",
    payment_method: null,
    due_date: "2025-07-01",
    region: "NORTH",
    state: "Delhi",
    fraud_flag: false,
  };
}

function updated(random: Seeded, bill: ChangeRow): ChangeRow {
  const status = random.pick(STATUSES);
  const total = random.chance(30) ? random.below(1_000_000) / 100 : bill["total_amount"];
  const customer = random.chance(15) ? `CUST-00000${1 + random.below(3)}` : bill["customer_id"];
  return { ...bill, payment_status: status, payment_method: status === "PAID" ? "UPI" : null, total_amount: total, customer_id: customer };
}

/** What did not change may come as null, as large values do; the mask tells which bits are meant. */
function thinned(random: Seeded, before: ChangeRow, after: ChangeRow): ChangeRow {
  const changed = COLUMNS.filter((name) => before[name] !== after[name]);
  if (changed.length === 0) return after;
  const bits = changed.reduce((mask, name) => mask + 2 ** COLUMNS.indexOf(name), 0);
  const thin = ["state", "region", "due_date"].filter((name) => !changed.includes(name) && random.chance(50));
  return { ...after, ...Object.fromEntries(thin.map((name) => [name, null])), __$update_mask: `0x${bits.toString(16).padStart(6, "0")}` };
}
