import type { Behaviour, Out } from "../engine/behaviour.ts";
import type { CellValue } from "../engine/emission.ts";
import type { HistoryChange, Values, Version } from "../engine/history.ts";
import { ActorId } from "../engine/ids.ts";
import { numberOf, textOf } from "./cell.ts";
import { regionActor } from "./grid_region.ts";
import type { BillChange, GridMessage } from "./message.ts";
import { limitsOf } from "./rules.ts";

/** What is kept of a bill beside its history. */
export interface BillState {
  /** Business columns of the version that stands; null once deleted, or before the first image. */
  attributes: Record<string, CellValue> | null;
  /** Before images by transaction and sequence, the latest few: an after image takes its amounts from here. */
  befores: Record<string, Values>;
}

const BEFORES_MAX = 16;
const DELETE = 1;
const INSERT = 2;
const BEFORE_IMAGE = 3;

/** A billing transaction, owner of its whole CDC timeline, whoever's bill it becomes. */
export const bill: Behaviour<BillState, GridMessage> = {
  kind: "bill",
  version: 1,
  clocks: ["billing"],
  history: { untracked: [], ignored: [], ignoreNulls: [], transactionChars: 20 },
  initial: () => ({ attributes: null, befores: {} }),
  receive(state, message, out) {
    if (message.type !== "bill_change") return;
    if (message.operation === BEFORE_IMAGE) return before(state, message, out);
    return changed(state, message, out);
  },
  describe: (state) => ({
    status: textOf(state.attributes?.["payment_status"]),
    attributes: { ...state.attributes },
    latest: null,
    rolling: null,
  }),
  links: (state) => linksOf(state),
};

/** A before image is never state: it says what its after image replaces. */
function before(state: BillState, message: BillChange, out: Out<GridMessage>): void {
  const pair = pairOf(message);
  if (state.befores[pair] !== undefined) return out.duplicate();
  state.befores[pair] = message.values;
  const known = Object.keys(state.befores);
  if (known.length > BEFORES_MAX) delete state.befores[known[0] ?? ""];
}

function changed(state: BillState, message: BillChange, out: Out<GridMessage>): void {
  const earlier = openOf(out.versions());
  const remembered = out.remember(factOf(message));
  if (remembered.duplicate) return out.duplicate();
  if (remembered.tie) out.note("conflict");
  const image = state.befores[pairOf(message)] ?? null;
  noteOddities(message, earlier, image, out);
  const later = openOf(remembered.versions);
  state.attributes = later === null ? null : { ...later.values };
  if (message.operation !== DELETE) {
    judgeAmount(message, out);
    judgePrice(message, out);
  }
  out.curate("billing_changes", columnsOf(message, image ?? earlier?.values ?? null));
  tellCustomers(message, earlier, later, out);
}

function factOf({ position, operation, values, authored, atMs }: BillChange): HistoryChange {
  const rank = { publication: 0, precedence: 2, generation: 0 };
  if (operation === DELETE) return { from: position, kind: "delete", rank, values: {}, authored: null, atMs };
  return { from: position, kind: "upsert", rank, values, authored, atMs };
}

function noteOddities({ operation }: BillChange, earlier: Version | null, image: Values | null, out: Out<GridMessage>): void {
  if (operation === DELETE) {
    if (earlier === null) out.note("unknown_delete");
    return;
  }
  if (operation === INSERT) {
    if (earlier !== null) out.note("unexpected_insert");
    return;
  }
  if (earlier === null) out.note("missing_after_base");
  if (image === null) out.note("missing_before");
  else if (earlier !== null && differs(image, earlier.values)) out.note("before_differs");
}

/** Non-null columns of a before image against the version that it claims to be. */
function differs(image: Values, values: Values): boolean {
  return Object.entries(image).some(([column, value]) => value !== null && (values[column] ?? null) !== value);
}

