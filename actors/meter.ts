import type { Behaviour, Out, Woken } from "../engine/behaviour.ts";
import type { CellValue, Severity } from "../engine/emission.ts";
import { type ActorId, actorIdFrom, keyOf } from "../engine/ids.ts";
import { claimOn, dropClaim, takeClaim } from "./claims.ts";
import { type Credit, corrections, creditOf, isOutOfWindow, type Known } from "./credits.ts";
import { tellAlert } from "./detectors/group/common_cause.ts";
import { type DayBook, envelopeOf, ratioOf, variationOf } from "./detectors/meter/day_book.ts";
import { endDay } from "./detectors/meter/days.ts";
import { judgeDisconnected } from "./detectors/meter/energy_while_disconnected.ts";
import { judgeFrequency, tellFrequency } from "./detectors/meter/frequency_off.ts";
import { judgeIdentity } from "./detectors/meter/identity.ts";
import { judgeNearZero } from "./detectors/meter/near_zero_repeated.ts";
import { packBook, unpackBook } from "./detectors/meter/packed_book.ts";
import { judgePhysics } from "./detectors/meter/physics_shift.ts";
import { judgeFactor, judgeLowFactor } from "./detectors/meter/power_factor.ts";
import { RECENT, readField, withField } from "./detectors/meter/recent.ts";
import { judgeReverse } from "./detectors/meter/reverse_flow.ts";
import { signsOf } from "./detectors/meter/signs.ts";
import { judgeStuck } from "./detectors/meter/stuck.ts";
import { judgeDrop } from "./detectors/meter/sustained_drop.ts";
import { judgeVoltage } from "./detectors/meter/voltage.ts";
import { amendSilence, type Cadence, heard, judgeSilence, observeSilence, SILENCE_TIMER, watchFrom } from "./detectors/silence.ts";
import { regionActor, regionOf } from "./grid_region.ts";
import { dayOf, dayStart, hourOf, isHeld, startMs, withEnergy } from "./hours.ts";
import { areMoved, linkAt, openLink, replaceLinks } from "./links.ts";
import type { GridMessage, ReadingMeasured } from "./message.ts";
import { METER_HOT, type MeterHot, type MeterState, type MeterWarm } from "./meter_state.ts";
import { closeHour, packHours, unpackHours } from "./packed_hours.ts";
import { unpackUuid, uuidText, words } from "./packed_uuid.ts";
import { limitsOf } from "./rules.ts";
import { GAP_SPREAD_FIRST } from "./statistics/cadence.ts";
import { cusumDown } from "./statistics/cusum.ts";
import { ewma, SLOW_MS } from "./statistics/ewma.ts";
import { firstSpread, movedMedian, movedSpread, robustZ } from "./statistics/robust.ts";
import type { Link, LinksChanged, TransformerSited } from "./tells.ts";

const STATUSES = [null, "ACTIVE", "TAMPERED", "DISCONNECTED"] as const;
const OTHER_STATUS = 4;
const UUID_FORM = 1;
const OTHER_FORM = 2;
/** A statistic is believed after this many samples. */
const LEARNT_SAMPLES = 7;
const MS_PER_HOUR = 3_600_000;
/** Latest days over the month's mean that are a sign to the customer's risk. */
const LOW_RATIO = 0.5;
/** A reading above it is not near zero, whatever the limits in force are: they are not looked up for each one. */
const NEAR_ZERO_SURELY_NOT_KWH = 5;

const LARGE = ["links", "sites", "book"] as const satisfies readonly (keyof MeterWarm)[];

