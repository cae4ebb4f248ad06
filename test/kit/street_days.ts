import { afterDay, type DayBook, dayBook, envelopeOf, variationOf } from "../../actors/detectors/meter/day_book.ts";
import { balanceHour, rankChildren } from "../../actors/detectors/transformer/balance.ts";
import { type EnergyBook, energyBook } from "../../actors/detectors/transformer/energy_book.ts";
import { learnClean } from "../../actors/detectors/transformer/energy_gap.ts";
import { limitsOf, RULES } from "../../actors/rules.ts";
import type { Street } from "../../simulators/street.ts";

/** A street's balance without the engine: the same arithmetic, hour by hour. */
export interface StreetRun {
  readonly book: EnergyBook;
  /** Missing share by day; null: a day that says nothing. */
  readonly shares: readonly (number | null)[];
  /** Scores by meter, at the end. */
  readonly scores: readonly number[];
}

const LIMITS = limitsOf({ limits: (rule) => RULES.find(({ id }) => id === rule)?.limits ?? {} }, "transformer.energy_gap");
/** A day in June 2025. */
const FIRST_DAY = 20_240;

export interface StreetChanges {
  /** All energies are multiplied by it. */
  readonly unit?: number;
  /** Adds to what the transformer delivers. */
  readonly extra?: (kwh: number) => number;
  /** Hours of each day, from a day on, in which the first meter says nothing. */
  readonly missing?: readonly number[];
  readonly until?: number;
}

export function runStreet(street: Street, days: number, changes: StreetChanges = {}): StreetRun {
  const { unit = 1, extra = () => 0, missing = [] } = changes;
  const book = energyBook();
  const meters = street.reported.map(() => dayBook());
  const shares: (number | null)[] = [];
  let holds = false;
  for (let day = 0; day < days; day += 1) {
    const wh = street.reported.map((own, meter) =>
      Array.from({ length: 24 }, (_, hour) =>
        meter === 0 && missing.includes(hour)
          ? null
          : Math.round(1_000 * unit * ((own[day]?.[2 * hour] ?? 0) + (own[day]?.[2 * hour + 1] ?? 0))),
      ),
    );
    const envelopes = meters.map(envelopeOf);
    let [gap, energy, hours] = [0, 0, 0];
    for (let hour = 0; hour < 24; hour += 1) {
      const kwh = street.deliveredKwh(day, 2 * hour) + street.deliveredKwh(day, 2 * hour + 1);
      const children = wh.map((own, meter) => ({
        id: idOf(meter),
        kwh: kwhOf(own[hour]),
        upperKwh: kwhOf(envelopes[meter]?.[hour]),
      }));
      const verdict = balanceHour(book.balance, unit * (kwh + extra(kwh)), children);
      if (verdict.type === "indeterminate") continue;
      gap += verdict.gapKwh;
      energy += verdict.energyKwh;
      hours += 1;
    }
    shares.push(hours < 20 ? null : gap / energy);
    const share = shares.at(-1) ?? 0;
    holds = share - book.cleanShare > LIMITS.holdShare;
    learnClean(book, share, LIMITS);
    meters.forEach((own, meter) => {
      const after: DayBook = afterDay({ ...own, holds }, { day: FIRST_DAY + day, wh: wh[meter] ?? [], oddHours: 0 });
      meters[meter] = after;
    });
  }
  const variations = Object.fromEntries(meters.map((own, meter) => [idOf(meter), variationOf(own) ?? 0]));
  const ranking = rankChildren(book.balance, variations);
  return { book, shares, scores: meters.map((_, meter) => ranking.find(({ id }) => id === idOf(meter))?.score ?? 0) };
}

/** Share of the pairs of a thief and an honest meter in which the thief has the higher score. */
export function areaUnderCurve(scores: readonly number[], thieves: ReadonlySet<number>): number {
  let [won, pairs] = [0, 0];
  scores.forEach((score, meter) => {
    if (!thieves.has(meter)) return;
    scores.forEach((other, honest) => {
      if (thieves.has(honest)) return;
      pairs += 1;
      won += score > other ? 1 : score === other ? 0.5 : 0;
    });
  });
  return won / pairs;
}

export function idOf(meter: number): string {
  return `SM-N-${String(meter + 1).padStart(5, "0")}`;
}

function kwhOf(wh: number | null | undefined): number | null {
  return wh == null ? null : wh / 1_000;
}
