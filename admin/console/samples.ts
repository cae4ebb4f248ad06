import type { ConsoleFacts } from "./page.ts";

/** What is measured now, as `/metrics` tells it. */
export class Samples {
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    this.#samples = text.split("\n").flatMap((line) => sampleIn(line) ?? []);
  }

  /** The value of the sample with this name, without its `gridactor_`, and exactly or at least these labels; null: there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    return this.#named(name, labels)[0]?.value ?? null;
  }

  /** All samples of a name. */
  all(name: string): readonly Sample[] {
    return this.#named(name, {});
  }

  /** Of a histogram without labels: how many, their mean, and the bound that 99 % of them lie within; null while there are none. */
  spread(name: string): Spread | null {
    const count = this.value(`${name}_count`);
    const sum = this.value(`${name}_sum`);
    if (count === null || sum === null || count === 0) return null;
    const within = this.all(`${name}_bucket`).find(({ value }) => value >= 0.99 * count);
    return { count, mean: sum / count, p99: Number(within?.labels["le"] ?? Number.POSITIVE_INFINITY) };
  }

  #named(name: string, labels: Readonly<Record<string, string>>): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.#samples.filter((one) => one.name === `gridactor_${name}` && wanted.every(([key, value]) => one.labels[key] === value));
  }
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** In the unit of the metric. `p99` is the upper bound of a bucket. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly p99: number;
}

/** Takes the samples. */
export async function measured({ metrics }: Pick<ConsoleFacts, "metrics">): Promise<Samples> {
  return new Samples(await metrics.text());
}

function sampleIn(line: string): Sample | null {
  const [, name, labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === undefined) return null;
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", text = ""]) => [key, text] as const);
  return { name, labels: Object.fromEntries(pairs), value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) };
}