/** A smart meter: single readings against the guide's bands, and what is usual for this meter. */
export const meter: Behaviour<MeterState, GridMessage> = {
  kind: "meter",
  version: 2,
  clocks: ["smart_meter"],
  hasMaster: true,
  hot: METER_HOT,
  large: LARGE,
  initial: () => ({ links: [], sites: {}, otherStatus: null, otherEventId: null }),
  receive(state, message, out) {
    switch (message.type) {
      case "reading_measured":
        return measured(state, message, out);
      case "links_changed":
        return linked(state, message, out);
      case "transformer_sited":
        return sited(state, message);
      case "segment_day":
        if (state.warm.book !== undefined) judgeDrop(unpackBook(state.warm.book), message.day, message.ratio, out);
        return;
      case "frequency_alone":
        return judgeFrequency(message, out);
      case "balance_held":
        state.change().book = packBook({ ...unpackBook(state.warm.book), holds: message.holds });
        return;
      case "silence_judged":
        if (readField(state.hot.recent, RECENT.quiet) === 1) observeSilence(cadenceOf(state.hot), message.atMs, "meter.silent", out);
        return;
      case "alerts_claimed":
        return takeClaim(state.change(), message, out);
      case "alerts_released":
        return dropClaim(state.change(), message, out);
      case "woken":
        if (message.name === SILENCE_TIMER) woken(state, message, out);
        return;
    }
  },
  describe: (state, id) => ({
    status: statusOf(state),
    attributes: attributesOf(state, id),
    latest: latestOf(state),
    rolling: rollingOf(state),
  }),
  rolling: (state) => rollingOf(state),
  inForce({ warm }, _id, atMs) {
    const link = linkAt(warm.links, atMs);
    return link === null ? [] : [{ actor: link.customer, version: null, validFrom: link.from, validTo: link.to }];
  },
  revise: ({ warm }, _, { timestamp }) => linkCells(linkAt(warm.links, Number(timestamp))),
  links: (state, id) => linksOf(state, id),
  coveredBy: ({ warm }, alert) => claimOn(warm, alert),
  alerted({ warm }, alert, out) {
    const link = openLink(warm.links);
    tellAlert(alert, link?.transformer ?? null, regionActor(link?.region ?? regionOf(out.self)), out);
  },
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
  if (out.late) {
    amendSilence(message.atMs, "meter.silent", out);
    return;
  }
  const isLearnt = isUsual && message.status === "ACTIVE";
  if (!isLearnt) markOdd(state.hot, message.atMs);
  watch(state, message, link, out);
  learn(state, message, isLearnt);
  keepLatest(state, message);
}

/** The rules that compare a reading with those before it. */
function watch({ hot, warm }: MeterState, message: ReadingMeasured, link: Link | null, out: Out<GridMessage>): void {
  const elapsedMs = hot.lastAtMs === null ? 0 : message.atMs - hot.lastAtMs;
  if (elapsedMs < 0) return; // Out of order: time-based statistics do not learn from it.
  const intervalHours = intervalHoursOf(hot);
  judgeNearZero(hot, message, isNearZero(message.readingKwh, out), intervalHours, out);
  judgeVoltage(message, out);
  judgeLowFactor(hot, message, elapsedMs, out);
  judgeReverse(message, link, out);
  judgeStuck(hot, message, out);
  judgePhysics(hot, message, intervalHours, out);
  judgeIdentity(message, link, out);
  tellFrequency(message, out);
  if (readField(hot.recent, RECENT.quiet) === 1) speakAgain({ hot, warm }, message.atMs, out);
}

/** The record rules. True: none of them spoke. Whether the meter is tampered with is no condition of the others. */
function judge(state: MeterState, message: ReadingMeasured, link: Link | null, out: Out<GridMessage>): boolean {
  const { readingKwh, status, atMs } = message;
  let isUsual = true;
  if (isNearZero(readingKwh, out)) {
    const nearZero = limitsOf(out, "meter.near_zero");
    const { limitKwh: limit, clearKwh: clear } = nearZero;
    out.observe("meter.near_zero", { holds: true, atMs, value: readingKwh, limit, clear, evidence: usualOf(state) });
    isUsual = false;
  }
  const spike = limitsOf(out, "meter.spike");
  if (readingKwh >= spike.limitKwh) {
    const severity = spikeSeverity(state, readingKwh, link, spike);
    const evidence = {
      ...usualOf(state),
      sanctioned_kw: link?.sanctionedLoadKw ?? null,
      interval_hours: intervalHoursOf(state.hot) || null,
    };
    out.observe("meter.spike", { holds: true, atMs, value: readingKwh, limit: spike.limitKwh, severity, evidence });
    isUsual = false;
  }
  if (status === "TAMPERED") {
    out.observe("meter.tampered", { holds: true, atMs, value: status });
    isUsual = false;
  } else if (status === "DISCONNECTED") {
    out.observe("meter.disconnected", { holds: true, atMs, value: status });
    judgeDisconnected(message, out);
    isUsual = false;
  }
  judgeFactor(message, out);
  return isUsual && readingKwh >= 0;
}

