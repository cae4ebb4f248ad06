import type { Behaviour, Out, Woken } from "../engine/behaviour.ts";
import { hours } from "../engine/duration.ts";
import type { CellValue } from "../engine/emission.ts";
import { fault } from "../engine/fault.ts";
import { type Fact, type HistoryChange, type Values, type Version, versionAt } from "../engine/history.ts";
import { ActorId } from "../engine/ids.ts";
import { type BeforeImages, differing, expired, justBefore, NO_IMAGES, overtaken, pair, replaced, wait } from "./before_images.ts";
import { judgeImage } from "./bill_rules.ts";
import { numberOf, textOf } from "./cell.ts";
import { judgeTotal } from "./detectors/billing/total.ts";
import { identityOf, tellsCommand } from "./feeds/lsn.ts";
import { regionActor } from "./grid_region.ts";
import type { BillChange, GridMessage } from "./message.ts";
import type { BillStanding } from "./tells.ts";

/** What is kept of a bill beside its history. Positions are 50 hex digits. */
export interface BillState {
  /** Business columns of the version that stands or, once the bill is deleted, of the last one; null before the first image. */
  attributes: Record<string, CellValue> | null;
  /** Where it was deleted; null: it stands, or was never there. */
  deletedAt: string | null;
  /** The bill that it became when its key was changed, and in which transaction. */
  moved: { readonly to: ActorId; readonly startLsn: string } | null;
  images: BeforeImages;
  /** The last change that took over no value from what stood before it. */
  confirmedAt: string | null;
  /** The last update that did not find what it replaced: a change was lost before it. */
  suspectAt: string | null;
  /** When what a transaction says of the bill can be judged: all of the transaction has been seen. Epoch ms, null: it has been. */
  settlesAtMs: number | null;
}

const SNAPSHOT = 0;
const DELETE = 1;
const INSERT = 2;
const BEFORE_IMAGE = 3;
const AFTER_IMAGE = 4;
const LSN_CHARS = 20;
const WAITS_MS = hours(24);
const SETTLE = "settle";
const ORPHANS = "orphans";

/** A billing transaction, owner of its whole CDC timeline, whoever's bill it becomes. */
export const bill: Behaviour<BillState, GridMessage> = {
  kind: "bill",
  version: 2,
  clocks: ["billing"],
  toldBy: "billing",
  history: { untracked: [], ignored: [], ignoreNulls: [], transactionChars: LSN_CHARS, placeOf: identityOf },
  initial: () => ({
    attributes: null,
    deletedAt: null,
    moved: null,
    images: NO_IMAGES,
    confirmedAt: null,
    suspectAt: null,
    settlesAtMs: null,
  }),
  receive(state, message, out) {
    switch (message.type) {
      case "bill_change":
        return message.operation === BEFORE_IMAGE ? before(state, message, out) : changed(state, message, out);
      case "bill_moved":
        if (message.startLsn > (state.moved?.startLsn ?? "")) state.moved = { to: message.to, startLsn: message.startLsn };
        return;
      case "woken":
        return message.name === SETTLE ? settle(state, out) : giveUp(state, message, out);
    }
  },
  describe: (state, _, lostBefore) => ({
    status: state.deletedAt === null ? textOf(state.attributes?.["payment_status"]) : "DELETED",
    attributes: { ...state.attributes, ...marksOf(state, lostBefore) },
    latest: null,
    rolling: null,
  }),
  links: (state) => linksOf(state),
};

/** What is to be said of a bill beside its columns. */
function marksOf({ deletedAt, moved, suspectAt, confirmedAt }: BillState, lostBefore: string | null): Record<string, CellValue> {
  const isMoved = moved !== null && deletedAt?.startsWith(moved.startLsn) === true;
  const confirmed = confirmedAt ?? "";
  const isSuspect = (suspectAt !== null && confirmed <= suspectAt) || (lostBefore !== null && confirmed < lostBefore);
  return {
    ...(deletedAt === null ? {} : { deleted: true }),
    ...(isMoved ? { moved_to: moved.to } : {}),
    ...(isSuspect ? { suspect: true } : {}),
  };
}

