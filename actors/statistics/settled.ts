/**
 * Weights of a model as they were a day ago and before: what has been learnt since may be a fault that has only begun. Plain numbers, changed in
 * place.
 */
export interface Settled {
  /** In use. Null: the model is younger than two days, and its present weights are. */
  w: readonly number[] | null;
  /** As they were when the day began. */
  waiting: readonly number[] | null;
}

export function settled(): Settled {
  return { w: null, waiting: null };
}

/** A day has begun: what was learnt before the last one counts from now on. */
export function settle(state: Settled, w: readonly number[]): void {
  state.w = state.waiting;
  state.waiting = [...w];
}

/** The weights to predict with. */
export function settledWeights(state: Settled, w: readonly number[]): readonly number[] {
  return state.w ?? w;
}

/** Forgets what was learnt within the last day: `w` is changed in place. */
export function unlearn(state: Settled, w: number[]): void {
  if (state.w === null) return;
  w.splice(0, w.length, ...state.w);
  state.waiting = [...state.w];
}
