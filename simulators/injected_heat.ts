import type { Grid } from "./grid.ts";
import { type Heat, heat, type Site, siteOf, siteTelemetry, stepHeat } from "./injected_site.ts";
import { systemShape } from "./load_curve.ts";
import { type Random, streams } from "./random.ts";
import { clamped } from "./rounding.ts";
import type { Telemetry } from "./substation_telemetry.ts";

/** A transformer whose oil grows hotter now and then, by 1 K an hour to 10 K. */
export interface HeatStory {
  readonly site: Site;
  /** Quarters of an hour after the beginning at which it begins. */
  readonly onsets: readonly number[];
  /** The record of the `quarter`-th quarter of an hour; to be asked for in order. Null: nothing is sent, for it sends twice an hour. */
  next(quarter: number, atMs: number, hour: number): Telemetry | null;
}

/** How long a fault lasts, hours, and how hot it becomes. */
export const FAULT_HOURS = 36;
const FAULT_MOST_K = 10;
const QUARTERS_OF_DAY = 96;
/** Nothing is known before the twin has learnt for 30 days. */
const FIRST_FAULT_DAY = 40;
const DAYS_BETWEEN = 12;

/** `count` transformers, two in a substation. `first`: numbers of the first site and its station. `days` in all. */
export function heatStories(
  grid: Grid,
  count: number,
  days: number,
  first: { readonly site: number; readonly station: number },
): readonly HeatStory[] {
  const traits = streams(grid.seed, "injected_heat");
  return Array.from({ length: count }, (_, n) => {
    const random = traits(n);
    const site = siteOf(grid, first.site + n, first.station + (n >> 1), 0.4);
    const onsets: number[] = [];
    for (let day = FIRST_FAULT_DAY; day + 3 <= days; day += DAYS_BETWEEN)
      onsets.push(day * QUARTERS_OF_DAY + random.integer(0, QUARTERS_OF_DAY - 1));
    return storyOf(site, onsets, random);
  });
}

function storyOf(site: Site, onsets: readonly number[], random: Random): HeatStory {
  const state: Heat = heat();
  const usual = random.between(0.4, 0.65);
  let [demand, sent] = [0, 0];
  return {
    site,
    onsets,
    next(quarter, atMs, hour) {
      demand = 0.96 * demand + 0.015 * random.bell();
      const load = clamped(usual * (systemShape(atMs) + demand), 0.1, 0.92);
      const { ambientC, oilC } = stepHeat(state, hour, load, random);
      if (quarter % 2 === 1) return null;
      sent += 1;
      const loadMw = load * site.capacityMw;
      return siteTelemetry(site, { atMs, loadMw, ambientC, oilC: oilC + faultK(onsets, quarter), sent }, random);
    },
  };
}

function faultK(onsets: readonly number[], quarter: number): number {
  const onset = onsets.findLast((from) => quarter >= from && quarter < from + 4 * FAULT_HOURS);
  return onset === undefined ? 0 : Math.min(FAULT_MOST_K, (quarter - onset) / 4);
}