// Before images -------------------------------------------------------------------------------------------------------------------------

/** A before image is never state: it says what its after image replaces, and waits for it. */
function before(state: BillState, message: BillChange, out: Out<GridMessage>): void {
  const { images } = state;
  const taker = takerOf(message, out);
  const position = taker?.from ?? afterOf(message.position);
  if (images.pending.some((image) => image.position === position)) return out.duplicate();
  if (taker === null) {
    state.images = wait(images, { position, values: message.values, atMs: message.atMs, record: out.held() });
    out.wakeAt(ORPHANS, Math.min(...state.images.pending.map(({ atMs }) => atMs)) + WAITS_MS);
    return overtake(state, state.images, message.position, out);
  }
  if (!images.bare.includes(position)) return out.duplicate();
  state.images = pair(images, position, message.values);
  compare(state, position, message.atMs, out);
}

/** The after image of this before image, if it came first. */
function takerOf({ position }: BillChange, out: Out<GridMessage>): Fact | null {
  const identity = identityOf(afterOf(position));
  return out.facts(position.slice(0, LSN_CHARS)).find(({ from }) => identityOf(from) === identity) ?? null;
}

function afterOf(position: string): string {
  return `${position.slice(0, -2)}0${AFTER_IMAGE}`;
}

/** Of the before images that wait, those behind which a change has come at `position` wait in vain. */
function overtake(state: BillState, images: BeforeImages, position: string, out: Out<GridMessage>): void {
  const waited = state.images.pending.length > 0;
  give(state, overtaken(images, position), out);
  if (waited && state.images.pending.length === 0) out.wakeAt(ORPHANS, null);
}

function give(state: BillState, { images, orphans }: ReturnType<typeof overtaken>, out: Out<GridMessage>): void {
  state.images = images;
  for (const { record } of orphans) out.reject(record, fault("orphan_before", "the after image of this before image never came"));
}

/** A day is over for the before images that have waited longest. */
function giveUp(state: BillState, { dueMs }: Woken, out: Out<GridMessage>): void {
  give(state, expired(state.images, dueMs - WAITS_MS), out);
  const { pending } = state.images;
  if (pending.length > 0) out.wakeAt(ORPHANS, Math.min(...pending.map(({ atMs }) => atMs)) + WAITS_MS);
}

/**
 * Compares before images with what stood before them, now that a change has come at `position`: at once for who asks, for the record when the
 * transaction has been seen whole.
 */
function compare(state: BillState, position: string, atMs: number, out: Out<GridMessage>): void {
  const { images } = state;
  if (images.paired.length === 0) return;
  state.suspectAt = differing(images, out.versions()).at(-1)?.position ?? null;
  if (!images.paired.some((image) => !image.noted && image.position >= position)) return;
  state.settlesAtMs = Math.max(state.settlesAtMs ?? atMs, atMs);
  out.wakeAt(SETTLE, state.settlesAtMs);
}

function settle(state: BillState, out: Out<GridMessage>): void {
  const lost = differing(state.images, out.versions()).filter(({ noted }) => !noted);
  for (const _ of lost) out.note("before_differs");
  const paired = state.images.paired.map((image) => (lost.includes(image) ? { ...image, noted: true } : image));
  state.images = { ...state.images, paired };
  state.settlesAtMs = null;
}

// Changes -------------------------------------------------------------------------------------------------------------------------------

