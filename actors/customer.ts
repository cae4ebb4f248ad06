import type { Behaviour, Out } from "../engine/behaviour.ts";
import type { CellValue } from "../engine/emission.ts";
import type { Values, Version } from "../engine/history.ts";
import { ActorId, keyOf } from "../engine/ids.ts";
import { numberOf, textOf } from "./cell.ts";
import { ALTERED_TIMER } from "./detectors/billing/altered.ts";
import {
  type CustomerWatch,
  customerWatch,
  followBalance,
  judgeBill,
  judgeShare,
  judgeSigns,
  judgeTotals,
  keepBill,
  settleBills,
} from "./detectors/customer/watch.ts";
import { dimensionInForce, rememberDimension } from "./dimension.ts";
import { regionActor } from "./grid_region.ts";
import type { CustomerDescribed, GridMessage } from "./message.ts";
import type { BillKeyed, Link } from "./tells.ts";

/** What is kept of a customer. */
export interface CustomerState {
  /** Business columns of the version that stands open; null before the master. */
  attributes: Values | null;
  /** Actors that have been told of links here, so that they learn when one is taken back. */
  told: readonly ActorId[];
  bills: number;
  billedPaise: number;
  /** Beginnings and ends of bills whose counterpart has not come, the latest few of each by transaction. Absent: none. */
  edges?: readonly BillKeyed[];
  /** What the detectors keep. Absent: nothing yet. */
  watch?: CustomerWatch;
}

const EDGES_MAX = 16;

/** A customer: the master of who is fed from where, and the owner of bills. */
export const customer: Behaviour<CustomerState, GridMessage> = {
  kind: "customer",
  version: 1,
  clocks: [],
  hasMaster: true,
  history: { untracked: ["outstanding_balance", "customer_name"], ignored: [], ignoreNulls: [] },
  initial: () => ({ attributes: null, told: [], bills: 0, billedPaise: 0 }),
  receive(state, message, out) {
    switch (message.type) {
      case "customer_described":
        return described(state, message, out);
      case "bill_changed":
        state.bills += message.change === "issued" ? 1 : message.change === "deleted" ? -1 : 0;
        state.billedPaise += message.changePaise;
        return judgeBill(watchOf(state), message, out);
      case "bill_keyed":
        return keyed(state, message, out);
      case "signs_changed":
        return judgeSigns(watchOf(state), message, out);
      case "gap_shared":
        return judgeShare(watchOf(state), message, out);
      case "meter_total":
        return judgeTotals(watchOf(state), message, out.versions(), out);
      case "woken":
        if (message.name === ALTERED_TIMER) settleBills(watchOf(state), message.dueMs, out);
        return;
    }
  },
  describe: (state) => ({
    status: textOf(state.attributes?.["account_status"]),
    attributes: { ...state.attributes, bills: state.bills, billed_paise: state.billedPaise, ...riskOf(state) },
    latest: null,
    rolling: null,
  }),
  inForce: (_state, id, atMs, versions) => dimensionInForce(id, versions(), atMs),
  links: (state) => linksOf(state),
};

function described(state: CustomerState, message: CustomerDescribed, out: Out<GridMessage>): void {
  const remembered = rememberDimension(message, "dim_customer_changes", { customer_id: keyOf(out.self) }, out);
  if (remembered === null) return;
  followBalance(watchOf(state), remembered.versions);
  if (remembered.changes.length === 0) return;
  const open = remembered.versions.findLast((version) => version.to === null);
  state.attributes = open?.values ?? null;
  tellLinks(state, remembered.versions, out);
}

function riskOf({ watch }: CustomerState): Record<string, CellValue> {
  return watch?.risk == null ? {} : { theft_risk: Math.round(watch.risk * 1_000) / 1_000 };
}

function watchOf(state: CustomerState): CustomerWatch {
  state.watch ??= customerWatch();
  return state.watch;
}

/** Every actor that is or was linked hears all its links to this customer: they replace what it was told before. */
function tellLinks(state: CustomerState, versions: readonly Version[], out: Out<GridMessage>): void {
  const links = versions.map((version) => linkOf(out.self, version));
  const linked = [...new Set(links.flatMap(({ meter, transformer }) => [meter, transformer]).filter((id) => id !== null))].sort();
  const unlinked = state.told.filter((id) => !linked.includes(id));
  for (const id of [...unlinked, ...linked]) {
    const own = links.filter(({ meter, transformer }) => meter === id || transformer === id);
    out.tell(id, { type: "links_changed", customer: out.self, links: own });
  }
  state.told = linked;
}

/** A bill that ends and one that begins with the same number in one transaction are one bill, whose key was changed. */
function keyed(state: CustomerState, told: BillKeyed, out: Out<GridMessage>): void {
  const edges = state.edges ?? [];
  const twin = edges.find((other) => other.startLsn === told.startLsn && other.billId === told.billId && other.edge !== told.edge);
  if (twin === undefined) {
    const alike = [...edges.filter(({ edge }) => edge === told.edge), told].sort((a, b) => (a.startLsn < b.startLsn ? -1 : 1));
    state.edges = [...edges.filter(({ edge }) => edge !== told.edge), ...alike.slice(-EDGES_MAX)];
    return;
  }
  state.edges = edges.filter((other) => other !== twin);
  keepBill(watchOf(state), told);
  const [ended, begun] = told.edge === "end" ? [told, twin] : [twin, told];
  if (ended.bill !== begun.bill) out.tell(ended.bill, { type: "bill_moved", to: begun.bill, startLsn: told.startLsn });
}

function linkOf(customerId: ActorId, { values, from, to }: Version): Link {
  const meter = textOf(values["meter_id"]);
  const transformer = textOf(values["transformer_id"]);
  return {
    customer: customerId,
    meter: meter === null ? null : ActorId("meter", meter),
    transformer: transformer === null ? null : ActorId("transformer", transformer),
    region: textOf(values["region"]),
    state: textOf(values["state"]),
    tariff: textOf(values["tariff_category"]),
    connection: textOf(values["connection_type"]),
    sanctionedLoadKw: numberOf(values["sanctioned_load_kw"]),
    accountStatus: textOf(values["account_status"]),
    from,
    to,
  };
}

function linksOf({ attributes }: CustomerState): Record<string, ActorId> {
  const meter = textOf(attributes?.["meter_id"]);
  const transformer = textOf(attributes?.["transformer_id"]);
  const region = regionActor(textOf(attributes?.["region"]));
  return {
    ...(meter === null ? {} : { meter: ActorId("meter", meter) }),
    ...(transformer === null ? {} : { transformer: ActorId("transformer", transformer) }),
    ...(region === null ? {} : { region }),
  };
}