/** What is usual for the meter, as alerts show it. */
function usualOf({ hot }: MeterState): { readonly expected: number | null; readonly n: number } {
  return { expected: rounded(hot.medianKwh), n: hot.samples };
}

function isNearZero(readingKwh: number, out: Out<GridMessage>): boolean {
  if (readingKwh > NEAR_ZERO_SURELY_NOT_KWH) return false;
  const { limitKwh, lowestKwh } = limitsOf(out, "meter.near_zero");
  return readingKwh <= limitKwh && readingKwh >= lowestKwh;
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
  if (loadKw === null || hot.gaps < LEARNT_SAMPLES) return "warning";
  const intervalHours = intervalHoursOf(hot);
  return readingKwh > majorLoadShare * loadKw * intervalHours ? "major" : "warning";
}

/** The meter's usual interval, to a second: the median is kept to seven digits. 0: it is not known. */
function intervalHoursOf({ gapLog, gaps }: MeterHot): number {
  return gaps < LEARNT_SAMPLES ? 0 : (1_000 * Math.round(Math.exp(gapLog) / 1_000)) / MS_PER_HOUR;
}

function noteClaims(message: ReadingMeasured, link: Link | null, out: Out<GridMessage>): void {
  if (link === null) out.note("orphan");
  else if (message.customerId !== null && message.customerId !== keyOf(link.customer)) out.note("link_mismatch");
  if (message.region !== null && message.region !== regionOf(out.self)) out.note("region_mismatch");
}

/** Only on-time records teach; what is unusual teaches nothing but the cadence. */
function learn({ hot }: MeterState, { atMs, readingKwh }: ReadingMeasured, isUsual: boolean): void {
  const elapsedMs = hot.lastAtMs === null ? 0 : atMs - hot.lastAtMs;
  if (elapsedMs > 0) learnGap(hot, Math.fround(Math.log(elapsedMs))); // As it is kept: equal gaps are to be equal.
  if (!isUsual) return;
  const kwh = Math.fround(readingKwh);
  const median = hot.medianKwh;
  const spread = hot.spreadKwh;
  if (median !== null && hot.samples >= LEARNT_SAMPLES) hot.cusumDown = cusumDown(hot.cusumDown, robustZ(median, spread, kwh));
  const after = median === null ? kwh : movedMedian(median, spread, kwh);
  hot.spreadKwh = median === null ? firstSpread(kwh) : movedSpread(after, spread, kwh);
  hot.medianKwh = after;
  hot.meanKwh = ewma(hot.meanKwh, readingKwh, elapsedMs);
  hot.slowKwh = ewma(hot.slowKwh, readingKwh, elapsedMs, SLOW_MS);
  hot.samples += 1;
}

function learnGap(hot: MeterHot, gap: number): void {
  const isFirst = hot.gaps === 0;
  const median = isFirst ? gap : movedMedian(hot.gapLog, hot.gapSpread, gap);
  hot.gapSpread = isFirst ? GAP_SPREAD_FIRST : movedSpread(median, hot.gapSpread, gap);
  hot.gapLog = median;
  hot.gaps += 1;
}

