import { minutes } from "../../engine/duration.ts";

/** Constants of a transformer's design (IEC 60076-7, tables of recommended characteristics). Rises in K, time constants in minutes. */
export interface ThermalDesign {
  /** Top-oil rise at rated load. */
  readonly oilRiseK: number;
  /** Hot-spot gradient over top oil at rated load. */
  readonly hotSpotRiseK: number;
  readonly oilMinutes: number;
  readonly windingMinutes: number;
  /** Losses at rated load over losses without load. */
  readonly lossRatio: number;
  readonly oilExponent: number;
  readonly windingExponent: number;
  readonly k11: number;
  readonly k21: number;
  readonly k22: number;
}

/** Distribution transformers, cooled by oil and air that move by themselves. */
export const DISTRIBUTION_ONAN: ThermalDesign = {
  oilRiseK: 55,
  hotSpotRiseK: 23,
  oilMinutes: 180,
  windingMinutes: 4,
  lossRatio: 5,
  oilExponent: 0.8,
  windingExponent: 1.6,
  k11: 1,
  k21: 1,
  k22: 2,
};

/** Power transformers with fans. */
export const POWER_ONAF: ThermalDesign = {
  oilRiseK: 52,
  hotSpotRiseK: 26,
  oilMinutes: 150,
  windingMinutes: 7,
  lossRatio: 6,
  oilExponent: 0.8,
  windingExponent: 1.3,
  k11: 0.5,
  k21: 2,
  k22: 2,
};

/** The design to assume: below 2.5 MW it is a distribution transformer. */
export function designOf(capacityMw: number | null): ThermalDesign {
  return capacityMw !== null && capacityMw < 2.5 ? DISTRIBUTION_ONAN : POWER_ONAF;
}

/** Temperatures inside a transformer: top oil in °C, the fast and the slow part of the hot spot's gradient in K. Changed in place. */
export interface Thermal {
  atMs: number;
  oilC: number;
  fastK: number;
  slowK: number;
}

/** Beyond this the model knows nothing any more, and begins anew. */
const STEP_MAX_MS = minutes(600);

/** Top-oil rise in the steady state as a share of that at rated load. `load`: share of the capacity. */
export function lossShare({ lossRatio, oilExponent }: ThermalDesign, load: number): number {
  return ((1 + lossRatio * load * load) / (1 + lossRatio)) ** oilExponent;
}

/** Where the oil would settle, °C. */
export function settledOilC(design: ThermalDesign, load: number, ambientC: number): number {
  return ambientC + design.oilRiseK * lossShare(design, load);
}

/** A model in its steady state, at the measured oil if there is one. */
export function thermal(design: ThermalDesign, atMs: number, load: number, ambientC: number, oilC: number | null): Thermal {
  const gradientK = settledGradientK(design, load);
  return {
    atMs,
    oilC: oilC ?? settledOilC(design, load, ambientC),
    fastK: design.k21 * gradientK,
    slowK: (design.k21 - 1) * gradientK,
  };
}

/**
 * The model after a time under a load and an ambient temperature: the exponential form of IEC 60076-7, which is stable for any step, unlike its
 * difference equations. Null: so much time has passed that a new one must be begun. A step back in time changes nothing.
 */
export function heated(design: ThermalDesign, before: Thermal, atMs: number, load: number, ambientC: number): Thermal | null {
  const elapsedMs = atMs - before.atMs;
  if (elapsedMs > STEP_MAX_MS) return null;
  if (elapsedMs <= 0) return before;
  const passed = elapsedMs / minutes(1);
  const { oilMinutes, windingMinutes, k11, k21, k22 } = design;
  const gradientK = settledGradientK(design, load);
  const towards = (from: number, to: number, tau: number): number => from + (1 - Math.exp(-passed / tau)) * (to - from);
  return {
    atMs,
    oilC: towards(before.oilC, settledOilC(design, load, ambientC), k11 * oilMinutes),
    fastK: towards(before.fastK, k21 * gradientK, k22 * windingMinutes),
    slowK: towards(before.slowK, (k21 - 1) * gradientK, oilMinutes / k22),
  };
}

/** Temperature of the hottest place in the winding, °C. */
export function hotSpotC({ oilC, fastK, slowK }: Thermal): number {
  return oilC + fastK - slowK;
}

/** How many times faster than at 98 °C ordinary paper ages: twice for every 6 K. */
export function ageingRate(hotSpot: number): number {
  return 2 ** ((hotSpot - 98) / 6);
}

/** The same of thermally upgraded paper, against 110 °C (IEEE C57.91). */
export function upgradedAgeingRate(hotSpot: number): number {
  return Math.exp(15_000 / 383 - 15_000 / (hotSpot + 273));
}

function settledGradientK({ hotSpotRiseK, windingExponent }: ThermalDesign, load: number): number {
  return hotSpotRiseK * Math.abs(load) ** windingExponent;
}
