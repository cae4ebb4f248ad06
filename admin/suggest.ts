/** Number of single-character edits (insert, delete, replace, swap of neighbours) between two words. Both are taken as they are: lower them first. */
export function editDistance(left: string, right: string): number {
  const a = [...left];
  const b = [...right];
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

const DISTANCE_MAX = 2;
const WORD_MAX = 256; // The cost is the product of both lengths.

/**
 * The words within edit distance 2, whatever their case: nearest first, then in order of text, at most `most`. Never the word's own letters only ("ab" for
 * "xy"). However many are known, no more than that are held.
 */
export function suggestions(word: string, known: Iterable<string>, most = 5): readonly string[] {
  if (word.length > WORD_MAX) return [];
  const wanted = word.toLowerCase();
  const best: Near[] = [];
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > DISTANCE_MAX) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= DISTANCE_MAX && distance < Math.max(candidate.length, word.length)) keep(best, { candidate, distance }, most);
  }
  return best.map(({ candidate }) => candidate);
}

interface Near {
  readonly candidate: string;
  readonly distance: number;
}

/** Puts one at its place among the best, of which there are at most so many. */
function keep(best: Near[], near: Near, most: number): void {
  let at = best.length;
  for (let before = best[at - 1]; before !== undefined && isNearer(near, before); before = best[at - 1]) at -= 1;
  best.splice(at, 0, near);
  if (best.length > most) best.pop();
}

function isNearer(a: Near, b: Near): boolean {
  return a.distance < b.distance || (a.distance === b.distance && a.candidate < b.candidate);
}

/** The nearest of the known words, or null if none is within edit distance 2. */
export function nearest(word: string, known: Iterable<string>): string | null {
  return suggestions(word, known, 1)[0] ?? null;
}
