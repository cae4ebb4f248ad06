import { type Days, HALF_HOURS, rounded } from "./household.ts";
import type { Random } from "./random.ts";

/** The seven ways in which readings are usually falsified. */
export const THEFT_PATTERNS = ["under_report", "shift", "scale", "zero", "cap", "mean", "reverse"] as const;
export type TheftPattern = (typeof THEFT_PATTERNS)[number];

/** What the meter reports from a day on, of what is used: the three that shift energy in time take none in sum. */
export function falsified(days: Days, pattern: TheftPattern, fromDay: number, random: Random): Days {
  const falsify = falsifier(days, pattern, random);
  return days.map((day, n) => (n < fromDay ? day : falsify(day).map(rounded)));
}

function falsifier(days: Days, pattern: TheftPattern, random: Random): (day: readonly number[]) => readonly number[] {
  switch (pattern) {
    case "under_report": {
      const share = random.between(0.1, 0.5); // The same share at all times.
      return (day) => day.map((kwh) => share * kwh);
    }
    case "shift": // What is used in the evening is said to be used at night.
      return (day) => day.map((_, half) => day[(half + 16) % HALF_HOURS] ?? 0);
    case "scale":
      return (day) => day.map((kwh) => random.between(0.1, 0.8) * kwh); // Another share each time.
    case "zero": {
      const [from, length] = [random.integer(0, 23), random.integer(12, 27)];
      return (day) => day.map((kwh, half) => (half >= from && half < from + length ? 0 : kwh));
    }
    case "cap": {
      const cap = meanOf(days.flat()) * random.between(0.6, 1.2);
      return (day) => day.map((kwh) => Math.min(kwh, cap));
    }
    case "mean":
      return (day) => {
        const share = random.between(0.3, 0.8);
        return day.map(() => share * meanOf(day));
      };
    case "reverse":
      return (day) => [...day].reverse();
  }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
