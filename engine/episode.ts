import { hours } from "./duration.ts";
import type { AlertChange, AlertStatus, CellValue, Origin, Severity } from "./emission.ts";
import { type ActorId, alertId } from "./ids.ts";
import { type LifeEvent, type LifeState, next } from "./life_cycle.ts";
import type { Observation, Rule } from "./rule.ts";

/** `suspect` is said by events only: changes that tell of the actor were lost. No episode keeps it. */
export type AlertFlag = "latched" | "chattering" | "unseen" | "summarised" | "suspect";

/** One alert of one (actor, rule), from suspicion on. Kept when it has ended, so that a record from its time does not raise it again. Immutable. */
export interface Episode {
  readonly rule: string;
  readonly alertId: string;
  readonly state: LifeState;
  /** Event time of the first abnormal observation. */
  readonly onsetMs: number;
  /** Event time at which it ended; null: it has not. */
  readonly endsAtMs: number | null;
  /** Abnormal observations. */
  readonly count: number;
  /** The highest it has had. */
  readonly severity: Severity;
  /** Number of its latest published event, from 1; 0: none yet. */
  readonly revision: number;
  readonly lastHitMs: number;
  /** Normal observations in a row after the last hit, and the time of the first of them. */
  readonly normalsInARow: number;
  readonly normalSinceMs: number | null;
  readonly flags: readonly AlertFlag[];
  /** Somebody has acknowledged or shelved it. */
  readonly seen: boolean;
  readonly origin: Origin;
  /** What was seen by the observation that last mattered: value, limit and clear limit. */
  readonly value: CellValue;
  readonly limit: number | null;
  readonly clear: number | null;
  /** The parent's alert, or `maintenance`. */
  readonly suppressedBy: string | null;
  readonly shelvedUntilMs: number | null;
  /** Onset and end of the episodes before this one, the latest few, latest last. */
  readonly past: readonly Span[];
}

/** A change to publish: the episode right after it, and its event time. */
export interface EpisodeChange {
  readonly change: AlertChange;
  readonly episode: Episode;
  readonly atMs: number;
}

/** What became of an episode. The same object as before, or null: nothing to store. `wakeAtMs`: move its one timer, null: cancel it, undefined: leave it. */
export interface EpisodeStep {
  readonly episode: Episode | null;
  /** In order. More than one only when an episode has ended and the next one begins. */
  readonly changes: readonly EpisodeChange[];
  readonly wakeAtMs: number | null | undefined;
}

/** Who was observed, and how. `origin` is that of an alert which this observation raises. */
export interface EpisodeContext {
  readonly actor: ActorId;
  readonly late: boolean;
  readonly origin: Origin;
  /** The parent's alert that covers what is raised now; null: none does. Asked when something is. */
  readonly coveredBy?: (episode: Episode, atMs: number) => string | null;
}

/** A hit within it has been counted. */
export type Span = readonly [onsetMs: number, endsAtMs: number];

const PAST_MAX = 4;
/** So many episodes that ended within so long before it make a new one a chattering one, and so long it takes to be calm again. */
const CHATTERS = 3;
const CHATTER_MS = hours(1);
const CALM_MS = hours(24);
const NO_NORMALS = { normalsInARow: 0, normalSinceMs: null };
/** From the lowest. */
export const SEVERITIES: readonly Severity[] = ["info", "warning", "major", "critical"];

/**
 * Takes in one evaluation of a rule. Delays count event time between observations, so no timer ends them: silence is not health. Only a pulse
 * ends by a timer. Repeats, and hits from the time of an earlier episode, count and publish nothing; a late hit moves nothing either.
 */
export function observe(episode: Episode | null, rule: Rule, observation: Observation, context: EpisodeContext): EpisodeStep {
  if (observation.holds === true) return hit(episode, rule, observation, context);
  if (observation.holds === null || episode === null || context.late || rule.pulseMs !== undefined) return unchanged(episode);
  return isOpen(episode) && observation.atMs > episode.lastHitMs ? miss(episode, rule, observation) : unchanged(episode);
}

/** The episode's timer has come due: the end of a pulse, or of shelving. Safe to call at any time. */
export function wake(episode: Episode, rule: Rule, dueMs: number): EpisodeStep {
  if (episode.state === "shelved")
    return dueMs < (episode.shelvedUntilMs ?? 0) ? wakes(unchanged(episode), rule) : unshelve(episode, rule, dueMs);
  return wakes(expire(episode, rule, dueMs), rule);
}

