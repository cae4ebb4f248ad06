import type { Out, Woken } from "../../engine/behaviour.ts";
import { days, hours } from "../../engine/duration.ts";
import type { GridMessage } from "../message.ts";
import { type LimitsOf, limitsOf } from "../rules.ts";
import { GAP_SPREAD_FIRST, silentAfterMs } from "../statistics/cadence.ts";
import { movedMedian, movedSpread } from "../statistics/robust.ts";
import { rounded } from "./rounded.ts";

/** How often an actor reports: its last time, and the median and spread of ln(gap in ms). Changed in place. */
export interface Cadence {
  lastAtMs: number | null;
  gapLog: number;
  gapSpread: number;
  gaps: number;
  /** A timer is set. */
  isWatched: boolean;
}

/** The name of the timer that looks whether it still does. */
export const SILENCE_TIMER = "silence";

/** A gap this many times as long as usual is late. */
const LATE_GAPS = 2;

type SilentRule = "plant.silent" | "meter.silent";
type Limits = LimitsOf<SilentRule>;

export function cadence(): Cadence {
  return { lastAtMs: null, gapLog: 0, gapSpread: 0, gaps: 0, isWatched: false };
}

/** Takes in a record on time. The first ones teach; from then on a timer watches, which is not moved by each record: it looks at the last time when it fires. */
export function reported(state: Cadence, atMs: number, rule: SilentRule, out: Out<GridMessage>): void {
  const before = state.lastAtMs;
  if (before !== null && atMs <= before) return;
  if (before !== null) learnGap(state, atMs - before);
  state.lastAtMs = atMs;
  if (out.hasEpisode(rule)) heard(atMs, rule, out);
  watchFrom(state, rule, out);
}

/** Sets the timer if there is none, once the pace is known. */
export function watchFrom(state: Cadence, rule: SilentRule, out: Out<GridMessage>): void {
  if (state.isWatched || state.lastAtMs === null) return;
  const limits = limitsOf(out, rule);
  if (state.gaps >= limits.gapsMin) lookAt(state, state.lastAtMs + limitMs(state, limits), out);
}

/** `<kind>.silent`: the timer has come due. A feed that was quiet as a whole makes nobody silent. True: this actor is. */
export function judgeSilence(state: Cadence, { dueMs, clockMs, steppedMs }: Woken, rule: SilentRule, out: Out<GridMessage>): boolean {
  if (state.lastAtMs === null) return false;
  const limits = limitsOf(out, rule);
  const mostMs = limitMs(state, limits);
  const silentMs = dueMs - state.lastAtMs;
  state.isWatched = false;
  const nextMs = steppedMs > mostMs / 2 ? clockMs + mostMs : silentMs < mostMs ? nextLookMs(state, dueMs, silentMs, mostMs, limits) : null;
  if (nextMs !== null) {
    lookAt(state, nextMs, out);
    return false;
  }
  observeSilence(state, dueMs, rule, out);
  if (silentMs < hours(limits.majorHours)) lookAt(state, state.lastAtMs + hours(limits.majorHours), out);
  return true;
}

/** The actor is silent as of a time. */
export function observeSilence(state: Cadence, atMs: number, rule: SilentRule, out: Out<GridMessage>): void {
  if (state.lastAtMs === null) return;
  const limits = limitsOf(out, rule);
  const silentMs = atMs - state.lastAtMs;
  out.observe(rule, {
    holds: true,
    atMs,
    value: rounded(silentMs / hours(1), 2),
    limit: rounded(limitMs(state, limits) / hours(1), 2),
    severity: silentMs >= hours(limits.majorHours) ? "major" : "warning",
    evidence: { last_at: state.lastAtMs, n: state.gaps, usual_gap_hours: rounded(Math.exp(state.gapLog) / hours(1), 3) },
  });
}

/** The actor is heard. False: not late enough to end its silence, since it fell silent once more. */
export function heard(atMs: number, rule: SilentRule, out: Out<GridMessage>): boolean {
  const alert = out.alertOf(rule);
  if (alert?.isOpen !== true) out.amend(rule, { holds: false, atMs, value: 0 });
  else if (atMs < alert.onsetMs) return amendSilence(atMs, rule, out);
  else out.observe(rule, { holds: false, atMs: Math.max(atMs, alert.lastHitMs + 1), value: 0 });
  return true;
}

/** A record of the time before a silence was raised: if too little was left of it, it was none. True: so it was. */
export function amendSilence(atMs: number, rule: SilentRule, out: Out<GridMessage>): boolean {
  const alert = out.alertOf(rule);
  if (alert === null || alert.limit === null) return false;
  const leftHours = rounded((alert.onsetMs - atMs) / hours(1), 2);
  if (leftHours < 0 || leftHours >= alert.limit) return false;
  out.amend(rule, { holds: false, atMs, value: leftHours, limit: alert.limit, evidence: { heard_at: atMs } });
  return true;
}

/** Who has just reported need not be looked at again as soon as it could be silent; who is late is. */
function nextLookMs({ lastAtMs, gapLog }: Cadence, dueMs: number, silentMs: number, mostMs: number, { lookEveryHours }: Limits): number {
  const silentAtMs = (lastAtMs ?? dueMs) + mostMs;
  return silentMs > LATE_GAPS * Math.exp(gapLog) ? silentAtMs : Math.max(silentAtMs, dueMs + hours(lookEveryHours));
}

function lookAt(state: Cadence, atMs: number, out: Out<GridMessage>): void {
  state.isWatched = true;
  out.wakeAt(SILENCE_TIMER, atMs);
}

function learnGap(state: Cadence, gapMs: number): void {
  const gap = Math.log(gapMs);
  const median = state.gaps === 0 ? gap : movedMedian(state.gapLog, state.gapSpread, gap);
  state.gapSpread = state.gaps === 0 ? GAP_SPREAD_FIRST : movedSpread(median, state.gapSpread, gap);
  state.gapLog = median;
  state.gaps += 1;
}

function limitMs({ gapLog, gapSpread }: Cadence, { limitMinHours }: Limits): number {
  return Math.min(days(7), Math.max(hours(limitMinHours), silentAfterMs(gapLog, gapSpread)));
}
