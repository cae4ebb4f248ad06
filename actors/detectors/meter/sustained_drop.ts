import type { Out } from "../../../engine/behaviour.ts";
import { gridDayStartMs } from "../../civil_day.ts";
import type { GridMessage } from "../../message.ts";
import { limitsOf } from "../../rules.ts";
import { rounded } from "../rounded.ts";
import { type DayBook, ratioOf } from "./day_book.ts";

/** A meter whose ratio lies below it asks its transformer how its neighbours do. */
export const ASKS_BELOW = 0.75;

/**
 * `meter.sustained_drop`: the latest days against the month, and against what the neighbours' did meanwhile. `segmentRatio`: theirs; null: nobody can
 * tell, and a season would look like a theft.
 */
export function judgeDrop(book: DayBook, day: number, segmentRatio: number | null, out: Out<GridMessage>): void {
  const ratio = ratioOf(book);
  const { limitRatio, clearRatio, segmentRatioMin, daysMin } = limitsOf(out, "meter.sustained_drop");
  if (ratio === null || book.month === null || book.month.n < daysMin) return;
  const isLow = ratio < limitRatio;
  const isOwn = segmentRatio !== null && segmentRatio > segmentRatioMin;
  out.observe("meter.sustained_drop", {
    holds: isLow ? (isOwn ? true : null) : false,
    atMs: gridDayStartMs(day + 1),
    value: rounded(ratio, 3),
    limit: limitRatio,
    clear: clearRatio,
    ...(isLow && !isOwn ? { reason: "no_prior" } : {}),
    evidence: { lately_kwh: rounded(book.lately, 3), expected: rounded(book.month.mean, 3), segment_ratio: segmentRatio, n: book.month.n },
  });
}
