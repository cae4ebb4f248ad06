import type { Behaviour, Out } from "../engine/behaviour.ts";
import type { CellValue, Severity } from "../engine/emission.ts";
import { type ActorId, actorIdFrom, keyOf } from "../engine/ids.ts";
import type { Hot, Packed } from "../engine/layout.ts";
import { type Credit, corrections, creditOf, isOutOfWindow, type Known } from "./credits.ts";
import { regionActor, regionOf } from "./grid_region.ts";
import { dayStart, type Hours, hourOf, isHeld, NO_HOURS, trimmed, withEnergy } from "./hours.ts";
import { linkAt, openLink, replaceLinks } from "./links.ts";
import type { GridMessage, ReadingMeasured } from "./message.ts";
import { unpackUuid, uuidText, words } from "./packed_uuid.ts";
import { limitsOf } from "./rules.ts";
import { cusumDown } from "./statistics/cusum.ts";
import { ewma } from "./statistics/ewma.ts";
import { robust } from "./statistics/robust.ts";
import type { Link, LinksChanged, TransformerSited } from "./tells.ts";

/** What every reading changes: the last values, and running statistics of kWh (in kWh; `gap` in ln of milliseconds). */
const HOT = {
  lastAtMs: "nullable",
  readingKwh: "nullable",
  voltageV: "nullable",
  currentA: "nullable",
  powerFactor: "nullable",
  frequencyHz: "nullable",
  medianKwh: "nullable",
  spreadKwh: "f64",
  meanKwh: "nullable",
  cusumDown: "f64",
  gapLog: "nullable",
  gapSpread: "f64",
  samples: "u32",
  gaps: "u32",
  status: "u32",
  zone: "u32",
  eventForm: "u32",
  event0: "u32",
  event1: "u32",
  event2: "u32",
  event3: "u32",
  /** The hour (`hours.ts`) that the latest reading lies in, and its energy; 0: there was none. */
  openHour: "u32",
  openWh: "f64",
} as const;

/** What seldom changes, or has no packed form. */
export interface MeterWarm {
  links: readonly Link[];
  /** Transformer -> its substation, for the transformers of the links. */
  sites: Record<string, ActorId | null>;
  otherStatus: string | null;
  otherEventId: string | null;
  /** The hours before the open one. Absent: none. */
  hours?: Hours;
}

export type MeterState = Packed<Hot<typeof HOT>, MeterWarm>;

const STATUSES = [null, "ACTIVE", "TAMPERED", "DISCONNECTED"] as const;
const OTHER_STATUS = 4;
const UUID_FORM = 1;
const OTHER_FORM = 2;
/** A statistic is believed after this many samples. */
const LEARNT_SAMPLES = 7;
const MS_PER_HOUR = 3_600_000;

/** A smart meter: single readings against the guide's bands, and what is usual for this meter. */
export const meter: Behaviour<MeterState, GridMessage> = {
  kind: "meter",
  version: 1,
  clocks: ["smart_meter"],
  hasMaster: true,
  hot: HOT,
  initial: () => ({ links: [], sites: {}, otherStatus: null, otherEventId: null }),
  receive(state, message, out) {
    switch (message.type) {
      case "reading_measured":
        return measured(state, message, out);
      case "links_changed":
        return linked(state, message, out);
      case "transformer_sited":
        return sited(state, message);
    }
  },
  describe: (state, id) => ({
    status: statusOf(state),
    attributes: attributesOf(state, id),
    latest: latestOf(state),
    rolling: rollingOf(state),
  }),
  links: (state, id) => linksOf(state, id),
};

// Readings ------------------------------------------------------------------------------------------------------------------------------

function measured(state: MeterState, message: ReadingMeasured, out: Out<GridMessage>): void {
  const link = linkAt(state.warm.links, message.atMs);
  const isUsual = judge(state, message, link, out);
  noteClaims(message, link, out);
  out.curate("meter_readings", {
    transformer_id: link?.transformer == null ? null : keyOf(link.transformer),
    link_status: link === null ? "pending" : "linked",
    conflict: out.conflict,
  });
  if (out.conflict) return;
  credit(state, message, out);
  if (out.late) return;
  learn(state, message, isUsual && message.status === "ACTIVE");
  keepLatest(state, message);
}

