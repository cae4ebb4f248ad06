import { lossShare, settledOilC, type ThermalDesign } from "../../actors/statistics/thermal.ts";
import { samples } from "./samples.ts";

/** An hour of a transformer that is sound. */
export interface OilHour {
  readonly ambientC: number;
  readonly load: number;
  readonly lossShare: number;
  readonly oilC: number;
}

export interface OilOptions {
  readonly design: ThermalDesign;
  readonly hours: number;
  /** Standard deviation of what neither load nor ambient explain (wind, sun), K; it lasts for hours. */
  readonly noiseK: number;
}

const STEPS = 6;

/** Hours of oil under weather that changes within days and with the season, and a load with days, weeks and chance. */
export function oilSeries(seed: number, { design, hours, noiseK }: OilOptions): readonly OilHour[] {
  const draw = samples(seed);
  const wander = (value: number, sd: number, tauHours: number): number => {
    const kept = Math.exp(-1 / tauHours);
    return kept * value + sd * Math.sqrt(1 - kept * kept) * draw.bell();
  };
  const usualLoad = draw.between(0.35, 0.7);
  const hourTau = (design.k11 * design.oilMinutes) / 60;
  let [weather, demand, breeze, amplitude] = [0, 0, 0, 1];
  let oilC: number | null = null;
  return Array.from({ length: hours }, (_, n) => {
    const hour = n % 24;
    if (hour === 0) amplitude = Math.max(0.3, 1 + 0.3 * draw.bell());
    weather = wander(weather, 2.5, 72);
    demand = wander(demand, 0.05, 6);
    breeze = wander(breeze, noiseK, 4);
    const season = 7 * Math.cos((n / 8_760 - 0.4) * 2 * Math.PI);
    const ambientC = 26 + season + 6 * amplitude * Math.cos(((hour - 15) / 12) * Math.PI) + weather;
    const shape = 1 + 0.25 * Math.cos(((hour - 20) / 12) * Math.PI) + 0.1 * Math.cos(((hour - 10) / 6) * Math.PI);
    const isWeekend = Math.floor(n / 24) % 7 >= 5;
    const load = Math.max(0.05, usualLoad * (shape * (isWeekend ? 0.8 : 1) + demand) + 0.006 * (ambientC - 26));
    const target = settledOilC(design, load, ambientC);
    let mean = 0;
    for (let step = 0; step < STEPS; step += 1) {
      oilC = oilC === null ? target : oilC + (1 - Math.exp(-1 / STEPS / hourTau)) * (target - oilC);
      mean += oilC / STEPS;
    }
    return { ambientC, load, lossShare: lossShare(design, load), oilC: mean + breeze + 0.3 * draw.bell() };
  });
}
