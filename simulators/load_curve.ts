import { gridHour } from "./calendar.ts";

export type Tariff = "RESIDENTIAL" | "COMMERCIAL" | "INDUSTRIAL" | "AGRICULTURAL";

/** Energy a customer uses in the hour around `atMs` on an ordinary day, in kWh: a mean of 12 % of the sanctioned load, shaped by the tariff. */
export function demandKwh(tariff: Tariff, sanctionedLoadKw: number, atMs: number): number {
  return MEAN_LOAD_FACTOR * sanctionedLoadKw * shapeAt(SHAPES[tariff], atMs);
}

/** Load of the whole grid at `atMs` as a multiple of its daily mean, 0.77 … 1.23: low before dawn, highest in the evening. */
export function systemShape(atMs: number): number {
  return shapeAt(SYSTEM_SHAPE, atMs);
}

/** Air temperature in °C on a day in June, 26 … 40: coolest at 05:00, hottest at 15:00 grid time. */
export function ambientC(atMs: number): number {
  return 33 + 7 * daily(gridHour(atMs), 15);
}

/** Irradiance under a clear sky in W/m², 0 at night and 950 at noon, grid time. */
export function clearSkyWm2(atMs: number): number {
  const height = daily(gridHour(atMs), 12.2) + 0.1; // The sun is up for rather more than half of a day in June.
  return height <= 0 ? 0 : (950 * height) / 1.1;
}

const MEAN_LOAD_FACTOR = 0.12;

// 24 numbers with mean 1, index = hour of day in the grid zone.
const SHAPES: Readonly<Record<Tariff, readonly number[]>> = {
  RESIDENTIAL: meanOne([6, 5, 5, 5, 5, 7, 9, 11, 10, 8, 8, 8, 9, 9, 8, 8, 9, 11, 14, 17, 18, 17, 13, 8]),
  COMMERCIAL: meanOne([4, 4, 4, 4, 4, 5, 6, 8, 11, 15, 17, 18, 18, 17, 17, 17, 17, 17, 16, 14, 11, 8, 6, 5]),
  INDUSTRIAL: meanOne([9, 9, 9, 9, 9, 10, 11, 12, 13, 14, 14, 14, 13, 13, 14, 14, 14, 13, 12, 11, 11, 10, 10, 9]),
  AGRICULTURAL: meanOne([12, 12, 12, 12, 13, 14, 14, 12, 10, 9, 8, 8, 7, 7, 7, 8, 8, 8, 7, 6, 6, 8, 10, 11]),
};
const SYSTEM_SHAPE = meanOne([10, 10, 9, 9, 9, 10, 11, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 13, 14, 14, 14, 13, 11]);

function meanOne(weights: readonly number[]): readonly number[] {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

function shapeAt(shape: readonly number[], atMs: number): number {
  return shape[Math.floor(gridHour(atMs))] ?? 1;
}

/** A daily wave between -1 and 1 with its top at `topHour`. */
function daily(hour: number, topHour: number): number {
  return Math.cos(((hour - topHour) / 12) * Math.PI);
}
