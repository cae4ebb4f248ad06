import { dayOf } from "../engine/instant.ts";

const GRID_ZONE_MS = 19_800_000; // +05:30, fixed.

/** The civil date of an instant in the grid zone, `YYYY-MM-DD`: never the process's zone. */
export function civilDate(atMs: number): string {
  return new Date(atMs + GRID_ZONE_MS).toISOString().slice(0, 10);
}

/** The instant at which a civil date begins in the grid zone, epoch ms. */
export function civilDayStartMs(date: string): number {
  return dayOf(date) * 86_400_000 - GRID_ZONE_MS;
}
