import { hours } from "../../../engine/duration.ts";
import { alphaOf } from "../../statistics/ewma.ts";
import { countIn, halve, type LogHistogram, logHistogram, quantileOf } from "../../statistics/loghist.ts";
import { learnRls, predicted, type Rls, rls } from "../../statistics/rls.ts";
import { type Settled, settle, settled, settledWeights, unlearn } from "../../statistics/settled.ts";
import { type Ramp, ramp, settleRamp, takeResidual, unlearnRamp } from "./ramp.ts";

/** Means of one hour of the grid. Null: not measured. */
export interface HourMeans {
  readonly hour: number;
  readonly oilC: number;
  readonly ambientC: number | null;
  /** Losses as a share of those at rated load, from IEC 60076-7. */
  readonly lossShare: number | null;
}

/** What the twin says of an hour. */
export interface Verdict {
  readonly predictedC: number;
  readonly residualK: number;
  /** Standard deviation of residuals, robustly. Null until enough hours are known. */
  readonly sigmaK: number | null;
  /** The same of their running mean over some hours: large where residuals are long-lived, as under weather that is not measured. */
  readonly slowSigmaK: number;
  /** Hours learnt. */
  readonly n: number;
}

/**
 * What oil should be, learnt from load, weather and the oil of a day ago and before. No oil younger than 24 hours may enter: a forecast of one
 * step carries a fault in its own past, and is blind to it. Plain numbers, changed in place.
 */
export interface Twin {
  /** The last hour taken in. */
  hour: number;
  /** Whether load and ambient are inputs: decided by the first days. */
  inputs: { readonly load: boolean; readonly ambient: boolean } | null;
  readonly seen: { hours: number; load: number; ambient: number };
  lossFiltered: number | null;
  ambientFiltered: number | null;
  /** Oil of the last 24 hours by hour of the day; null where nothing was measured. While a fault stands, what was predicted. */
  readonly ring: (number | null)[];
  /** Means of the oil that is older, over a day and over a week. */
  dayC: number | null;
  weekC: number | null;
  /** Mean of the losses in the first days, in the load's own unit. */
  lossUnit: number;
  model: Rls | null;
  settled: Settled;
  /** Nothing is learnt now. */
  isFrozen: boolean;
  learnt: number;
  /** Absolute residuals, and those of their running mean. */
  readonly residuals: LogHistogram;
  slowK: number;
  readonly slowResiduals: LogHistogram;
  /** Residuals from hour to hour. */
  ramp: Ramp;
  /** Hours of the last week without the load that the model needs, as a share. */
  loadMissing: number;
}

const DAY = 24;
const KEEP = 0.9995;
const WEEK_MS = hours(168);
const SLOW_MS = hours(6);
/** These hours decide what the inputs are, before the model begins to learn. */
const SETTLE_HOURS = 72;
/** Residuals of a model that has hardly begun are no measure of it. */
const JUDGE_HOURS = 240;
/** Cold until then. */
const LEARNT_HOURS = 720;
const HOURS_PER_HALVING = 720;
const MISSING_MAX = 0.2;
const PRESENT_MIN = 0.8;
const RESIDUAL_FROM_K = 0.01;
const TO_SIGMA = 1.4826;
const WILD_SIGMAS = 3;
/** Temperatures enter as (T - 40) / 10. A scale that followed them would take the seasons out of the inputs, and the model would chase them. */
const MIDDLE_C = 40;
const UNIT_K = 10;

export function twin(hour: number): Twin {
  return {
    hour,
    inputs: null,
    seen: { hours: 0, load: 0, ambient: 0 },
    lossFiltered: null,
    ambientFiltered: null,
    ring: new Array<number | null>(DAY).fill(null),
    dayC: null,
    weekC: null,
    lossUnit: 0,
    model: null,
    settled: settled(),
    isFrozen: false,
    learnt: 0,
    residuals: logHistogram(),
    slowK: 0,
    slowResiduals: logHistogram(),
    ramp: ramp(),
    loadMissing: 0,
  };
}

/**
 * Takes in an hour, later than all before. `tauMs`: time constant of the top oil. `isFrozen`: a fault stands, so that nothing is learnt and the ring
 * takes the prediction. Null: not enough is known to say anything of this hour.
 */
export function takeHour(state: Twin, means: HourMeans, tauMs: number, isFrozen: boolean): Verdict | null {
  if (isFrozen && !state.isFrozen) forgetToday(state);
  state.isFrozen = isFrozen;
  if (!isFrozen && Math.floor(means.hour / DAY) > Math.floor(state.hour / DAY)) settleAll(state);
  const dayAgoC = advance(state, means.hour);
  filter(state, means, tauMs);
  const x = inputsOf(state, means, dayAgoC);
  const verdict = x === null || state.model === null ? null : judge(state, means, x);
  if (state.learnt >= JUDGE_HOURS) takeResidual(state.ramp, verdict?.residualK ?? null, !isFrozen);
  if (x !== null && !isFrozen) learn(state, means, x, verdict);
  state.ring[means.hour % DAY] = isFrozen && verdict !== null ? verdict.predictedC : means.oilC;
  return verdict;
}

/** Learns anew from here on, with what it knows as a beginning: what was a deviation is the new normal. */
export function rebase(state: Twin): void {
  if (state.model !== null) state.model = { ...rls(state.model.w.length), w: state.model.w };
  state.settled = settled();
  state.residuals.fill(0);
  state.slowResiduals.fill(0);
  state.ramp = ramp();
  state.learnt = 0;
}

function settleAll({ model, settled: known, ramp: residuals }: Twin): void {
  if (model !== null) settle(known, model.w);
  settleRamp(residuals);
}

