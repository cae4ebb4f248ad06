import { hours } from "../../../engine/duration.ts";
import { alphaOf, FAST_MS, SLOW_MS } from "../../statistics/ewma.ts";
import { nlmsGuard, nlmsWeight } from "../../statistics/nlms.ts";
import { byRank } from "../../statistics/topk.ts";

/** What a meter below the transformer says of an hour. */
export interface ChildHour {
  readonly id: string;
  /** Null: missing, filled or estimated. */
  readonly kwh: number | null;
  /** What it uses in this hour when it uses much, as it was known before; null: not known. */
  readonly upperKwh: number | null;
}

/** How much a child explains of what is missing. Plain numbers, changed in place. */
export interface Share {
  /** Part of its shortfall that is missing at the transformer. */
  w: number;
  /** Decayed sums of shortfall x gap and of shortfall squared. */
  a: number;
  b: number;
  /** Sum of weight x shortfall, kWh, since the balance began to be determinate: forgotten within a month. */
  kwh: number;
}

/** The transformer's balance. Plain numbers, changed in place. */
export interface Balance {
  /** Determinate hours. */
  hours: number;
  /** Means of the energy (month) and of metered over measured (week). Null: nothing yet. */
  meanKwh: number | null;
  metered: number | null;
  /** Loss model: a share of the mean, and one that grows with the square of the energy. */
  lossA: number;
  lossB: number;
  /** Mean sum of squared shortfalls. */
  usualSquare: number;
  /** Decayed sum of squared gaps. */
  g: number;
  readonly shares: Record<string, Share>;
}

/** What an hour says, or why it says nothing. */
export type HourVerdict =
  | {
      readonly type: "determinate";
      readonly energyKwh: number;
      readonly gapKwh: number;
      readonly rawKwh: number;
      readonly errorKwh: number;
      readonly coverage: number;
    }
  | { readonly type: "indeterminate"; readonly reason: "coverage" | "scale_mismatch" | "cold" };

const COVERAGE_MIN = 0.95;
const SCALE_MIN = 0.5;
const SCALE_MAX = 1.05;
const WEEK_MS = hours(168);
const HOUR_MS = hours(1);
const WEIGHT_STEP = 0.02;
/** Twenty times slower than the weights, and bounded: losses cannot absorb a theft. */
const LOSS_STEP = 0.001;
const LOSS_AFTER_HOURS = 24;
const LOSS_A_MAX = 0.03;
const LOSS_B_MAX = 0.06;
const KEEP = 1 - 1 / 720;
/** Of a child that nothing is known of, kWh in an hour. */
const EXPECTED_KWH = 0.4;

export function balance(): Balance {
  return { hours: 0, meanKwh: null, metered: null, lossA: 0, lossB: 0, usualSquare: 0, g: 0, shares: {} };
}

/** Takes in an hour: what the transformer delivered, and its children in order of ids. */
export function balanceHour(state: Balance, energyKwh: number | null, children: readonly ChildHour[]): HourVerdict {
  const coverage = coverageOf(children);
  if (energyKwh === null || coverage < COVERAGE_MIN) return { type: "indeterminate", reason: "coverage" };
  const meteredKwh = children.reduce((sum, { kwh }) => sum + (kwh ?? 0), 0);
  if (energyKwh <= 0) return { type: "indeterminate", reason: "cold" };
  state.metered = towards(state.metered, meteredKwh / energyKwh, alphaOf(HOUR_MS, WEEK_MS));
  if (state.metered < SCALE_MIN || state.metered > SCALE_MAX) return { type: "indeterminate", reason: "scale_mismatch" };
  state.meanKwh = towards(state.meanKwh, energyKwh, alphaOf(HOUR_MS, SLOW_MS));
  state.hours += 1;
  const rawKwh = energyKwh - meteredKwh;
  const [z1, z2] = [state.meanKwh, (energyKwh * energyKwh) / state.meanKwh];
  const lossKwh = state.lossA * z1 + state.lossB * z2;
  const gapKwh = rawKwh - lossKwh;
  const errorKwh = attribute(state, children, gapKwh);
  if (state.hours > LOSS_AFTER_HOURS) {
    const norm = z1 * z1 + z2 * z2;
    state.lossA = bounded(state.lossA + (LOSS_STEP * errorKwh * z1) / norm, LOSS_A_MAX);
    state.lossB = bounded(state.lossB + (LOSS_STEP * errorKwh * z2) / norm, LOSS_B_MAX);
  }
  return { type: "determinate", energyKwh, gapKwh, rawKwh, errorKwh, coverage };
}