/** The hour of a reading that is unusual is not learnt as a whole. */
function markOdd(hot: MeterHot, atMs: number): void {
  if (hourOf(atMs) === hot.openHour) hot.oddHours = (hot.oddHours | (1 << (hot.openHour % 24))) >>> 0;
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
  keepStatus(state, message.status);
  const zone = 4 * zoneNumber(message.gridZone);
  if (unpackUuid(message.eventId)) {
    hot.zoneAndForm = zone + UUID_FORM;
    hot.event0 = words[0];
    hot.event1 = words[1];
    hot.event2 = words[2];
    hot.event3 = words[3];
  } else {
    hot.zoneAndForm = zone + OTHER_FORM;
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
  const digits = Number(zone.slice(5)); // At most four.
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
    state.change().hours = packHours(hours);
    tellCredits(corrections(before, { ...before, hours }, hot.openHour), out);
  }
}

/** The hour that was open joins those that are held. If its day is over, the transformer that fed the meter hears of it. */
function openHour(state: MeterState, hour: number, out: Out<GridMessage>): void {
  const { hot } = state;
  if (hot.openHour > 0) {
    if (dayStart(hour) !== dayStart(hot.openHour)) closeDay(state, out);
    const warm = state.change();
    warm.hours = closeHour(warm.hours, hot.openHour, hot.openWh, hour);
  }
  hot.openHour = hour;
  hot.openWh = 0;
}

/** A civil day of the meter is over: its transformer and its customer hear of it, and it is learnt. */
function closeDay(state: MeterState, out: Out<GridMessage>): void {
  const { hot, warm } = state;
  const hours = withEnergy(unpackHours(warm.hours), hot.openHour, hot.openWh);
  const told = creditOf({ hours, links: warm.links }, hot.openHour);
  const start = dayStart(hot.openHour);
  const book = unpackBook(warm.book);
  const link = linkAt(warm.links, startMs(start));
  const ended = { day: start / 24, wh: dayOf(hours, start), oddHours: hot.oddHours };
  const after = endDay(book, ended, link, out);
  if (told !== null) {
    const { transformer, date, wh, was } = told;
    const known = { upperWh: envelopeOf(book), variation: variationOf(after), ratio: ratioOf(after), volts: hot.voltageMean };
    out.tell(transformer, { type: "meter_day", meter: out.self, date, wh, was, ...known });
  }
  state.change().book = packBook({ ...after, signs: tellSigns(state, after, ended.day, link, out) });
  hot.oddHours = 0;
  watchSilence(state, out);
}

/** The customer hears of signs that have come or gone. Returns those that it knows. */
function tellSigns({ hot }: MeterState, book: DayBook, day: number, link: Link | null, out: Out<GridMessage>): number {
  const signs = signsOf(hot, (ratioOf(book) ?? 1) < LOW_RATIO);
  if (link === null || signs === book.signs) return book.signs;
  out.tell(link.customer, { type: "signs_changed", meter: out.self, atMs: startMs(24 * (day + 1)), signs });
  return signs;
}

function knownOf({ warm }: MeterState): Known {
  return { hours: unpackHours(warm.hours), links: warm.links };
}

const TOLD_BEFORE = { upperWh: null, variation: null, ratio: null, volts: null };

function tellCredits(credits: readonly Credit[], out: Out<GridMessage>): void {
  for (const { transformer, date, wh, was } of credits)
    out.tell(transformer, { type: "meter_day", meter: out.self, date, wh, was, ...TOLD_BEFORE });
}

// Silence -------------------------------------------------------------------------------------------------------------------------------

/** A timer watches once the meter's pace is known. It is not moved by each reading: it looks at the last one when it fires. */
function watchSilence({ hot }: MeterState, out: Out<GridMessage>): void {
  if (readField(hot.recent, RECENT.watched) === 1) return;
  const cadence = cadenceOf(hot);
  watchFrom(cadence, "meter.silent", out);
  keepWatched(hot, cadence);
}