/** An operator has seen it. Only a raised one can be acknowledged. */
export function acknowledge(episode: Episode, atMs: number): EpisodeStep {
  return move(episode, "acknowledged", "acknowledged", atMs, { seen: true });
}

/** Quiet until `untilMs`; then it is raised again if the condition still holds, else cleared. */
export function shelve(episode: Episode, untilMs: number, atMs: number): EpisodeStep {
  const step = move(episode, "shelved", "shelved", atMs, { seen: true, shelvedUntilMs: untilMs });
  return step.changes.length === 0 ? step : { ...step, wakeAtMs: untilMs };
}

/** A parent's alert `by` covers it: it goes on, marked. */
export function suppress(episode: Episode, by: string, atMs: number): EpisodeStep {
  return move(episode, "parent_claimed", "suppressed", atMs, { suppressedBy: by });
}

/** The parent's alert is over. `next`: another one that covers it. */
export function release(episode: Episode, rule: Rule, atMs: number, next: string | null = null): EpisodeStep {
  if (episode.state !== "suppressed") return unchanged(episode);
  if (next !== null && isAbnormal(episode, rule, atMs)) return publish(episode, episode.state, { suppressedBy: next }, "suppressed", atMs);
  const open = { suppressedBy: null };
  if (!isAbnormal(episode, rule, atMs))
    return move(episode, "parent_released_normal", "cleared", atMs, { ...open, ...over(episode, atMs) });
  return wakes(move(episode, "parent_released_abnormal", "updated", atMs, open), rule);
}

/** An operator, or a completed field record, ends it: the only end of a latched one. */
export function resolve(episode: Episode, atMs: number): EpisodeStep {
  const patch = { ...over({ ...episode, seen: true }, atMs), seen: true, suppressedBy: null, shelvedUntilMs: null };
  return cancelled(move(episode, "resolved", "cleared", atMs, patch));
}

/** Corrected facts take it back, also after its end. */
export function retract(episode: Episode, atMs: number, value: CellValue = episode.value): EpisodeStep {
  return cancelled(move(episode, "retracted", "amended", atMs, { value, endsAtMs: episode.endsAtMs ?? atMs, suppressedBy: null }));
}

/** Corrected facts say otherwise of what raised it: it stands with another value, or nothing is left of it. A suspicion that is not published just ends. */
export function amend(episode: Episode, observation: Observation): EpisodeStep {
  const { holds, value, limit = episode.limit, clear = episode.clear, severity = episode.severity } = observation;
  const atMs = Math.max(observation.atMs, episode.endsAtMs ?? episode.lastHitMs); // An alert's events do not go back in time.
  if (episode.revision === 0)
    return holds === true ? unchanged(episode) : unchanged(episode.past.length === 0 ? null : { ...episode, state: "normal" });
  if (holds !== true) return retract(episode, atMs, value);
  if (value === episode.value && severity === episode.severity) return unchanged(episode);
  return publish(episode, episode.state, { value, limit, clear, severity }, "amended", atMs);
}

/** Begun, if only as a suspicion, and not over: its observations must be looked at, whatever they say. */
export function isOpen({ state }: Episode): boolean {
  return state !== "normal" && state !== "cleared" && state !== "retracted";
}

/** The status that consumers see. A suspicion is not published. */
export function statusOf({ state }: Episode): AlertStatus {
  switch (state) {
    case "normal":
    case "suspected":
    case "raised":
      return "open";
    case "acknowledged":
    case "suppressed":
    case "shelved":
    case "cleared":
    case "retracted":
      return state;
  }
}

// Observations

function hit(before: Episode | null, rule: Rule, observation: Observation, context: EpisodeContext): EpisodeStep {
  const { atMs } = observation;
  const ended = before === null ? unchanged(null) : expire(before, rule, atMs); // The clock may lag, and the timer be still to come.
  const { episode } = ended;
  if (episode !== null && isOpen(episode)) return context.late ? unchanged(counted(episode)) : again(episode, rule, observation, context);
  if (episode !== null && isEnded(episode) && within(spanOf(episode), atMs)) return unchanged(counted(episode));
  if (episode?.past.some((span) => within(span, atMs))) return wakes(ended, rule);
  if (context.late && (onDelayMs(rule) > 0 || onCount(rule) > 1)) return unchanged(episode); // What came after it is not known here.
  const begun = begin(episode, rule, observation, context);
  return wakes({ ...begun, changes: [...ended.changes, ...begun.changes] }, rule);
}