function changed(state: BillState, message: BillChange, out: Out<GridMessage>): void {
  const told = factOf(message);
  const siblings = out.facts(message.startLsn);
  const same = siblings.filter(({ from }) => identityOf(from) === identityOf(message.position));
  if (same.some((other) => says(other, told))) return out.duplicate();
  const earlier = out.versions();
  const { versions } = out.remember(told);
  become(state, versions);
  tellCustomers(message, openOf(earlier), openOf(versions), out);
  const position = placed(message.position, same);
  state.images = replaced(state.images, position);
  if (same.length > 0 && agree(same[0], told)) return out.duplicate();
  // A snapshot replaces what was believed there until now, every other change what stands before it.
  const stood = message.operation === SNAPSHOT ? versionAt(earlier, position) : versionAt(versions, justBefore(position));
  const image = imageFor(state, message);
  noteOddities(message, { siblings, same, stood, image }, out);
  if (same.length === 0) tellKeyed(message, out);
  overtake(state, message.operation === AFTER_IMAGE ? pair(state.images, position, image) : state.images, position, out);
  compare(state, position, message.atMs, out);
  confirm(state, message, stood, out);
  out.curate("billing_changes", columnsOf(message, image ?? stood?.values ?? null));
}

/** What a change does to what the bill is known to be, and what the rules say of it. */
function confirm(state: BillState, message: BillChange, stood: Version | null, out: Out<GridMessage>): void {
  const { operation, position, authored, values } = message;
  if (operation === DELETE) return;
  const inherits = Object.keys(values).some((column) => !authored.includes(column) && (stood?.values[column] ?? null) !== null);
  if (!inherits && position > (state.confirmedAt ?? "")) state.confirmedAt = position;
  if (operation === SNAPSHOT) return;
  judgeImage(message, out);
  judgeTotal(message, out);
}

/** What an after image replaces, as far as it is known: it came with it, or before it. */
function imageFor({ images }: BillState, { operation, position, before: brought }: BillChange): Values | null {
  if (operation !== AFTER_IMAGE) return null;
  return brought ?? images.pending.find((image) => identityOf(image.position) === identityOf(position))?.values ?? null;
}

/** The bill is what its history says now. */
function become(state: BillState, versions: readonly Version[]): void {
  const last = versions.at(-1);
  state.attributes = last === undefined ? null : { ...last.values };
  state.deletedAt = last?.to ?? null;
}

function factOf({ position, operation, values, authored, serial, atMs }: BillChange): HistoryChange {
  if (operation === SNAPSHOT) {
    // Without an LSN all snapshots stand at one position, before every change: then the time at which it was taken decides.
    return { from: position, kind: "upsert", rank: { publication: atMs, precedence: 0, generation: serial }, values, authored, atMs };
  }
  const rank = { publication: 0, precedence: 2, generation: serial };
  if (operation === DELETE) return { from: position, kind: "delete", rank, values: {}, authored: null, atMs };
  return { from: position, kind: "upsert", rank, values, authored, atMs };
}

/**
 * Whether a fact says all that the change says: which command made it, too. A later snapshot may say again what an earlier one said and one
 * between did not.
 */
function says(fact: Fact, change: HistoryChange): boolean {
  if (tellsCommand(change.from) && !tellsCommand(fact.from)) return false;
  const isSpoken = (column: string): boolean => Object.hasOwn(fact.values, column);
  return agree(fact, change) && (change.authored ?? []).every(isSpoken) && fact.rank.publication >= change.rank.publication;
}

/** Where a change stands whose other accounts are known: the one that tells the command counts. */
function placed(position: string, same: readonly Fact[]): string {
  return [position, ...same.map(({ from }) => from)].sort().at(-1) ?? position;
}

/** Whether two accounts of one change differ in nothing that both speak about. */
function agree(fact: Fact | undefined, { kind, values, authored }: HistoryChange): boolean {
  if (fact?.kind !== kind) return false;
  return (authored ?? []).every((column) => !Object.hasOwn(fact.values, column) || fact.values[column] === (values[column] ?? null));
}

/** Whether another account of a change claims the same rank: two serial numbers say which of the two is the later one. */
function isRival(serial: number): (fact: Fact) => boolean {
  return ({ rank }) => serial === 0 || rank.generation === 0 || rank.generation === serial;
}

