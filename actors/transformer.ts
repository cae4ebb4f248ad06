import type { AlertTurn, Behaviour, Out } from "../engine/behaviour.ts";
import { hours } from "../engine/duration.ts";
import type { CellValue } from "../engine/emission.ts";
import { type Values, type Version, versionAt } from "../engine/history.ts";
import { ActorId, keyOf } from "../engine/ids.ts";
import { dayOf } from "../engine/instant.ts";
import { numberOf, textOf } from "./cell.ts";
import { civilDate, gridDayOf, gridDayStartMs } from "./civil_day.ts";
import { type Claimed, claimOn, dropClaim, takeClaim } from "./claims.ts";
import {
  childBack,
  childQuiet,
  GATHER_TIMER,
  judgeGathered,
  type QuietGroup,
  quietGroup,
  SERVE_TIMER,
  type SilenceCause,
  type SilentParent,
  serveChildren,
  serveLater,
  silenceJudged,
} from "./detectors/group/children_silent.ts";
import { type Alarms, alarms, childAlerted, tellAlert } from "./detectors/group/common_cause.ts";
import { judgeAlarm } from "./detectors/transformer/alarm_code.ts";
import {
  balanceAgain,
  balanceDay,
  type Delivered,
  dayToSettle,
  delivered,
  type EnergyBook,
  energyBook,
  holdEnvelopes,
  measurePower,
  readyDays,
  type SettledDay,
  takeMeterDay,
  voltageDays,
} from "./detectors/transformer/energy_book.ts";
import { judgeCorrection, judgeGap } from "./detectors/transformer/energy_gap.ts";
import { judgeLoadField } from "./detectors/transformer/load_field.ts";
import { judgeOverdue, type Order, OVERDUE_TIMER } from "./detectors/transformer/overdue.ts";
import { judgeOverheating } from "./detectors/transformer/overheating.ts";
import { unpackMeters } from "./detectors/transformer/packed_meters.ts";
import { judgeFailures } from "./detectors/transformer/repeated_failures.ts";
import { tellSegments } from "./detectors/transformer/segments.ts";
import { judgeVoltages } from "./detectors/transformer/sibling_voltage.ts";
import type { Twinned } from "./detectors/transformer/thermal_residual.ts";
import { failuresOf, judgeSample, type Known, type Watch, watch } from "./detectors/transformer/watch.ts";
import { dimensionInForce, rememberDimension } from "./dimension.ts";
import { regionActor, regionOf } from "./grid_region.ts";
import type { GridMessage, MaintenanceLogged, TelemetryMeasured, TransformerDescribed } from "./message.ts";
import { limitsOf } from "./rules.ts";
import type { LinksChanged, MeterDay } from "./tells.ts";

/** A maintenance log as it is known now. */
interface Log extends Order {
  readonly hash: string;
  readonly path: string | null;
  readonly revision: number;
  readonly failure: boolean;
  /** Hashes of the latest contents that it does not have any more, or never had: they may come again, too. */
  readonly others: readonly string[];
}

/** What is kept of a transformer. */
export interface TransformerState extends Claimed, Twinned {
  /** Business columns of the version that stands open; null before the master. */
  attributes: Values | null;
  substation: ActorId | null;
  /** Customer -> its links here: meter and civil dates [from, to). */
  customers: Record<string, readonly (readonly [meter: ActorId | null, from: string, to: string | null])[]>;
  latest: Record<string, CellValue> | null;
  /** `device <id>` -> its last sequence number. */
  devices: Record<string, number>;
  /** The latest logs, by `log <log_id>`, in order of arrival. */
  logs: Record<string, Log>;
  failures: number;
  /** What the detectors keep. Absent: there has been no telemetry. */
  watch?: Watch;
  /** Civil date -> energy of its meters by hour, in Wh, for the latest days of which any has told. Absent: none has. */
  metered?: Record<string, readonly number[]>;
  /** Meters that are silent, and alerts of meters. Absent: there were none. */
  quiet?: QuietGroup;
  alarms?: Alarms;
  /** It was under maintenance at its latest sample. */
  isMaintained?: true;
  /** Its own energy. Absent: there has been no load. */
  delivered?: Delivered;
  /** What the energy balance keeps of the meters. Absent: none has told of a day. */
  book?: EnergyBook;
}