/** Moves the weights by what they leave unexplained, with its sign: an error that is clipped would only ever accuse. Returns the error. */
function attribute(state: Balance, children: readonly ChildHour[], gapKwh: number): number {
  const shortfalls = children.map((child) => ({ share: shareOf(state, child.id), kwh: shortfallOf(child) }));
  const square = shortfalls.reduce((sum, { kwh }) => sum + kwh * kwh, 0);
  const explained = shortfalls.reduce((sum, { share, kwh }) => sum + share.w * kwh, 0);
  const error = gapKwh - explained;
  state.usualSquare = towards(state.usualSquare, square, alphaOf(HOUR_MS, FAST_MS * 7));
  const divisor = nlmsGuard(state.usualSquare) + square;
  const gap = Math.max(0, gapKwh);
  for (const { share, kwh } of shortfalls) {
    share.kwh = KEEP * share.kwh + share.w * kwh;
    share.w = nlmsWeight(share.w, error, kwh, divisor, WEIGHT_STEP);
    share.a = KEEP * share.a + kwh * gap;
    share.b = KEEP * share.b + kwh * kwh;
  }
  state.g = KEEP * state.g + gap * gap;
  return error;
}

/** A child in a ranking, with what its score is made of. */
export interface RankedChild {
  readonly id: string;
  readonly score: number;
  readonly cos: number;
  readonly w: number;
  /** Variation of its days against that of its siblings, 0 … 1. */
  readonly cv: number;
  readonly kwh: number;
}

const WEIGHT_PART = 0.3;
const CV_PART = 0.3;
const SIBLINGS_MIN = 5;

/** Who explains best what is missing: highest first. `cvs`: variation (deviation over mean) of the days of each child that is known. */
export function rankChildren(state: Balance, cvs: Readonly<Record<string, number>>): readonly RankedChild[] {
  return Object.keys(state.shares)
    .map((id): RankedChild => {
      const { w, a, b, kwh } = shareOf(state, id);
      const cos = b > 0 && state.g > 0 ? a / Math.sqrt(b * state.g) : 0;
      const cv = cvTerm(id, cvs);
      return { id, score: cos + WEIGHT_PART * Math.min(1, w) + CV_PART * cv, cos, w, cv, kwh };
    })
    .sort(byRank);
}

/** Whose days vary more than those of its siblings: clamp(own / median of the others - 1, 0, 1). */
function cvTerm(id: string, cvs: Readonly<Record<string, number>>): number {
  const own = cvs[id];
  const others = Object.keys(cvs)
    .filter((other) => other !== id)
    .map((other) => cvs[other] ?? 0);
  if (own === undefined || others.length < SIBLINGS_MIN - 1) return 0;
  const middle = medianOf(others);
  return middle <= 0 ? 0 : Math.min(1, Math.max(0, own / middle - 1));
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function coverageOf(children: readonly ChildHour[]): number {
  let [known, all] = [0, 0];
  for (const { kwh, upperKwh } of children) {
    const expected = upperKwh ?? EXPECTED_KWH;
    all += expected;
    if (kwh !== null) known += expected;
  }
  return all <= 0 ? 0 : known / all;
}

function shortfallOf({ kwh, upperKwh }: ChildHour): number {
  return kwh === null || upperKwh === null ? 0 : Math.max(0, upperKwh - kwh);
}

function shareOf(state: Balance, id: string): Share {
  const known = state.shares[id];
  if (known !== undefined) return known;
  const fresh: Share = { w: 0, a: 0, b: 0, kwh: 0 };
  state.shares[id] = fresh;
  return fresh;
}

function towards(from: number | null, to: number, alpha: number): number {
  return from === null ? to : from + alpha * (to - from);
}

function bounded(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}