/** The record rules. True: none of them spoke. Whether the meter is tampered with is no condition of the others. */
function judge(state: MeterState, message: ReadingMeasured, link: Link | null, out: Out<GridMessage>): boolean {
  const { readingKwh, status, atMs } = message;
  let isUsual = true;
  const nearZero = limitsOf(out, "meter.near_zero");
  if (readingKwh <= nearZero.limitKwh && readingKwh >= nearZero.lowestKwh) {
    out.observe("meter.near_zero", { holds: true, atMs, value: readingKwh, limit: nearZero.limitKwh, clear: nearZero.clearKwh });
    isUsual = false;
  }
  const spike = limitsOf(out, "meter.spike");
  if (readingKwh >= spike.limitKwh) {
    const severity = spikeSeverity(state, readingKwh, link, spike);
    out.observe("meter.spike", { holds: true, atMs, value: readingKwh, limit: spike.limitKwh, severity });
    isUsual = false;
  }
  if (status === "TAMPERED") {
    out.observe("meter.tampered", { holds: true, atMs, value: status });
    isUsual = false;
  } else if (status === "DISCONNECTED") {
    out.observe("meter.disconnected", { holds: true, atMs, value: status });
    isUsual = false;
  }
  return isUsual;
}

/** Major beyond the band, or beyond what the connection may carry in one interval. An interval of unknown length is not tested. */
function spikeSeverity(
  { hot }: MeterState,
  readingKwh: number,
  link: Link | null,
  { bandEndKwh, majorLoadShare }: { readonly bandEndKwh: number; readonly majorLoadShare: number },
): Severity {
  if (readingKwh > bandEndKwh) return "major";
  const loadKw = link?.sanctionedLoadKw ?? null;
  if (loadKw === null || hot.gapLog === null || hot.gaps < LEARNT_SAMPLES) return "warning";
  const intervalHours = Math.exp(hot.gapLog) / MS_PER_HOUR;
  return readingKwh > majorLoadShare * loadKw * intervalHours ? "major" : "warning";
}

function noteClaims(message: ReadingMeasured, link: Link | null, out: Out<GridMessage>): void {
  if (link === null) out.note("orphan");
  else if (message.customerId !== null && message.customerId !== keyOf(link.customer)) out.note("link_mismatch");
  if (message.region !== null && message.region !== regionOf(out.self)) out.note("region_mismatch");
}

/** Only on-time records teach; what is unusual teaches nothing but the cadence. */
function learn({ hot }: MeterState, { atMs, readingKwh }: ReadingMeasured, isUsual: boolean): void {
  const elapsedMs = hot.lastAtMs === null ? 0 : atMs - hot.lastAtMs;
  if (elapsedMs > 0) {
    const gap = robust(hot.gapLog === null ? null : { median: hot.gapLog, spread: hot.gapSpread }, Math.log(elapsedMs));
    hot.gapLog = gap.median;
    hot.gapSpread = gap.spread;
    hot.gaps += 1;
  }
  if (!isUsual) return;
  const before = hot.medianKwh === null ? null : { median: hot.medianKwh, spread: hot.spreadKwh };
  if (before !== null && hot.samples >= LEARNT_SAMPLES) {
    hot.cusumDown = cusumDown(hot.cusumDown, (readingKwh - before.median) / (1.4826 * before.spread));
  }
  const after = robust(before, readingKwh);
  hot.medianKwh = after.median;
  hot.spreadKwh = after.spread;
  hot.meanKwh = ewma(hot.meanKwh, readingKwh, elapsedMs);
  hot.samples += 1;
}

/** The newest reading by event time. Texts that have no packed form go to the warm part. */
function keepLatest(state: MeterState, message: ReadingMeasured): void {
  const { hot } = state;
  if (hot.lastAtMs !== null && message.atMs < hot.lastAtMs) return;
  hot.lastAtMs = message.atMs;
  hot.readingKwh = message.readingKwh;
  hot.voltageV = message.voltageV;
  hot.currentA = message.currentA;
  hot.powerFactor = message.powerFactor;
  hot.frequencyHz = message.frequencyHz;
  hot.zone = zoneNumber(message.gridZone);
  keepStatus(state, message.status);
  if (unpackUuid(message.eventId)) {
    hot.eventForm = UUID_FORM;
    hot.event0 = words[0];
    hot.event1 = words[1];
    hot.event2 = words[2];
    hot.event3 = words[3];
  } else {
    hot.eventForm = OTHER_FORM;
    state.change().otherEventId = message.eventId;
  }
}

function keepStatus(state: MeterState, status: string | null): void {
  const known = status === "ACTIVE" ? 1 : status === null ? 0 : STATUSES.indexOf(status as "ACTIVE");
  state.hot.status = known < 0 ? OTHER_STATUS : known;
  if (known < 0) state.change().otherStatus = status;
}

/** `ZONE-3` -> 3; anything else 0. */
function zoneNumber(zone: string | null): number {
  if (zone === null || !zone.startsWith("ZONE-") || zone.length > 9) return 0;
  const digits = Number(zone.slice(5));
  return Number.isInteger(digits) && digits > 0 ? digits : 0;
}

// Hours ---------------------------------------------------------------------------------------------------------------------------------

