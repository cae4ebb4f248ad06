import { firstSpread, movedMedian, movedSpread } from "./robust.ts";

/** What a value usually is: a running median and spread. Plain numbers, changed in place. */
export interface Usual {
  median: number;
  spread: number;
  n: number;
}

export function usual(): Usual {
  return { median: 0, spread: 0, n: 0 };
}

export function learnUsual(state: Usual, value: number): void {
  const median = state.n === 0 ? value : movedMedian(state.median, state.spread, value);
  state.spread = state.n === 0 ? firstSpread(value) : movedSpread(median, state.spread, value);
  state.median = median;
  state.n += 1;
}