function judgeAmount({ basePaise, unitsWh, atMs }: BillChange, out: Out<GridMessage>): void {
  const { lowestPaise, limitPaise, majorUnitsKwh } = limitsOf(out, "billing.tiny_amount");
  if (basePaise === null || basePaise < lowestPaise || basePaise > limitPaise) return;
  const severity = unitsWh !== null && unitsWh > majorUnitsKwh * 1_000 ? "major" : "info";
  out.observe("billing.tiny_amount", { holds: true, atMs, value: basePaise / 100, limit: limitPaise / 100, severity });
}

/** Base against units x rate, in exact paise. The guide's own sample is 1.00 rupee off, so a difference must be large both ways. */
function judgePrice({ basePaise, unitsWh, ratePer10000, atMs }: BillChange, out: Out<GridMessage>): void {
  if (basePaise === null || unitsWh === null || ratePer10000 === null) return;
  const expectedPaise = Number((BigInt(unitsWh) * BigInt(ratePer10000) + 50_000n) / 100_000n);
  if (expectedPaise <= 0) return;
  const { toleranceShare, toleranceDifferencePaise, majorRatio } = limitsOf(out, "billing.unit_price");
  const ratio = basePaise / expectedPaise;
  const isFar =
    Math.abs(basePaise - expectedPaise) > toleranceShare * expectedPaise && Math.abs(basePaise - expectedPaise) > toleranceDifferencePaise;
  if (!isFar) return;
  const severity = ratio < majorRatio ? "major" : "warning";
  out.observe("billing.unit_price", {
    holds: true,
    atMs,
    value: Math.round(ratio * 10_000) / 10_000,
    limit: 1 - toleranceShare,
    clear: 1,
    severity,
  });
}

const AMOUNTS = ["base_amount", "tax_amount", "total_amount"] as const;

function columnsOf({ position, values }: BillChange, earlier: Values | null): Record<string, CellValue> {
  const columns: Record<string, CellValue> = { position };
  const names = earlier === null ? [] : Object.keys(values).filter((name) => (values[name] ?? null) !== (earlier[name] ?? null));
  columns["changed_columns"] = names.length === 0 ? null : names.join(",");
  for (const amount of AMOUNTS) {
    const paise = amount.replace("_amount", "_paise");
    columns[paise] = numberOf(values[amount]);
    columns[`before_${amount}`] = numberOf(earlier?.[amount]);
    columns[`before_${paise}`] = numberOf(earlier?.[amount]);
  }
  return columns;
}

/** The customer's count and total follow the bill, also when the bill becomes somebody else's. */
function tellCustomers({ atMs }: BillChange, earlier: Version | null, later: Version | null, out: Out<GridMessage>): void {
  const [from, to] = [customerOf(earlier), customerOf(later)];
  const [fromPaise, toPaise] = [totalOf(earlier), totalOf(later)];
  const told = { type: "bill_changed" as const, bill: out.self, atMs };
  if (from !== null && from === to) return out.tell(from, { ...told, change: "changed", changePaise: toPaise - fromPaise });
  if (from !== null) out.tell(from, { ...told, change: "deleted", changePaise: -fromPaise });
  if (to !== null) out.tell(to, { ...told, change: "issued", changePaise: toPaise });
}

function openOf(versions: readonly Version[]): Version | null {
  return versions.findLast((version) => version.to === null) ?? null;
}

function customerOf(version: Version | null): ActorId | null {
  const id = textOf(version?.values["customer_id"]);
  return id === null ? null : ActorId("customer", id);
}

function totalOf(version: Version | null): number {
  return numberOf(version?.values["total_amount"]) ?? 0;
}

function pairOf({ startLsn, seqval }: BillChange): string {
  return startLsn + seqval;
}

function linksOf({ attributes }: BillState): Record<string, ActorId> {
  const customer = textOf(attributes?.["customer_id"]);
  const meter = textOf(attributes?.["meter_id"]);
  const region = regionActor(textOf(attributes?.["region"]));
  return {
    ...(customer === null ? {} : { customer: ActorId("customer", customer) }),
    ...(meter === null ? {} : { meter: ActorId("meter", meter) }),
    ...(region === null ? {} : { region }),
  };
}
