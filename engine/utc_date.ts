const DAY_MS = 86_400_000;
let cachedDay = Number.NaN;
let cachedDate = "";

/** The UTC date of an instant, `YYYY-MM-DD`. Neighbouring records mostly share it. */
export function utcDate(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== cachedDay) {
    cachedDay = day;
    cachedDate = new Date(day * DAY_MS).toISOString().slice(0, 10);
  }
  return cachedDate;
}