const DEVICES_MAX = 8;
/** Older logs are still counted, but no longer recognised when they come again. */
const LOGS_MAX = 200;
const OTHERS_MAX = 8;
const METERED_DAYS = 3;
/** Of more meters the days do not fit a state: what the others use is not covered, and where that is much the balance says so and nothing else. */
const BOOKED_METERS_MAX = 256;
/** Days above the limit that late readings may still change; meters keep no older hours. */
const SETTLED_DAYS = 3;
const BALANCE_TIMER = "balance";
const LARGE = ["attributes", "customers", "logs", "metered", "book", "twin"] as const satisfies readonly (keyof TransformerState)[];

/** A power transformer: oil against ambient, alarms of its own, its master data and its repairs. */
export const transformer: Behaviour<TransformerState, GridMessage> = {
  kind: "transformer",
  version: 2,
  clocks: ["substation_telemetry", "maintenance"],
  hasMaster: true,
  large: LARGE,
  history: { untracked: [], ignored: [], ignoreNulls: [] },
  initial: () => ({ attributes: null, substation: null, customers: {}, latest: null, devices: {}, logs: {}, failures: 0 }),
  receive(state, message, out) {
    switch (message.type) {
      case "telemetry_measured":
        return measured(state, message, out);
      case "transformer_described":
        return described(state, message, out);
      case "links_changed":
        return linked(state, message, out);
      case "meter_day":
        return metered(state, message, out);
      case "ambient_shared":
        state.watch ??= watch();
        state.watch.heard = [message.atMs, message.ambientC];
        return;
      case "maintenance_logged":
        return logged(state, message, out);
      case "child_quiet":
        state.quiet ??= quietGroup();
        return childQuiet(state.quiet, message, silentParent(state, out), out);
      case "child_back":
        if (state.quiet !== undefined) childBack(state.quiet, message, silentParent(state, out), out);
        return;
      case "silence_judged":
        if (state.quiet !== undefined) silenceJudged(state.quiet, silentParent(state, out), message.atMs, out);
        return;
      case "child_alerted":
        state.alarms ??= alarms();
        return childAlerted(state.alarms, message, { rule: "transformer.common_cause", children: metersOf(state).size }, out);
      case "alerts_claimed":
        takeClaim(state, message, out);
        if (state.quiet !== undefined) serveLater(message.atMs, out);
        return;
      case "alerts_released":
        dropClaim(state, message, out);
        if (state.quiet !== undefined) serveLater(message.atMs, out);
        return;
      case "woken":
        if (message.name === GATHER_TIMER && state.quiet !== undefined) judgeGathered(state.quiet, silentParent(state, out), message, out);
        if (message.name === SERVE_TIMER && state.quiet !== undefined)
          serveChildren(state.quiet, silentParent(state, out), message.dueMs, out);
        if (message.name === OVERDUE_TIMER) judgeOverdue(Object.values(state.logs), message.dueMs, out);
        if (message.name === BALANCE_TIMER && state.book !== undefined) metersAreDue(state, out);
        return;
    }
  },
  describe: (state, id) => ({
    status: textOf(state.attributes?.["status"]),
    attributes: {
      region: regionOf(id),
      ...state.attributes,
      failures: state.failures,
      customers: Object.keys(state.customers).length,
      ...latestMetered(state),
    },
    latest: state.latest,
    rolling: null,
  }),
  inForce: (_state, id, atMs, versions) => dimensionInForce(id, versions(), atMs),
  links: (state, id) => linksOf(state, id),
  coveredBy: (state, alert, versions) => maintenanceOf(alert, versions) ?? claimOn(state, alert),
  alerted: (state, alert, out) => tellAlert(alert, state.substation, linksOf(state, out.self)["region"] ?? null, out),
};

// Telemetry -----------------------------------------------------------------------------------------------------------------------------