function begin(before: Episode | null, rule: Rule, observation: Observation, context: EpisodeContext): EpisodeStep {
  const { actor, origin } = context;
  const { atMs, value, limit = null, clear = null, severity = rule.severity } = observation;
  const past = before === null ? [] : isEnded(before) ? [...before.past, spanOf(before)] : before.past;
  const latched: readonly AlertFlag[] = rule.latched === true || observation.latched === true ? ["latched"] : [];
  const episode: Episode = {
    rule: rule.id,
    alertId: alertId(actor, rule.id, atMs),
    state: next("normal", "abnormal"),
    onsetMs: atMs,
    endsAtMs: null,
    count: 1,
    severity,
    revision: 0,
    lastHitMs: atMs,
    normalsInARow: 0,
    normalSinceMs: null,
    flags: [...latched, ...(chatters(before, past, atMs) ? ["chattering" as const] : [])],
    seen: false,
    origin,
    value,
    limit,
    clear,
    suppressedBy: null,
    shelvedUntilMs: null,
    past: past.slice(-PAST_MAX),
  };
  return confirm(episode, rule, atMs, context);
}

/** Three episodes have ended within an hour; it counts as chattering until there was none for a day. */
function chatters(before: Episode | null, past: readonly Span[], atMs: number): boolean {
  if (endedSince(past, atMs - CHATTER_MS) >= CHATTERS) return true;
  return before?.flags.includes("chattering") === true && endedSince(past, atMs - CALM_MS) > 0;
}

function endedSince(past: readonly Span[], sinceMs: number): number {
  return past.filter(([, endsAtMs]) => endsAtMs >= sinceMs).length;
}

/** Raises a suspicion once it is old enough and has been seen often enough. What a parent's alert covers is raised suppressed. */
function confirm(episode: Episode, rule: Rule, atMs: number, { coveredBy }: EpisodeContext): EpisodeStep {
  if (atMs - episode.onsetMs < onDelayMs(rule) || episode.count < onCount(rule)) return unchanged(episode);
  const by = coveredBy?.(episode, atMs) ?? null;
  const raised = next(episode.state, "on_delay_passed");
  const patch: Partial<Episode> = by === null ? {} : { suppressedBy: by };
  return publish(episode, by === null ? raised : next(raised, "parent_claimed"), patch, "raised", atMs);
}

/** A pulse is one record: it does not wait. */
function onDelayMs(rule: Rule): number {
  return rule.pulseMs === undefined ? (rule.onDelayMs ?? 0) : 0;
}

function onCount(rule: Rule): number {
  return rule.pulseMs === undefined ? (rule.onCount ?? 1) : 1;
}

/** A hit inside an open episode. */
function again(before: Episode, rule: Rule, observation: Observation, context: EpisodeContext): EpisodeStep {
  const { atMs, value, limit = null, clear = null, severity = rule.severity } = observation;
  const latest = atMs >= before.lastHitMs ? { lastHitMs: atMs, value, limit, clear } : {};
  const row = before.normalSinceMs !== null && atMs >= before.normalSinceMs ? NO_NORMALS : {};
  const worse = SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(before.severity);
  const latches = observation.latched === true && !isLatched(before, rule);
  const flags: readonly AlertFlag[] = latches ? [...before.flags, "latched"] : before.flags;
  const episode: Episode = { ...counted(before), ...latest, ...row, severity: worse ? severity : before.severity, flags };
  if (episode.state === "suspected") return confirm(episode, rule, atMs, context);
  return wakes(worse || latches ? publish(episode, episode.state, {}, "updated", atMs) : unchanged(episode), rule);
}

/** An observation that is not abnormal, later than the last hit, in an open episode. */
function miss(before: Episode, rule: Rule, observation: Observation): EpisodeStep {
  const { atMs, value, limit = before.limit, clear = before.clear } = observation;
  if (!isBackToNormal(observation)) return unchanged(before.normalsInARow === 0 ? before : { ...before, ...NO_NORMALS });
  if (before.state === "suspected") return unchanged(before.past.length === 0 ? null : { ...before, state: next("suspected", "normal") });
  if (isLatched(before, rule)) return unchanged(before);
  const episode: Episode = {
    ...before,
    normalsInARow: before.normalsInARow + 1,
    normalSinceMs: Math.min(before.normalSinceMs ?? atMs, atMs),
  };
  if (isAbnormal(episode, rule, atMs)) return unchanged(episode);
  return move(episode, "off_delay_passed", "cleared", atMs, { value, limit, clear, ...over(episode, atMs) });
}

/** Below the clear limit, for a limit that is upper (not below the clear limit); above it for a lower one. In between is neither normal nor abnormal. */
function isBackToNormal({ value, limit, clear }: Observation): boolean {
  if (clear === undefined || limit === clear || typeof value !== "number") return true;
  return limit === undefined || limit > clear ? value < clear : value > clear;
}

