import type { Out } from "../../../engine/behaviour.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { SIGN } from "../meter/signs.ts";
import { rounded } from "../rounded.ts";

/** What is known of signs at a customer's connection. */
export interface Signs {
  /** Bits of `SIGN`. */
  readonly meter: number;
  /** How well the meter explains what is missing at its transformer, 0 … 1, and how sure that is. */
  readonly gap: number;
  readonly confidence: number;
  /** Bills and meter disagree; the balance grows while use falls. */
  readonly billed: boolean;
  readonly arrears: boolean;
}

export const NO_SIGNS: Signs = { meter: 0, gap: 0, confidence: 0, billed: false, arrears: false };

/**
 * `customer.theft_risk`: p = 1 / (1 + e^-(logit(base) + sum of weight x sign)). Low use alone is no sign: on real customers it ranks worse than
 * chance. What is not known counts nothing. Returns the risk.
 */
export function judgeRisk(signs: Signs, atMs: number, out: Out<GridMessage>): number {
  const limits = limitsOf(out, "customer.theft_risk");
  const has = (bit: number): number => ((signs.meter & bit) === 0 ? 0 : 1);
  const terms = {
    gap: limits.gapWeight * Math.min(1, signs.gap) * signs.confidence,
    near_zero: limits.nearZeroWeight * has(SIGN.nearZero),
    drop: limits.dropWeight * has(SIGN.drop),
    physics: limits.physicsWeight * has(SIGN.physics),
    tampered: limits.tamperedWeight * has(SIGN.tampered),
    disconnected: limits.disconnectedWeight * has(SIGN.disconnected),
    metered_gap: signs.billed ? limits.meteredGapWeight : 0,
    arrears: signs.arrears ? limits.arrearsWeight : 0,
  };
  const sum = Object.values(terms).reduce((total, term) => total + term, Math.log(limits.base / (1 - limits.base)));
  const risk = 1 / (1 + Math.exp(-sum));
  out.observe("customer.theft_risk", {
    holds: risk >= limits.limitRisk,
    atMs,
    value: rounded(risk, 3),
    limit: limits.limitRisk,
    clear: limits.clearRisk,
    evidence: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, rounded(term, 3)])),
  });
  return risk;
}