function measured(state: TransformerState, message: TelemetryMeasured, out: Out<GridMessage>): void {
  const { atMs, loadMw, breakerStatus } = message;
  const { capacityMw, source } = capacityOf(message, out);
  const usedPercent = loadMw === null || capacityMw === null ? null : round2((100 * loadMw) / capacityMw);
  if (usedPercent !== null && message.loadPercent !== null && Math.abs(usedPercent - message.loadPercent) > 1)
    out.note("recomputed_differs");
  const load = loadMw === null || capacityMw === null ? null : loadMw / capacityMw;
  const sample = { ...message, ratedMw: capacityMw, load };
  judgeOverheating(message, out);
  judgeAlarm(message, out);
  judgeLoadField(sample, out);
  out.curate("transformer_telemetry", { load_pct_used: usedPercent, capacity_source: source, conflict: out.conflict });
  judgeLink(state, message, out);
  if (out.late || out.conflict) return;
  followSequence(state, message, out);
  out.tell(ActorId("substation", message.substationId), {
    type: "telemetry_reported",
    transformer: out.self,
    atMs,
    loadMw,
    capacityMw,
    breakerStatus,
    alarmCode: message.alarmCode,
    voltageKv: message.voltageKv,
    oilC: message.oilC,
    ambientC: message.ambientC,
    humidityPercent: message.humidityPercent,
    deviceId: message.deviceId,
    sequenceNumber: message.sequenceNumber,
    enqueuedAtMs: message.enqueuedAtMs,
  });
  if (atMs < (numberOf(state.latest?.["eventTime"]) ?? atMs)) return; // Out of order: the newest by event time stays.
  state.watch ??= watch();
  const known = knownOf(state, atMs, out);
  followMaintenance(state, known.status === MAINTAINED, atMs, out);
  judgeSample(state.watch, state, sample, known, out);
  if (loadMw !== null) deliver(state, atMs, loadMw, out);
  state.latest = {
    eventTime: atMs,
    eventId: message.eventId,
    load_mw: loadMw,
    load_percentage: usedPercent,
    oil_temperature_c: message.oilC,
    ambient_temperature_c: message.ambientC,
    dissolved_gas_ppm: message.gasPpm,
    breaker_status: breakerStatus,
  };
}

/** The record's own rating; where it has none, the master's as of the event time. */
function capacityOf({ capacityMw, atMs }: TelemetryMeasured, out: Out<GridMessage>): { capacityMw: number | null; source: string | null } {
  if (capacityMw !== null && capacityMw > 0) return { capacityMw, source: "record" };
  const rated = numberOf(versionAt(out.versions(), civilDate(atMs))?.values["capacity_mw"]);
  return { capacityMw: rated, source: rated === null ? null : "master" };
}

/** What the master says for the day, and the repairs. */
function knownOf(state: TransformerState, atMs: number, out: Out<GridMessage>): Known {
  const date = civilDate(atMs);
  const values = versionAt(out.versions(), date)?.values;
  const installed = textOf(values?.["installation_date"]);
  return {
    status: textOf(values?.["status"]),
    ageYears: installed === null ? null : (gridDayOf(atMs) - dayOf(installed)) / 365.25,
    masterIndex: numberOf(values?.["health_index_score"]),
    failureDays: failureDaysOf(state),
  };
}

function failureDaysOf({ logs }: TransformerState): readonly number[] {
  return Object.values(logs).flatMap(({ failure, reportedDay }) => (failure ? [reportedDay] : []));
}

function judgeLink(state: TransformerState, { substationId, region }: TelemetryMeasured, out: Out<GridMessage>): void {
  if (state.substation === null) return out.note("orphan");
  if (keyOf(state.substation) !== substationId) out.note("link_mismatch");
  if (region !== null && region !== regionOf(out.self)) out.note("region_mismatch");
}

/** Sequence numbers count per device. A hole is a loss; a fall below half of the last one a restart of the device. */
function followSequence(state: TransformerState, { deviceId, sequenceNumber }: TelemetryMeasured, out: Out<GridMessage>): void {
  if (deviceId === null || sequenceNumber === null) return;
  const device = `device ${deviceId}`;
  const last = state.devices[device];
  if (last === undefined && Object.keys(state.devices).length >= DEVICES_MAX) return;
  if (last !== undefined && sequenceNumber < last / 2) out.note("device_reset");
  else if (last !== undefined && sequenceNumber > last + 1) out.note("sequence_gap");
  if (last === undefined || sequenceNumber > last || sequenceNumber < last / 2) state.devices[device] = sequenceNumber;
}

// Master data ---------------------------------------------------------------------------------------------------------------------------