// Ends

/** Whether the condition holds as of a time: nothing has ended it for as long as the rule asks. */
function isAbnormal(episode: Episode, rule: Rule, atMs: number): boolean {
  if (isLatched(episode, rule)) return true;
  if (rule.pulseMs !== undefined) return atMs < episode.lastHitMs + rule.pulseMs;
  const { normalsInARow, normalSinceMs } = episode;
  return normalSinceMs === null || normalsInARow < (rule.offCount ?? 1) || atMs - normalSinceMs < offDelayMs(episode, rule);
}

/** What chatters has to be quiet for longer: twice as long, four times from the fourth time in an hour on. */
function offDelayMs({ flags, past, onsetMs }: Episode, { offDelayMs: delayMs = 0 }: Rule): number {
  if (!flags.includes("chattering")) return delayMs;
  return delayMs * 2 ** Math.max(1, Math.min(3, endedSince(past, onsetMs - CHATTER_MS) - CHATTERS + 1));
}

/** Ends a pulse whose time is over, at the time at which it was. */
function expire(episode: Episode, rule: Rule, atMs: number): EpisodeStep {
  if (rule.pulseMs === undefined || isAbnormal(episode, rule, atMs)) return unchanged(episode);
  const endsAtMs = episode.lastHitMs + rule.pulseMs;
  return move(episode, "off_delay_passed", "cleared", endsAtMs, over(episode, endsAtMs));
}

function unshelve(episode: Episode, rule: Rule, atMs: number): EpisodeStep {
  const open = { shelvedUntilMs: null };
  if (!isAbnormal(episode, rule, atMs)) return move(episode, "shelf_ended_normal", "cleared", atMs, { ...open, ...over(episode, atMs) });
  return wakes(move(episode, "shelf_ended_abnormal", "updated", atMs, open), rule);
}

/** What changes when an episode ends: one that nobody has seen says so, unless its parent's alert was there to be seen. */
function over({ seen, flags, suppressedBy }: Episode, endsAtMs: number): Partial<Episode> {
  return { endsAtMs, flags: seen || suppressedBy !== null ? flags : [...flags, "unseen"] };
}

function isEnded({ state }: Episode): boolean {
  return state === "cleared" || state === "retracted";
}

/** By its rule, or by one of its hits. */
function isLatched({ flags }: Episode, rule: Rule): boolean {
  return rule.latched === true || flags.includes("latched");
}

function spanOf({ onsetMs, endsAtMs, lastHitMs }: Episode): Span {
  return [onsetMs, endsAtMs ?? lastHitMs];
}

function within([onsetMs, endsAtMs]: Span, atMs: number): boolean {
  return atMs === onsetMs || (onsetMs < atMs && atMs < endsAtMs);
}

// Steps

function unchanged(episode: Episode | null): EpisodeStep {
  return { episode, changes: [], wakeAtMs: undefined };
}

function counted(episode: Episode): Episode {
  return { ...episode, count: episode.count + 1 };
}

/** Takes an event to the life cycle, and publishes the change if it leads to another state. */
function move(before: Episode, event: LifeEvent, change: AlertChange, atMs: number, patch: Partial<Episode>): EpisodeStep {
  const state = next(before.state, event);
  return state === before.state ? unchanged(before) : publish(before, state, patch, change, atMs);
}

function publish(before: Episode, state: LifeState, patch: Partial<Episode>, change: AlertChange, atMs: number): EpisodeStep {
  const episode: Episode = { ...before, ...patch, state, revision: before.revision + 1 };
  return { episode, changes: [{ change, episode, atMs }], wakeAtMs: undefined };
}

/** What is suppressed ends by itself, too: its parent counts on hearing of it. */
const ENDS_BY_TIMER: readonly LifeState[] = ["raised", "acknowledged", "suppressed"];

/** The step with the timer that its episode needs: the end of shelving or of the pulse. */
function wakes(step: EpisodeStep, rule: Rule): EpisodeStep {
  const { episode } = step;
  if (episode?.state === "shelved") return { ...step, wakeAtMs: episode.shelvedUntilMs };
  if (episode === null || rule.pulseMs === undefined || rule.latched === true) return step;
  const runs = ENDS_BY_TIMER.includes(episode.state) && !isLatched(episode, rule);
  return { ...step, wakeAtMs: runs ? episode.lastHitMs + rule.pulseMs : null };
}

function cancelled(step: EpisodeStep): EpisodeStep {
  return step.changes.length === 0 ? step : { ...step, wakeAtMs: null };
}