/** A fault is found within a day of its beginning: what was learnt meanwhile was the fault. */
function forgetToday({ model, settled: known, ramp: residuals }: Twin): void {
  if (model !== null) unlearn(known, model.w);
  unlearnRamp(residuals);
}

/** Moves to an hour; hours that are skipped have no oil. Returns the oil of exactly a day ago, which now counts as older. */
function advance(state: Twin, hour: number): number | null {
  for (let skipped = Math.max(state.hour + 1, hour - DAY); skipped < hour; skipped += 1) {
    leave(state, skipped);
    if (state.learnt >= JUDGE_HOURS) takeResidual(state.ramp, null, false);
  }
  state.hour = hour;
  return leave(state, hour);
}

/** The oil in this hour's place of the ring leaves it. */
function leave(state: Twin, hour: number): number | null {
  const place = hour % DAY;
  const oilC = state.ring[place] ?? null;
  state.ring[place] = null;
  if (oilC === null) return null;
  state.dayC = towards(state.dayC, oilC, hours(1), hours(DAY));
  state.weekC = towards(state.weekC, oilC, hours(1), WEEK_MS);
  return oilC;
}

/** Load and weather reach the oil with its time constant. */
function filter(state: Twin, { ambientC, lossShare }: HourMeans, tauMs: number): void {
  if (lossShare !== null) state.lossFiltered = towards(state.lossFiltered, lossShare, hours(1), tauMs);
  if (ambientC !== null) state.ambientFiltered = towards(state.ambientFiltered, ambientC, hours(1), tauMs);
  state.loadMissing = towards(state.loadMissing, lossShare === null ? 1 : 0, hours(1), WEEK_MS);
  if (state.inputs !== null) return;
  const { seen } = state;
  seen.hours += 1;
  seen.ambient += ambientC === null ? 0 : 1;
  if (lossShare !== null) {
    seen.load += 1;
    state.lossUnit += (lossShare - state.lossUnit) / seen.load;
  }
  if (seen.hours < SETTLE_HOURS) return;
  const isUsual = (hoursSeen: number): boolean => hoursSeen >= PRESENT_MIN * seen.hours;
  state.inputs = { load: isUsual(seen.load), ambient: isUsual(seen.ambient) };
}

/** The model's inputs, each about -3 … 3; null while one is missing. */
function inputsOf(state: Twin, { hour, ambientC, lossShare }: HourMeans, dayAgoC: number | null): number[] | null {
  const { inputs, dayC, weekC, lossFiltered, ambientFiltered, lossUnit } = state;
  if (dayAgoC === null || dayC === null || weekC === null) return null;
  if (inputs === null || (inputs.load && lossShare === null) || (inputs.ambient && ambientC === null)) return null;
  const angle = (2 * Math.PI * (hour % DAY)) / DAY;
  return [
    1,
    ...(inputs.load ? [(lossFiltered ?? 0) / lossUnit - 1] : []),
    ...(inputs.ambient ? [scaled(ambientFiltered ?? 0)] : []),
    Math.sin(angle),
    Math.cos(angle),
    Math.sin(2 * angle),
    Math.cos(2 * angle),
    scaled(dayAgoC),
    scaled(dayC),
    scaled(weekC),
  ];
}

function scaled(temperatureC: number): number {
  return (temperatureC - MIDDLE_C) / UNIT_K;
}

function judge(state: Twin, { oilC }: HourMeans, x: readonly number[]): Verdict {
  const predictedC = state.model === null ? oilC : predicted({ w: settledWeights(state.settled, state.model.w) }, x);
  const isKnown = state.learnt >= LEARNT_HOURS && !(state.inputs?.load === true && state.loadMissing > MISSING_MAX);
  const verdict = { predictedC, residualK: oilC - predictedC, n: state.learnt };
  return { ...verdict, sigmaK: isKnown ? sigmaOf(state.residuals) : null, slowSigmaK: sigmaOf(state.slowResiduals) ?? 0 };
}

function sigmaOf(residuals: LogHistogram): number | null {
  const middle = quantileOf(residuals, 0.5, RESIDUAL_FROM_K);
  return middle === null ? null : TO_SIGMA * middle;
}

function learn(state: Twin, { oilC }: HourMeans, x: readonly number[], verdict: Verdict | null): void {
  state.model ??= rls(x.length);
  learnRls(state.model, x, tamed(state.model, x, oilC, verdict?.sigmaK ?? null), KEEP);
  state.learnt += 1;
  if (verdict === null || state.learnt < JUDGE_HOURS) return;
  state.slowK = towards(state.slowK, verdict.residualK, hours(1), SLOW_MS);
  countIn(state.residuals, Math.abs(verdict.residualK), RESIDUAL_FROM_K);
  countIn(state.slowResiduals, Math.abs(state.slowK), RESIDUAL_FROM_K);
  if (state.learnt % HOURS_PER_HALVING !== 0) return;
  halve(state.residuals);
  halve(state.slowResiduals);
}

/** What is to be learnt of an hour: one that is wild counts no more than the most that is not. */
function tamed(model: Rls, x: readonly number[], oilC: number, sigmaK: number | null): number {
  if (sigmaK === null) return oilC;
  const expectedC = predicted(model, x);
  return expectedC + Math.min(WILD_SIGMAS * sigmaK, Math.max(-WILD_SIGMAS * sigmaK, oilC - expectedC));
}

function towards(from: number | null, to: number, elapsedMs: number, tauMs: number): number {
  return from === null ? to : from + alphaOf(elapsedMs, tauMs) * (to - from);
}
