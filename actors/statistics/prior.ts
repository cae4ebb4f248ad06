/** How the day of a connection is shaped by its tariff: 24 numbers with mean 1, index = hour of the day in the grid zone. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  RESIDENTIAL: meanOne([6, 5, 5, 5, 5, 7, 10, 11, 10, 8, 8, 8, 9, 9, 8, 8, 9, 11, 14, 17, 18, 17, 13, 8]),
  COMMERCIAL: meanOne([4, 4, 4, 4, 4, 5, 6, 8, 11, 15, 17, 18, 18, 17, 17, 17, 17, 17, 16, 14, 11, 8, 6, 5]),
  INDUSTRIAL: meanOne([9, 9, 9, 9, 9, 10, 11, 12, 13, 14, 14, 14, 13, 13, 14, 14, 14, 13, 12, 11, 11, 10, 10, 9]),
  AGRICULTURAL: meanOne([12, 12, 12, 12, 13, 14, 14, 12, 10, 9, 8, 8, 7, 7, 7, 8, 8, 8, 7, 6, 6, 8, 10, 11]),
};

/** The shape that a tariff's days have before anything is known of them; null: nothing is known of such a tariff. */
export function priorShape(tariff: string | null): readonly number[] | null {
  return tariff === null ? null : (SHAPES[tariff] ?? null);
}

/** How alike two shapes are, -1 ... 1: the cosine of what is left of them without their means, which all shapes share. 0 where one is flat. */
export function likeness(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let [product, squareA, squareB] = [0, 0, 0];
  for (let n = 0; n < a.length; n += 1) {
    const [x, y] = [(a[n] ?? 0) - meanA, (b[n] ?? 0) - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA <= 0 || squareB <= 0 ? 0 : product / Math.sqrt(squareA * squareB);
}

function meanOne(weights: readonly number[]): readonly number[] {
  const mean = meanOf(weights);
  return weights.map((weight) => weight / mean);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
