import type { Random } from "./random.ts";

/** Half-hours of a day. */
export const HALF_HOURS = 48;
/** Energy in kWh: day after day, half-hour after half-hour. */
export type Days = readonly (readonly number[])[];

/** What a day is like for everybody in a street: heat that coolers answer, and whether people are at home. */
export interface StreetDay {
  readonly heat: number;
  readonly isWeekend: boolean;
}

/** Days of a street: hot spells that last for days, and weekends. */
export function streetDays(random: Random, count: number): readonly StreetDay[] {
  let heat = 0;
  return Array.from({ length: count }, (_, day) => {
    heat = 0.8 * heat + 0.6 * random.bell() + 0.3;
    return { heat: Math.max(0, heat), isWeekend: day % 7 >= 5 };
  });
}

/** A household's energy: a base, mornings and evenings that differ from house to house and from day to day, single appliances, cooling, absences. */
export function householdDays(random: Random, days: readonly StreetDay[]): Days {
  const base = random.between(0.04, 0.15);
  const size = random.between(0.25, 1.2);
  const morning = random.between(6.5, 9);
  const evening = random.between(18, 21.5);
  const isHomeByDay = random.unit() < 0.3;
  const cooling = random.between(0, 0.18);
  let mood = 0;
  return days.map(({ heat, isWeekend }) => {
    mood = 0.9 * mood + 0.15 * random.bell();
    const isAway = random.unit() < 0.03;
    const [rise, dinner] = [morning + 0.4 * random.bell() + (isWeekend ? 1.2 : 0), evening + 0.5 * random.bell()];
    return Array.from({ length: HALF_HOURS }, (__, half) => {
      const hour = half / 2;
      const level = 0.6 * hump(hour - rise, 2) + hump(hour - dinner, 5) + (isWeekend || isHomeByDay ? 0.5 * hump(hour - 13.5, 18) : 0.12);
      const used = size * 0.5 * Math.exp(mood + 0.45 * random.bell()) * level + cooling * heat * hump(hour - 16, 30);
      const appliance = random.unit() < 0.04 ? random.between(0.5, 1.5) : 0;
      const standby = base * (1 + 0.12 * random.bell()); // What is always on is a refrigerator, too, which is on or not.
      return rounded(standby + (isAway ? 0 : used + appliance));
    });
  });
}

export function rounded(kwh: number): number {
  return Math.round(1_000 * kwh) / 1_000;
}

function hump(distance: number, width: number): number {
  return Math.exp((-distance * distance) / width);
}