function described(state: TransformerState, message: TransformerDescribed, out: Out<GridMessage>): void {
  const remembered = rememberDimension(message, "dim_transformer_changes", { transformer_id: keyOf(out.self) }, out);
  if (remembered === null || remembered.changes.length === 0) return;
  const open = remembered.versions.findLast((version) => version.to === null);
  state.attributes = open?.values ?? null;
  const substationId = textOf(state.attributes?.["substation_id"]);
  moveTo(state, substationId === null ? null : ActorId("substation", substationId), out);
}

/** The transformer tells the substation it leaves, the one it joins, and every meter below it. */
function moveTo(state: TransformerState, substation: ActorId | null, out: Out<GridMessage>): void {
  if (state.substation === substation) return;
  const region = textOf(state.attributes?.["region"]);
  if (state.substation !== null) out.tell(state.substation, { type: "transformer_joined", transformer: out.self, region, joined: false });
  if (substation !== null) out.tell(substation, { type: "transformer_joined", transformer: out.self, region, joined: true });
  state.substation = substation;
  for (const meter of metersOf(state)) tellSite(state, meter, out);
}

function linked(state: TransformerState, { customer, links }: LinksChanged, out: Out<GridMessage>): void {
  const customers = { ...state.customers };
  if (links.length === 0) delete customers[keyOf(customer)];
  else customers[keyOf(customer)] = links.map(({ meter, from, to }) => [meter, from, to]);
  state.customers = customers;
  for (const { meter } of links) if (meter !== null) tellSite(state, meter, out);
}

function tellSite(state: TransformerState, meter: ActorId, out: Out<GridMessage>): void {
  out.tell(meter, { type: "transformer_sited", transformer: out.self, substation: state.substation });
}

function metersOf(state: TransformerState): ReadonlySet<ActorId> {
  return new Set(Object.values(state.customers).flatMap((links) => links.flatMap(([meter]) => (meter === null ? [] : [meter]))));
}

// Groups and parents --------------------------------------------------------------------------------------------------------------------

function silentParent(state: TransformerState, out: Out<GridMessage>): SilentParent {
  return {
    rule: "transformer.children_silent",
    childKind: "meter",
    children: metersOf(state).size,
    parent: state.substation ?? linksOf(state, out.self)["region"] ?? null,
    claims: state,
    causeSince: (sinceMs) => causeOf(state.latest, sinceMs),
  };
}

/** What the transformer's own telemetry says of its meters' silence. */
function causeOf(latest: TransformerState["latest"], sinceMs: number): SilenceCause {
  const atMs = numberOf(latest?.["eventTime"]);
  if (atMs === null || atMs <= sinceMs) return "unknown";
  const loadMw = numberOf(latest?.["load_mw"]);
  if (latest?.["breaker_status"] === "OPEN" || loadMw === 0) return "outage";
  return loadMw === null ? "unknown" : "communications";
}

const MAINTAINED = "UNDER_MAINTENANCE";
/** Who works on a transformer heats, unloads and switches it. */
const PROCESS_FAMILIES = ["thermal", "load", "gas", "breaker"];

function maintenanceOf({ rule, atMs }: Pick<AlertTurn, "rule" | "atMs">, versions: () => readonly Version[]): string | null {
  if (!PROCESS_FAMILIES.includes(rule.family)) return null;
  return versionAt(versions(), civilDate(atMs))?.values["status"] === MAINTAINED ? "maintenance" : null;
}

function followMaintenance(state: TransformerState, isMaintained: boolean, atMs: number, out: Out<GridMessage>): void {
  if (isMaintained === (state.isMaintained === true)) return;
  if (isMaintained) {
    state.isMaintained = true;
    return out.cover("maintenance", (rule) => PROCESS_FAMILIES.includes(rule.family), atMs);
  }
  delete state.isMaintained;
  out.uncover("maintenance", atMs);
}

// Metered energy ------------------------------------------------------------------------------------------------------------------------

/** A meter's day, told anew, replaces what it said before; a day of which all is taken back is gone. Of days no longer held nothing is recomputed. */
function metered(state: TransformerState, message: MeterDay, out: Out<GridMessage>): void {
  const { date, wh, was } = message;
  bookDay(state, message, out);
  const days = state.metered ?? {};
  const dates = [...new Set([...Object.keys(days), date])].sort().slice(-METERED_DAYS);
  if (!dates.includes(date)) return out.note("topology_out_of_window");
  const sums = wh.map((now, hour) => (days[date]?.[hour] ?? 0) + (now ?? 0) - (was?.[hour] ?? 0));
  const held = dates.map((each) => [each, each === date ? sums : (days[each] ?? [])] as const);
  state.metered = Object.fromEntries(held.filter(([, each]) => each.some((energy) => energy !== 0)));
}

