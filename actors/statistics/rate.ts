/** A rate of yes among yes and no that forgets by count (a decayed Beta). Plain numbers, changed in place. */
export interface Rate {
  yes: number;
  no: number;
}

export function rate(): Rate {
  return { yes: 0, no: 0 };
}

/** `keep` in (0, 1): what is left of the weight of all before. */
export function countRate(state: Rate, isYes: boolean, keep: number): void {
  state.yes = keep * state.yes + (isYes ? 1 : 0);
  state.no = keep * state.no + (isYes ? 0 : 1);
}

/** The share of yes, drawn towards `prior` by a weight of `priorWeight` samples. */
export function rateOf({ yes, no }: Rate, prior: number, priorWeight: number): number {
  return (yes + prior * priorWeight) / (yes + no + priorWeight);
}
