import { type Days, HALF_HOURS, householdDays, streetDays } from "./household.ts";
import { type Random, streams } from "./random.ts";
import { falsified, type TheftPattern } from "./theft_patterns.ts";

/** Households below one transformer. */
export interface StreetOptions {
  readonly seed: number;
  readonly meters: number;
  readonly days: number;
  /** Null: everybody is honest. */
  readonly pattern: TheftPattern | null;
  /** How many of the meters are falsified, and from which day on. */
  readonly thieves: number;
  readonly fromDay: number;
}

export interface Street {
  /** What each meter reports, half-hour by half-hour. */
  readonly reported: readonly Days[];
  /** Which of them are falsified. */
  readonly thieves: ReadonlySet<number>;
  /** What the transformer delivers in a half-hour, kWh: all that is used, and losses that grow with its square. */
  deliveredKwh(day: number, half: number): number;
}

/** Losses: a part that is always there, and one that grows with the square of the load. About 3 % together. */
const LOSS_CONSTANT = 0.01;
const LOSS_SQUARE = 0.015;

export function streetOf({ seed, meters, days, pattern, thieves, fromDay }: StreetOptions): Street {
  const randoms = streams(seed, "street");
  const weather = streetDays(randoms(0), days);
  const used = Array.from({ length: meters }, (_, meter) => householdDays(randoms(1 + meter), weather));
  const chosen = new Set(pattern === null ? [] : choice(randoms(1_000_000), meters, thieves));
  const reported = used.map((own, meter) =>
    pattern === null || !chosen.has(meter) ? own : falsified(own, pattern, fromDay, randoms(2_000_000 + meter)),
  );
  const usedKwh = (day: number, half: number): number => used.reduce((sum, own) => sum + (own[day]?.[half] ?? 0), 0);
  const meanKwh = used.flat(2).reduce((sum, kwh) => sum + kwh, 0) / (days * HALF_HOURS);
  return {
    reported,
    thieves: chosen,
    deliveredKwh: (day, half) => {
      const kwh = usedKwh(day, half);
      return kwh + LOSS_CONSTANT * meanKwh + (LOSS_SQUARE * kwh * kwh) / meanKwh;
    },
  };
}

function choice(random: Random, from: number, count: number): readonly number[] {
  const left = Array.from({ length: from }, (_, n) => n);
  return Array.from({ length: Math.min(count, from) }, () => left.splice(random.integer(0, left.length - 1), 1)[0] ?? 0);
}