/** What was known when a change came. */
interface Surroundings {
  /** Facts of its transaction, and those of them that are accounts of this very change. */
  readonly siblings: readonly Fact[];
  readonly same: readonly Fact[];
  /** The version that stood before it, and what it says that it replaces. */
  readonly stood: Version | null;
  readonly image: Values | null;
}

function noteOddities(
  { operation, position, serial }: BillChange,
  { siblings, same, stood, image }: Surroundings,
  out: Out<GridMessage>,
): void {
  const others = siblings.filter((fact) => !same.includes(fact));
  // Some changes of a transaction tell their command, others do not: their order is not certain. Said once for each side.
  if (others.length > 0 && others.every(({ from }) => tellsCommand(from) !== tellsCommand(position))) out.note("mixed_command_id");
  if (same.length > 0) return operation !== SNAPSHOT && same.some(isRival(serial)) ? out.note("conflict") : undefined;
  const isDeferred = others.some(({ kind, from }) => kind === "delete" && from < position); // An update, as deletion and insert.
  if (operation === DELETE && stood === null) out.note("unknown_delete");
  if (operation === INSERT && stood !== null && !isDeferred) out.note("unexpected_insert");
  if (operation !== AFTER_IMAGE) return;
  if (stood === null) out.note("missing_after_base");
  if (image === null) out.note("missing_before");
}

/** The customer joins the end of one bill and the beginning of another of the same number in one transaction: the key was changed. */
function tellKeyed({ operation, startLsn, customerId, values }: BillChange, out: Out<GridMessage>): void {
  const billId = textOf(values["bill_id"]);
  if (billId === null || (operation !== DELETE && operation !== INSERT)) return;
  out.tell(ActorId("customer", customerId), {
    type: "bill_keyed",
    bill: out.self,
    billId,
    startLsn,
    edge: operation === DELETE ? "end" : "beginning",
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
function tellCustomers({ atMs, startLsn }: BillChange, earlier: Version | null, later: Version | null, out: Out<GridMessage>): void {
  const [from, to] = [customerOf(earlier), customerOf(later)];
  const [fromPaise, toPaise] = [totalOf(earlier), totalOf(later)];
  const told = { type: "bill_changed" as const, bill: out.self, atMs, startLsn, leftShare: null };
  const [was, is] = [standingOf(earlier), standingOf(later)];
  if (from !== null && from === to) {
    return out.tell(from, { ...told, change: "changed", changePaise: toPaise - fromPaise, stands: is, leftShare: leftOf(earlier, later) });
  }
  if (from !== null) out.tell(from, { ...told, change: "deleted", changePaise: -fromPaise, stands: was });
  if (to !== null) out.tell(to, { ...told, change: "issued", changePaise: toPaise, stands: is });
}

function openOf(versions: readonly Version[]): Version | null {
  return versions.findLast((version) => version.to === null) ?? null;
}

function customerOf(version: Version | null): ActorId | null {
  const id = textOf(version?.values["customer_id"]);
  return id === null ? null : ActorId("customer", id);
}

/** What a customer reads of a version. */
function standingOf(version: Version | null): BillStanding {
  const values = version?.values ?? {};
  const meter = textOf(values["meter_id"]);
  return {
    billId: textOf(values["bill_id"]),
    meter: meter === null ? null : ActorId("meter", meter),
    unitsWh: numberOf(values["units_consumed_kwh"]),
    periodStart: textOf(values["billing_period_start"]),
    periodEnd: textOf(values["billing_period_end"]),
    isPaid: values["payment_status"] === "PAID",
  };
}

/** What a change leaves of units or base, the smaller share of both. */
function leftOf(earlier: Version | null, later: Version | null): number | null {
  const shares = ["units_consumed_kwh", "base_amount"].flatMap((column) => {
    const [was, is] = [numberOf(earlier?.values[column]), numberOf(later?.values[column])];
    return was === null || is === null || was <= 0 ? [] : [is / was];
  });
  return shares.length === 0 ? null : Math.min(...shares);
}

function totalOf(version: Version | null): number {
  return numberOf(version?.values["total_amount"]) ?? 0;
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