function woken({ hot, warm }: MeterState, message: Woken, out: Out<GridMessage>): void {
  const cadence = cadenceOf(hot);
  const isSilent = STATUSES[hot.status] !== "DISCONNECTED" && judgeSilence(cadence, message, "meter.silent", out);
  if (STATUSES[hot.status] === "DISCONNECTED") cadence.isWatched = false; // It was switched off: nothing is expected of it.
  keepWatched(hot, cadence);
  if (isSilent && readField(hot.recent, RECENT.quiet) === 0) fallSilent({ hot, warm }, cadence, message.dueMs, out);
}

/** The transformer looks at all its meters together, and then lets each speak. Without one the meter speaks for itself. */
function fallSilent({ hot, warm }: Pick<MeterState, "hot" | "warm">, cadence: Cadence, atMs: number, out: Out<GridMessage>): void {
  hot.recent = withField(hot.recent, RECENT.quiet, 1);
  const transformer = openLink(warm.links)?.transformer ?? null;
  if (transformer === null) observeSilence(cadence, atMs, "meter.silent", out);
  else out.tell(transformer, { type: "child_quiet", child: out.self, sinceMs: cadence.lastAtMs ?? atMs, atMs });
}

function speakAgain({ hot, warm }: Pick<MeterState, "hot" | "warm">, atMs: number, out: Out<GridMessage>): void {
  if (!heard(atMs, "meter.silent", out)) return;
  hot.recent = withField(hot.recent, RECENT.quiet, 0);
  const transformer = openLink(warm.links)?.transformer ?? null;
  if (transformer !== null) out.tell(transformer, { type: "child_back", child: out.self, atMs });
}

function cadenceOf({ lastAtMs, gapLog, gapSpread, gaps, recent }: MeterHot): Cadence {
  return { lastAtMs, gapLog, gapSpread, gaps, isWatched: readField(recent, RECENT.watched) === 1 };
}

function keepWatched(hot: MeterHot, { isWatched }: Cadence): void {
  hot.recent = withField(hot.recent, RECENT.watched, isWatched ? 1 : 0);
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
  if (readField(state.hot.recent, RECENT.quiet) === 1) tellMoved(before.links, warm.links, out);
  if (state.hot.lastAtMs !== null && areMoved(before.links, warm.links)) out.reviseRows("meter_readings");
  const transformers = new Set(warm.links.map((link) => link.transformer));
  warm.sites = Object.fromEntries(Object.entries(warm.sites).filter(([id]) => transformers.has(actorIdFrom(id))));
}

/** What the row of a reading says of its link. */
function linkCells(link: Link | null): Readonly<Record<string, CellValue>> {
  return { transformer_id: link?.transformer == null ? null : keyOf(link.transformer), link_status: link === null ? "pending" : "linked" };
}

/** A silent meter is silent below the transformer that feeds it now. */
function tellMoved(before: readonly Link[], after: readonly Link[], out: Out<GridMessage>): void {
  const from = openLink(before)?.transformer ?? null;
  if (from === null || from === (openLink(after)?.transformer ?? null)) return;
  out.tell(from, { type: "child_back", child: out.self, atMs: 0 });
}

function sited(state: MeterState, { transformer, substation }: TransformerSited): void {
  const warm = state.change();
  warm.sites = { ...warm.sites, [transformer]: substation };
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
    grid_zone: hot.zoneAndForm < 4 ? null : `ZONE-${hot.zoneAndForm >> 2}`,
  };
}

function latestOf({ hot, warm }: MeterState): Record<string, CellValue> | null {
  if (hot.lastAtMs === null) return null;
  return {
    eventTime: hot.lastAtMs,
    eventId: (hot.zoneAndForm & 3) === UUID_FORM ? uuidText(hot.event0, hot.event1, hot.event2, hot.event3) : warm.otherEventId,
    reading_kwh: hot.readingKwh,
    voltage_v: seven(hot.voltageV),
    current_a: seven(hot.currentA),
    power_factor: seven(hot.powerFactor),
    frequency_hz: seven(hot.frequencyHz),
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

/** A number that is kept to seven digits, as it came. */
function seven(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(7));
}

function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1_000) / 1_000;
}
