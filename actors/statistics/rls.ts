/** A linear model that is learnt sample by sample and forgets. `p` holds the upper triangle of a symmetric matrix, row by row. Changed in place. */
export interface Rls {
  readonly w: number[];
  readonly p: number[];
}

const P_FIRST = 10;
/** The trace of P may reach this times the number of inputs: inputs that move together would let it explode within weeks. */
const TRACE_MAX = 100;
const INPUTS_MIN = 1e-12;

export function rls(inputs: number): Rls {
  const p: number[] = [];
  for (let row = 0; row < inputs; row += 1) for (let column = row; column < inputs; column += 1) p.push(row === column ? P_FIRST : 0);
  return { w: new Array<number>(inputs).fill(0), p };
}

export function predicted({ w }: { readonly w: readonly number[] }, x: readonly number[]): number {
  let sum = 0;
  for (let n = 0; n < w.length; n += 1) sum += (w[n] ?? 0) * (x[n] ?? 0);
  return sum;
}

/**
 * Recursive least squares with forgetting: K = P x / (lambda + x'P x); w += K e; P = (P - K x'P) / lambda. `keep`: lambda, 0.9995 or more. Inputs
 * must be of like size. An input vector near 0 teaches nothing.
 */
export function learnRls(state: Rls, x: readonly number[], y: number, keep: number): void {
  const { w, p } = state;
  const size = w.length;
  if (x.reduce((sum, value) => sum + value * value, 0) < INPUTS_MIN) return;
  const px = x.map((_, row) => rowTimes(p, size, row, x));
  const divisor = keep + x.reduce((sum, value, n) => sum + value * (px[n] ?? 0), 0);
  const error = y - predicted(state, x);
  for (let n = 0; n < size; n += 1) w[n] = (w[n] ?? 0) + ((px[n] ?? 0) / divisor) * error;
  for (let row = 0, at = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1, at += 1) {
      p[at] = ((p[at] ?? 0) - ((px[row] ?? 0) * (px[column] ?? 0)) / divisor) / keep; // Only one triangle is kept: it stays symmetric.
    }
  }
  bound(p, size);
}

function rowTimes(p: readonly number[], size: number, row: number, x: readonly number[]): number {
  let sum = 0;
  for (let column = 0; column < size; column += 1) sum += (p[indexOf(size, row, column)] ?? 0) * (x[column] ?? 0);
  return sum;
}

function bound(p: number[], size: number): void {
  let trace = 0;
  for (let n = 0; n < size; n += 1) trace += p[indexOf(size, n, n)] ?? 0;
  const most = TRACE_MAX * size;
  if (trace > most) for (let at = 0; at < p.length; at += 1) p[at] = ((p[at] ?? 0) * most) / trace;
}

/** Place of an element in the triangle. */
function indexOf(size: number, row: number, column: number): number {
  const [low, high] = row < column ? [row, column] : [column, row];
  return low * size - (low * (low - 1)) / 2 + high - low;
}
