/** A straight line through samples that lose weight with each new one. Plain numbers, changed in place. */
export interface Slope {
  /** Samples taken in. */
  n: number;
  weight: number;
  meanX: number;
  meanY: number;
  xx: number;
  xy: number;
  yy: number;
}

export function slope(): Slope {
  return { n: 0, weight: 0, meanX: 0, meanY: 0, xx: 0, xy: 0, yy: 0 };
}

/** Weighted regression by running moments (as Welford's). `keep` in (0, 1]: what is left of the weight of all before. */
export function addPoint(state: Slope, x: number, y: number, keep: number): void {
  state.n += 1;
  state.weight = keep * state.weight + 1;
  const [fromX, fromY] = [x - state.meanX, y - state.meanY];
  state.meanX += fromX / state.weight;
  state.meanY += fromY / state.weight;
  state.xx = keep * state.xx + fromX * (x - state.meanX);
  state.xy = keep * state.xy + fromX * (y - state.meanY);
  state.yy = keep * state.yy + fromY * (y - state.meanY);
}

/** Steepness in y per x, and how many of its standard errors it is (infinite for points on a line); null below three points or without width. */
export function steepness({ n, weight, xx, xy, yy }: Slope): { readonly perX: number; readonly errors: number } | null {
  if (n < 3 || weight <= 2 || xx <= 0) return null;
  const perX = xy / xx;
  if (perX === 0) return { perX, errors: 0 };
  const residual = Math.max(0, yy - perX * xy) / (weight - 2);
  return { perX, errors: perX / Math.sqrt(residual / xx) };
}
