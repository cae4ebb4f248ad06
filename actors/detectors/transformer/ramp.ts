import { learnRls, predicted, type Rls, rls } from "../../statistics/rls.ts";
import { type Settled, settle, settled, settledWeights, unlearn } from "../../statistics/settled.ts";

/**
 * What the residuals of a twin are usually like from hour to hour: weather that nobody measures leaves residuals that last for days and come
 * again at the same hour. What they do not say of themselves (innovations) is close to white, and there a slow fault stands out. Plain numbers,
 * changed in place.
 */
export interface Ramp {
  /** Residual from earlier ones. */
  readonly model: Rls;
  readonly settled: Settled;
  /** Residuals of the latest hours, K, the newest first; of an hour that was not measured, what was expected of it. */
  readonly recent: number[];
  /** Innovations of the latest 24 hours, K, the newest first; null: not measured. */
  readonly innovations: (number | null)[];
  /** Mean square of the innovations over a month, K². What is wild counts as much as `CLIP_SIGMAS` do. */
  variance: number;
  learnt: number;
}

/** The course of a fault: so much hotter in each hour, up to a most. */
export interface RampShape {
  readonly kPerHour: number;
  readonly mostK: number;
}

/** Hours back: the latest, and around the same hour of yesterday. */
const LAGS = [1, 2, 3, 6, 12, 18, 23, 24, 25] as const;
const HELD_HOURS = 25;
const DAY = 24;
const KEEP = 0.9995;
/** A fault that is younger has not yet made a difference. */
const YOUNGEST_HOURS = 4;
const LEARNT_HOURS = 240;
const VARIANCE_HOURS = 720;
const VARIANCE_MIN = 1e-6;
/** Before then nothing is known to be wild. */
const WILD_HOURS = 48;
/** One hour, however wild, is no ramp: an innovation counts for no more than this. */
const CLIP_SIGMAS = 3;

export function ramp(): Ramp {
  return { model: rls(LAGS.length), settled: settled(), recent: [], innovations: [], variance: 0, learnt: 0 };
}

/** Takes in the next hour's residual; null: the hour was not measured. `isLearnt`: it may be taken for usual. */
export function takeResidual(state: Ramp, residualK: number | null, isLearnt: boolean): void {
  const x = LAGS.map((lag) => state.recent[lag - 1] ?? 0);
  const expectedK = predicted({ w: weightsOf(state) }, x);
  const innovationK = residualK === null ? null : residualK - expectedK;
  push(state.innovations, innovationK, DAY);
  push(state.recent, residualK ?? expectedK, HELD_HOURS);
  if (residualK === null || !isLearnt) return;
  const mostK = state.learnt < WILD_HOURS ? Number.POSITIVE_INFINITY : CLIP_SIGMAS * Math.sqrt(state.variance);
  const newK = clipped(residualK - predicted(state.model, x), mostK);
  learnRls(state.model, x, predicted(state.model, x) + newK, KEEP);
  state.learnt += 1;
  state.variance = Math.max(VARIANCE_MIN, state.variance + (newK * newK - state.variance) / Math.min(VARIANCE_HOURS, state.learnt));
}

/** A day has begun. */
export function settleRamp({ settled: known, model }: Ramp): void {
  settle(known, model.w);
}

/** What was learnt within the last day may have been a fault. */
export function unlearnRamp({ settled: known, model }: Ramp): void {
  unlearn(known, model.w);
}

/**
 * How surely a fault of this course has begun within the last day: the likelihood ratio over all hours at which it may have begun, in standard
 * deviations. Null: too little is known. The fault is looked for as it would appear in the innovations.
 */
export function rampSigmas(state: Ramp, shape: RampShape): number | null {
  const sigmaK = innovationSigma(state);
  if (sigmaK === null || sigmaK <= 0) return null;
  const course = courseOf(weightsOf(state), shape);
  const z = state.innovations.map((one) => (one === null ? null : clipped(one / sigmaK, CLIP_SIGMAS)));
  let most = 0;
  for (let hours = YOUNGEST_HOURS; hours <= DAY; hours += 1) most = Math.max(most, likeness(z, course, hours));
  return most;
}

/** Standard deviation of what cannot be expected of an hour, K; null: too little is known. */
export function innovationSigma({ variance, learnt }: Ramp): number | null {
  return learnt < LEARNT_HOURS ? null : Math.sqrt(variance);
}

/** A fault that began `hours` ago against the innovations since then. */
function likeness(z: readonly (number | null)[], course: readonly number[], hours: number): number {
  let [product, square] = [0, 0];
  for (let age = 0; age < hours; age += 1) {
    const value = z[hours - 1 - age] ?? null;
    const expected = course[age] ?? 0;
    if (value === null) continue;
    product += expected * value;
    square += expected * expected;
  }
  return square <= 0 ? 0 : product / Math.sqrt(square);
}

/** The fault's course by its age in hours, less what the model would have expected from the hours before. */
function courseOf(w: readonly number[], { kPerHour, mostK }: RampShape): readonly number[] {
  const heat = (age: number): number => (age < 0 ? 0 : Math.min(mostK, kPerHour * (age + 1)));
  return Array.from({ length: DAY }, (_, age) => LAGS.reduce((left, lag, n) => left - (w[n] ?? 0) * heat(age - lag), heat(age)));
}

function weightsOf({ settled: known, model }: Ramp): readonly number[] {
  return settledWeights(known, model.w);
}

function clipped(value: number, most: number): number {
  return Math.min(most, Math.max(-most, value));
}

function push<T>(list: T[], value: T, most: number): void {
  list.unshift(value);
  if (list.length > most) list.pop();
}
