/** Counts of positive values in 64 bins whose bounds grow by a fifth: any quantile within 10 %, in fixed memory, mergeable. Changed in place. */
export type LogHistogram = number[];

const BINS = 64;
const GROWTH = Math.log(1.2);
/** A count that reaches it halves all. */
const COUNT_MAX = 65_535;

export function logHistogram(): LogHistogram {
  return new Array<number>(BINS).fill(0);
}

/** `from`: lower bound of the first bin; what lies below it (zero, too) counts there, what lies above all in the last. */
export function countIn(bins: LogHistogram, value: number, from: number): void {
  const bin = binOf(value, from);
  bins[bin] = (bins[bin] ?? 0) + 1;
  if ((bins[bin] ?? 0) >= COUNT_MAX) halve(bins);
}

/** Forgets half, so that old values lose their say. */
export function halve(bins: LogHistogram): void {
  for (let bin = 0; bin < BINS; bin += 1) bins[bin] = Math.floor((bins[bin] ?? 0) / 2);
}

export function totalOf(bins: LogHistogram): number {
  return bins.reduce((sum, count) => sum + count, 0);
}

/** The geometric centre of the bin that holds the quantile (0 … 1), or null of nothing. */
export function quantileOf(bins: LogHistogram, quantile: number, from: number): number | null {
  const total = totalOf(bins);
  if (total === 0) return null;
  let left = quantile * total;
  let last = 0;
  for (let bin = 0; bin < BINS; bin += 1) {
    const count = bins[bin] ?? 0;
    if (count === 0) continue;
    last = bin;
    left -= count;
    if (left <= 0) break;
  }
  return from * Math.exp(GROWTH * (last + 0.5));
}

/** The counts of both. Counts that grow too large are halved, in both. */
export function mergedHistogram(a: LogHistogram, b: LogHistogram): LogHistogram {
  const sum = a.map((count, bin) => count + (b[bin] ?? 0));
  while (sum.some((count) => count > COUNT_MAX)) halve(sum);
  return sum;
}

function binOf(value: number, from: number): number {
  if (!(value > from)) return 0;
  return Math.min(BINS - 1, Math.floor(Math.log(value / from) / GROWTH));
}