/** The transformer's own energy. Samples that are too sparse for it leave none. */
function deliver(state: TransformerState, atMs: number, loadMw: number, out: Out<GridMessage>): void {
  state.delivered ??= delivered();
  const isDayOver = measurePower(state.delivered, atMs, loadMw);
  if (isDayOver && state.book !== undefined && readyDays(state.book, state.delivered).length > 0) balanceAll(state, bookOf(state), out);
}

/** The book to be changed: put anew in its place, as a large member must be. */
function bookOf(state: TransformerState): EnergyBook {
  state.book = state.book === undefined ? energyBook() : { ...state.book };
  return state.book;
}

function bookDay(state: TransformerState, { meter, date, wh, upperWh, variation, ratio, volts }: MeterDay, out: Out<GridMessage>): void {
  const day = dayOf(date);
  if (state.book !== undefined && !isBooked(state.book, day, keyOf(meter))) return;
  const book = bookOf(state);
  if (!takeMeterDay(book, day, keyOf(meter), wh, upperWh)) return correctDay(state, book, { day, meter: keyOf(meter), wh }, out);
  if (upperWh !== null) book.told[keyOf(meter)] = [day, variation ?? -1, ratio ?? -1, volts ?? -1];
  if (book.timerDay === 0) awaitMeters(book, day, out);
}

/** One of the meters that are balanced one by one: the first ones that have told of a day. */
function isBooked({ told, waiting }: EnergyBook, day: number, meter: string): boolean {
  const ofDay = unpackMeters(waiting[String(day)]);
  if (told[meter] !== undefined || ofDay[meter] !== undefined) return true;
  return Math.max(Object.keys(told).length, Object.keys(ofDay).length) < BOOKED_METERS_MAX;
}

/** A day that was balanced is told again. Only those that an alert may rest on are kept. */
function correctDay(
  state: TransformerState,
  book: EnergyBook,
  { day, ...told }: { readonly day: number; readonly meter: string; readonly wh: MeterDay["wh"] },
  out: Out<GridMessage>,
): void {
  const before = book.settled?.[day];
  if (before === undefined) return;
  const fed = fedOn(state, civilDate(gridDayStartMs(day)));
  const { settled, result } = balanceAgain(book, day, before, told, [...fed.keys()]);
  book.settled = { ...book.settled, [day]: settled };
  judgeCorrection(book, result, (meter) => fed.get(meter) ?? null, out);
}

/** So long after a day's end its meters may still tell of it. */
const METERS_MS = hours(6);

function awaitMeters(book: EnergyBook, day: number, out: Out<GridMessage>): void {
  book.timerDay = day;
  out.wakeAt(BALANCE_TIMER, gridDayStartMs(day + 1) + METERS_MS);
}

/** The meters of a day have had their time: those that are low hear how the others are, and what can be balanced is. */
function metersAreDue(state: TransformerState, out: Out<GridMessage>): void {
  const book = bookOf(state);
  const day = book.timerDay;
  book.metersUpTo = day;
  book.timerDay = 0;
  tellSegments(book, day, out);
  judgeVoltages(book.offsets, day, voltageDays(book, day), out);
  balanceAll(state, book, out);
  const next = Object.keys(book.waiting)
    .map(Number)
    .filter((waiting) => waiting > day);
  if (next.length > 0) awaitMeters(book, Math.min(...next), out);
}

function balanceAll(state: TransformerState, book: EnergyBook, out: Out<GridMessage>): void {
  const own = state.delivered;
  if (own === undefined) return;
  for (const day of readyDays(book, own)) {
    holdEnvelopes(book, day);
    const fed = fedOn(state, civilDate(gridDayStartMs(day)));
    const settled = dayToSettle(book, own, day);
    judgeGap(book, balanceDay(book, own, day, [...fed.keys()]), (meter) => fed.get(meter) ?? null, out);
    keepSettled(book, day, settled, limitsOf(out, "transformer.energy_gap").limitShare);
  }
}

