import type { Out } from "../../../engine/behaviour.ts";
import { hours } from "../../../engine/duration.ts";
import type { HourTallied } from "../../../engine/tallies.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { learnUsual, type Usual, usual } from "../../statistics/usual.ts";
import { rounded } from "../rounded.ts";

/** What a region knows of the records that concern it. Changed in place. */
export interface Tallied {
  /** Feed -> its latest hour that is over, and how many of its hours in a row ended when those of the others did. */
  readonly feeds: Record<string, { hour: number; inStep: number }>;
  /** Hour of the day, UTC -> readings that are usual in it. */
  readonly usualReadings: Record<string, Usual>;
  /** Readings in a minute, over the latest hour. */
  perMinute: number;
  /** Rule -> records that it stamped, and those of them that were labelled; `*`: all records. Since the beginning. */
  readonly confusion: Record<string, [stamped: number, flagged: number]>;
}

const READINGS = "smart_meter";
/** Feeds that never pause: files of bills and masters come when they come. */
const STEADY = ["smart_meter", "substation_telemetry"];

export function tallied(): Tallied {
  return { feeds: {}, usualReadings: {}, perMinute: 0, confusion: {} };
}

/** An hour of a feed is over. */
export function judgeTally(state: Tallied, message: HourTallied, out: Out<GridMessage>): void {
  confuse(state, message);
  judgeFreshness(state, message, out);
  if (message.feed !== READINGS) return;
  state.perMinute = rounded((message.counts["records"] ?? 0) / 60, 2);
  judgeLinks(message, out);
  judgeStorm(state, message, out);
}

/** `region.link_quality`: the records of an hour name other customers than the master does. */
function judgeLinks({ counts, hour }: HourTallied, out: Out<GridMessage>): void {
  const { limitShare, clearShare, mismatchesMin } = limitsOf(out, "region.link_quality");
  const [records, wrong] = [counts["records"] ?? 0, counts["link_mismatch"] ?? 0];
  if (records === 0) return;
  const share = wrong / records;
  out.observe("region.link_quality", {
    holds: share >= limitShare && wrong >= mismatchesMin ? true : share < clearShare ? false : null,
    atMs: endOf(hour),
    value: rounded(share, 4),
    limit: limitShare,
    clear: clearShare,
    ...(share >= clearShare && (share < limitShare || wrong < mismatchesMin) ? { reason: "coverage" } : {}),
    evidence: { mismatches: wrong, records },
  });
}

/** `region.storm`: far fewer readings than are usual in this hour of the day. An hour that is poor is not learnt as usual. */
function judgeStorm({ usualReadings }: Tallied, { counts, hour }: HourTallied, out: Out<GridMessage>): void {
  const { limitShare, clearShare, expectedMin, daysMin } = limitsOf(out, "region.storm");
  const slot = String(hour % 24);
  const known = usualReadings[slot] ?? usual();
  usualReadings[slot] = known;
  const records = counts["records"] ?? 0;
  const share = known.n === 0 || known.median <= 0 ? null : records / known.median;
  if (share === null || share >= limitShare) learnUsual(known, records);
  if (share === null || known.n < daysMin || known.median < expectedMin) return;
  out.observe("region.storm", {
    holds: share < limitShare ? true : share >= clearShare ? false : null,
    atMs: endOf(hour),
    value: rounded(share, 3),
    limit: limitShare,
    clear: clearShare,
    ...(share >= limitShare && share < clearShare ? { reason: "window_open" } : {}),
    evidence: { readings: records, expected: rounded(known.median, 1), n: known.n },
  });
}

/** `region.freshness`: a feed that kept step with the others for a day has fallen behind them. Files that are read one after another never did. */
function judgeFreshness({ feeds }: Tallied, { feed, hour }: HourTallied, out: Out<GridMessage>): void {
  if (!STEADY.includes(feed)) return;
  const { limitHours, clearHours, inStepHours } = limitsOf(out, "region.freshness");
  const own = feeds[feed] ?? { hour, inStep: 0 };
  feeds[feed] = own;
  own.hour = Math.max(own.hour, hour);
  const newest = Math.max(...Object.values(feeds).map((one) => one.hour));
  let worst: { readonly name: string; readonly lag: number } | null = null;
  for (const [name, one] of Object.entries(feeds).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const lag = newest - one.hour;
    if (name === feed && Object.keys(feeds).length > 1) one.inStep = lag <= 1 ? one.inStep + 1 : 0;
    if (one.inStep >= inStepHours && (worst === null || lag > worst.lag)) worst = { name, lag };
  }
  if (worst === null) return;
  out.observe("region.freshness", {
    holds: worst.lag >= limitHours ? true : worst.lag <= clearHours ? false : null,
    atMs: endOf(newest),
    value: worst.lag,
    limit: limitHours,
    clear: clearHours,
    ...(worst.lag > clearHours && worst.lag < limitHours ? { reason: "window_open" } : {}),
    evidence: { feed: worst.name, in_step_hours: inStepHours },
  });
}

/** Labels are counted against the rules that spoke, and nothing more: no rule ever reads them. */
function confuse({ confusion }: Tallied, { counts }: HourTallied): void {
  add(confusion, "*", counts["records"] ?? 0, counts["flagged"] ?? 0);
  for (const [name, count] of Object.entries(counts)) {
    if (name.includes(".") && !name.endsWith(" flagged")) add(confusion, name, count, counts[`${name} flagged`] ?? 0);
  }
}

function add(confusion: Tallied["confusion"], name: string, stamped: number, flagged: number): void {
  const before = confusion[name] ?? [0, 0];
  confusion[name] = [before[0] + stamped, before[1] + flagged];
}

function endOf(hour: number): number {
  return hours(hour + 1);
}
