/** An entry of a ranking. */
export interface Ranked {
  readonly id: string;
  readonly score: number;
}

/** The best `most` entries with this one among them, an older one of its id replaced: highest score first, ties by id, whatever came first. */
export function ranked<Entry extends Ranked>(entries: readonly Entry[], entry: Entry, most: number): readonly Entry[] {
  return [...entries.filter(({ id }) => id !== entry.id), entry].sort(byRank).slice(0, most);
}

/** Order of a ranking. */
export function byRank(a: Ranked, b: Ranked): number {
  if (a.score !== b.score) return b.score - a.score;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