/** Of the days that are looked at, those above the limit stay correctable. */
function keepSettled(book: EnergyBook, day: number, settled: SettledDay | null, limitShare: number): void {
  const over = book.lately.filter(([, share]) => share > limitShare).map(([each]) => String(each));
  const held: Record<string, SettledDay> = { ...book.settled, ...(settled === null ? {} : { [day]: settled }) };
  const kept = Object.entries(held).filter(([each]) => over.includes(each));
  if (kept.length > 0) book.settled = Object.fromEntries(kept.slice(-SETTLED_DAYS));
  else delete book.settled;
}

/** The meters that the transformer feeds on a civil date, with their customers. */
function fedOn({ customers }: TransformerState, date: string): ReadonlyMap<string, ActorId> {
  const fed = new Map<string, ActorId>();
  for (const [customer, links] of Object.entries(customers)) {
    for (const [meter, from, to] of links) {
      if (meter !== null && from <= date && (to === null || date < to)) fed.set(keyOf(meter), ActorId("customer", customer));
    }
  }
  return fed;
}

function latestMetered({ metered: days = {} }: TransformerState): Record<string, CellValue> {
  const latest = Object.keys(days).at(-1);
  if (latest === undefined) return {};
  return { metered_on: latest, metered_kwh: (days[latest] ?? []).reduce((sum, wh) => sum + wh, 0) / 1_000 };
}

// Maintenance ---------------------------------------------------------------------------------------------------------------------------

function logged(state: TransformerState, message: MaintenanceLogged, out: Out<GridMessage>): void {
  const { logId, contentHash, path } = message;
  const key = `log ${logId}`; // Never a number, never a name that every object answers to: order of arrival is order of keys.
  const before = state.logs[key];
  if (before?.hash === contentHash || before?.others.includes(contentHash) === true) return out.duplicate();
  if (message.completedDate !== null && message.completedDate < message.reportedDate) out.note("date_order");
  const failure = message.maintenanceType === "CORRECTIVE" || message.maintenanceType === "EMERGENCY";
  const revision = (before?.revision ?? 0) + 1;
  const wins = before === undefined || outranks({ path, hash: contentHash }, before);
  if (before !== undefined && before.path === path) out.note("sequence_tie");
  out.curate("maintenance_logs", { revision, superseded: !wins });
  const others = before === undefined ? [] : [...before.others, wins ? before.hash : contentHash].slice(-OTHERS_MAX);
  state.logs = { ...state.logs };
  if (!wins) {
    state.logs[key] = { ...before, revision, others };
    return;
  }
  state.failures += (failure ? 1 : 0) - (before?.failure === true ? 1 : 0);
  state.logs[key] = { hash: contentHash, path, revision, failure, others, ...orderOf(message) };
  const known = Object.keys(state.logs);
  if (known.length > LOGS_MAX) delete state.logs[known[0] ?? ""];
  judgeFailures(failuresOf(state.watch, failureDaysOf(state)), message.atMs, out);
  judgeOverdue(Object.values(state.logs), message.atMs, out);
}

function orderOf({ reportedDate, completedDate, nextInspectionDate, followUpRequired, severity }: MaintenanceLogged): Order {
  return {
    reportedDay: dayOf(reportedDate),
    completedDay: completedDate === null ? null : dayOf(completedDate),
    nextDay: nextInspectionDate === null ? null : dayOf(nextInspectionDate),
    followUp: followUpRequired === true,
    isCritical: severity === "CRITICAL",
  };
}

/** Of two revisions the one in the higher-named file wins, then the greater content hash: in every order of arrival. */
function outranks(a: Pick<Log, "path" | "hash">, b: Pick<Log, "path" | "hash">): boolean {
  const [pathA, pathB] = [a.path ?? "", b.path ?? ""];
  return pathA === pathB ? a.hash > b.hash : pathA > pathB;
}

// Views ---------------------------------------------------------------------------------------------------------------------------------

function linksOf(state: TransformerState, id: ActorId): Record<string, ActorId> {
  const region = regionActor(textOf(state.attributes?.["region"]) ?? regionOf(id));
  return { ...(state.substation === null ? {} : { substation: state.substation }), ...(region === null ? {} : { region }) };
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
