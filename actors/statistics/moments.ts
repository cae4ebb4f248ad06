/** Number, mean and sum of squared deviations of samples (Welford): exact, unlike a sum of squares. Plain numbers, changed in place. */
export interface Moments {
  n: number;
  mean: number;
  m2: number;
}

export function moments(): Moments {
  return { n: 0, mean: 0, m2: 0 };
}

export function addSample(state: Moments, value: number): void {
  state.n += 1;
  const distance = value - state.mean;
  state.mean += distance / state.n;
  state.m2 += distance * (value - state.mean);
}

/** The samples of both (Chan). Merge in id order: floating sums depend on it. */
export function mergedMoments(a: Moments, b: Moments): Moments {
  const n = a.n + b.n;
  if (n === 0) return moments();
  const distance = b.mean - a.mean;
  return { n, mean: a.mean + (distance * b.n) / n, m2: a.m2 + b.m2 + (distance * distance * a.n * b.n) / n };
}

/** Sample variance; 0 below two samples. */
export function varianceOf({ n, m2 }: Moments): number {
  return n < 2 ? 0 : m2 / (n - 1);
}