/** Late readings count, too: an hour has the energy that was used in it, whenever that becomes known. What is too old is in the curated rows only. */
function credit(state: MeterState, { atMs, readingKwh }: ReadingMeasured, out: Out<GridMessage>): void {
  const { hot } = state;
  const hour = hourOf(atMs);
  const wh = Math.round(readingKwh * 1_000);
  if (hour > hot.openHour) openHour(state, hour, out);
  if (hour === hot.openHour) hot.openWh += wh;
  else if (isHeld(hour, hot.openHour)) {
    const before = knownOf(state);
    const hours = withEnergy(before.hours, hour, wh);
    state.change().hours = hours;
    tellCredits(corrections(before, { ...before, hours }, hot.openHour), out);
  }
}

/** The hour that was open joins those that are held. If its day is over, the transformer that fed the meter hears of it. */
function openHour(state: MeterState, hour: number, out: Out<GridMessage>): void {
  const { hot } = state;
  if (hot.openHour > 0) {
    const { hours, links } = knownOf(state);
    const closed = withEnergy(hours, hot.openHour, hot.openWh);
    const told = dayStart(hour) === dayStart(hot.openHour) ? null : creditOf({ hours: closed, links }, hot.openHour);
    if (told !== null) tellCredits([told], out);
    state.change().hours = trimmed(closed, hour);
  }
  hot.openHour = hour;
  hot.openWh = 0;
}

function knownOf({ warm }: MeterState): Known {
  return { hours: warm.hours ?? NO_HOURS, links: warm.links };
}

function tellCredits(credits: readonly Credit[], out: Out<GridMessage>): void {
  for (const { transformer, date, wh, was } of credits) out.tell(transformer, { type: "meter_day", meter: out.self, date, wh, was });
}

// Links ---------------------------------------------------------------------------------------------------------------------------------

function linked(state: MeterState, { customer, links }: LinksChanged, out: Out<GridMessage>): void {
  const warm = state.change();
  const before = knownOf(state);
  const wasLinked = warm.links.length > 0;
  warm.links = replaceLinks(warm.links, customer, links);
  const isLinked = warm.links.length > 0;
  if (isLinked !== wasLinked) out.linked(isLinked);
  if (isOutOfWindow(before.hours, before.links, warm.links)) out.note("topology_out_of_window");
  tellCredits(corrections(before, knownOf(state), state.hot.openHour), out);
  const transformers = new Set(warm.links.map((link) => link.transformer));
  for (const id of Object.keys(warm.sites)) if (!transformers.has(actorIdFrom(id))) delete warm.sites[id];
}

function sited(state: MeterState, { transformer, substation }: TransformerSited): void {
  state.change().sites[transformer] = substation;
}

// Views ---------------------------------------------------------------------------------------------------------------------------------

function statusOf({ hot, warm }: MeterState): string | null {
  return hot.status === OTHER_STATUS ? warm.otherStatus : (STATUSES[hot.status] ?? null);
}

function attributesOf({ hot, warm }: MeterState, id: ActorId): Record<string, CellValue> {
  const link = openLink(warm.links);
  return {
    customer_id: link === null ? null : keyOf(link.customer),
    transformer_id: link?.transformer == null ? null : keyOf(link.transformer),
    region: link?.region ?? regionOf(id),
    state: link?.state ?? null,
    tariff_category: link?.tariff ?? null,
    grid_zone: hot.zone === 0 ? null : `ZONE-${hot.zone}`,
  };
}

function latestOf({ hot, warm }: MeterState): Record<string, CellValue> | null {
  if (hot.lastAtMs === null) return null;
  return {
    eventTime: hot.lastAtMs,
    eventId: hot.eventForm === UUID_FORM ? uuidText(hot.event0, hot.event1, hot.event2, hot.event3) : warm.otherEventId,
    reading_kwh: hot.readingKwh,
    voltage_v: hot.voltageV,
    current_a: hot.currentA,
    power_factor: hot.powerFactor,
    frequency_hz: hot.frequencyHz,
  };
}

function rollingOf({ hot }: MeterState): Record<string, CellValue> {
  return {
    n: hot.samples,
    median: rounded(hot.medianKwh),
    spread: hot.medianKwh === null ? null : rounded(hot.spreadKwh),
    ewma: rounded(hot.meanKwh),
    cusumDown: rounded(hot.cusumDown),
    learning: hot.samples < LEARNT_SAMPLES,
  };
}

function linksOf({ warm }: MeterState, id: ActorId): Record<string, ActorId> {
  const link = openLink(warm.links);
  const transformer = link?.transformer ?? null;
  const substation = transformer === null ? null : (warm.sites[transformer] ?? null);
  const region = regionActor(link?.region ?? regionOf(id));
  return {
    ...(link === null ? {} : { customer: link.customer }),
    ...(transformer === null ? {} : { transformer }),
    ...(substation === null ? {} : { substation }),
    ...(region === null ? {} : { region }),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000;
}
