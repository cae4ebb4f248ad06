import type { Out } from "../../../engine/behaviour.ts";
import { minutes } from "../../../engine/duration.ts";
import type { CellValue } from "../../../engine/emission.ts";
import { gridHourOf, gridHourStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { type LimitsOf, limitsOf } from "../../rules.ts";
import { cusumUp } from "../../statistics/cusum.ts";
import { designOf, lossShare, type ThermalDesign } from "../../statistics/thermal.ts";
import { rounded } from "../rounded.ts";
import { innovationSigma, rampSigmas } from "./ramp.ts";
import type { Sample } from "./sample.ts";
import { type HourMeans, rebase, type Twin, takeHour, twin, type Verdict } from "./twin.ts";

/** The hour that is being measured, and how much the twin has been exceeded. Plain numbers, changed in place. */
export interface Residual {
  hour: number;
  oil: Sum;
  ambient: Sum;
  loss: Sum;
  /** Cumulative sum of residuals in standard deviations. */
  cusum: number;
  /** Since when the sum has been so high that nothing is learnt. */
  frozenSinceHour: number | null;
  /** Residuals since then, K. */
  excess: Sum;
}

/** Who keeps the twin: apart, for it is large, and changes once an hour. */
export interface Twinned {
  twin?: Twin;
}

interface Sum {
  n: number;
  sum: number;
}

/** `transformer.thermal_residual`, once an hour: hourly means against the twin. Returns what is kept beside it. */
export function judgeResidual(
  before: Residual | null,
  twinned: Twinned,
  sample: Sample,
  isTrusted: boolean,
  out: Out<GridMessage>,
): Residual | null {
  const { atMs, oilC, ambientC, load, ratedMw } = sample;
  if (oilC === null || !isTrusted) {
    out.observe("transformer.thermal_residual", { holds: null, atMs, value: null, reason: isTrusted ? "field_absent" : "sensor_suspect" });
    return before;
  }
  const hour = gridHourOf(atMs);
  const design = designOf(ratedMw);
  const state = before ?? begun(hour);
  if (hour > state.hour) {
    twinned.twin = twinned.twin === undefined ? twin(state.hour - 1) : { ...twinned.twin };
    endHour(state, twinned.twin, design, out);
    Object.assign(state, { hour, oil: none(), ambient: none(), loss: none() });
  }
  add(state.oil, oilC);
  if (ambientC !== null) add(state.ambient, ambientC);
  const share = load ?? sample.loadMw; // Without a rating the load's own unit serves as well: the model learns its gain.
  if (share !== null) add(state.loss, lossShare(design, share));
  return state;
}

/** What an hour does to the sum. */
export interface Exceeded {
  readonly cusum: number;
  readonly slack: number;
  readonly ramp: number;
}

/** Where a ramp is sure, the sum is that many times its limit at once. */
const RAMP_JUMP = 1.5;

/**
 * The sum after an hour. Residuals that are long-lived, as under weather that is not measured, are let pass by the sum, for they prove nothing by their
 * size; what tells a fault from them is its course (`ramp`, in standard deviations), and a sure one raises the sum beyond its limit.
 */
export function exceed(
  { cusum, frozenSinceHour }: Pick<Residual, "cusum" | "frozenSinceHour">,
  { residualK, sigmaK, slowSigmaK }: Pick<Verdict, "residualK" | "slowSigmaK"> & { readonly sigmaK: number },
  ramp: number,
  limits: Pick<LimitsOf<"transformer.thermal_residual">, "slackSigma" | "slowSlackSigma" | "heldSlackSigma" | "limitSigma" | "rampSigma">,
): Exceeded {
  const slow = frozenSinceHour === null ? limits.slowSlackSigma : limits.heldSlackSigma;
  const slack = Math.max(limits.slackSigma, slow * (slowSigmaK / sigmaK));
  const sum = cusumUp(cusum, residualK / sigmaK, { slack, limit: limits.limitSigma });
  return { cusum: ramp > limits.rampSigma ? Math.max(sum, RAMP_JUMP * limits.limitSigma) : sum, slack, ramp };
}

function begun(hour: number): Residual {
  return { hour, oil: none(), ambient: none(), loss: none(), cusum: 0, frozenSinceHour: null, excess: none() };
}

function endHour(state: Residual, own: Twin, design: ThermalDesign, out: Out<GridMessage>): void {
  const { hour, oil, ambient, loss } = state;
  const means: HourMeans = { hour, oilC: oil.sum / oil.n, ambientC: meanOf(ambient), lossShare: meanOf(loss) };
  const verdict = takeHour(own, means, minutes(design.k11 * design.oilMinutes), state.frozenSinceHour !== null);
  const atMs = gridHourStartMs(hour + 1);
  const sigmaK = verdict?.sigmaK ?? null;
  if (verdict === null || sigmaK === null) {
    out.observe("transformer.thermal_residual", { holds: null, atMs, value: null, reason: verdict === null ? "coverage" : "cold" });
    return;
  }
  const limits = limitsOf(out, "transformer.thermal_residual");
  const exceeded = exceed(state, { ...verdict, sigmaK }, rampSigmas(own.ramp, limits) ?? 0, limits);
  state.cusum = exceeded.cusum;
  freeze(state, verdict.residualK, limits.freezeSigma);
  const meanK = state.excess.n === 0 ? 0 : state.excess.sum / state.excess.n;
  out.observe("transformer.thermal_residual", {
    holds: state.cusum > limits.limitSigma,
    atMs,
    value: rounded(state.cusum, 2),
    limit: limits.limitSigma,
    clear: limits.clearSigma,
    ...(meanK > limits.majorK ? { severity: "major" as const } : {}),
    evidence: {
      ...evidenceOf(means, verdict),
      sigma_k: rounded(sigmaK, 3),
      slack_sigma: rounded(exceeded.slack, 3),
      ramp_sigma: rounded(exceeded.ramp, 2),
      innovation_sigma_k: rounded(innovationSigma(own.ramp) ?? 0, 3),
      mean_residual_k: rounded(meanK, 2),
    },
  });
  judgeFreeze(state, own, atMs, out);
}

/** While the sum is high nothing is learnt: a fault would become normal within days. */
function freeze(state: Residual, residualK: number, freezeSigma: number): void {
  if (state.cusum <= freezeSigma) {
    state.frozenSinceHour = null;
    state.excess = none();
    return;
  }
  state.frozenSinceHour ??= state.hour;
  add(state.excess, residualK);
}

/** `transformer.baseline_reset`: what has lasted a month is learnt as the new normal. */
function judgeFreeze(state: Residual, own: Twin, atMs: number, out: Out<GridMessage>): void {
  if (state.frozenSinceHour === null) return;
  const days = (state.hour - state.frozenSinceHour) / 24;
  const { frozenDays } = limitsOf(out, "transformer.baseline_reset");
  if (days < frozenDays) return;
  out.observe("transformer.baseline_reset", { holds: true, atMs, value: rounded(days, 1), limit: frozenDays });
  rebase(own);
  state.cusum = 0;
  state.frozenSinceHour = null;
  state.excess = none();
}

function evidenceOf({ oilC, ambientC, lossShare: loss }: HourMeans, { predictedC, residualK, n }: Verdict): Record<string, CellValue> {
  return {
    oil_c: rounded(oilC, 2),
    expected: rounded(predictedC, 2),
    residual_k: rounded(residualK, 2),
    ambient_c: ambientC === null ? null : rounded(ambientC, 2),
    loss_share: loss === null ? null : rounded(loss, 4),
    n,
  };
}

function none(): Sum {
  return { n: 0, sum: 0 };
}

function add(into: Sum, value: number): void {
  into.n += 1;
  into.sum += value;
}

function meanOf({ n, sum }: Sum): number | null {
  return n === 0 ? null : sum / n;
}
