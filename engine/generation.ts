// A restored state counts on from an older number: what it writes from then on is told from what the state before it wrote under the same numbers.

/** A name for what one generation of a state writes: `base` until the state was restored once (generation 0), then `base/<generation>`. */
export function generationName(base: string, generation: number): string {
  return generation === 0 ? base : `${base}/${generation}`;
}

/** The generation in a name that was made from `base`; null: it is another one's name. */
export function generationIn(name: string, base: string): number | null {
  if (name === base) return 0;
  const rest = name.startsWith(`${base}/`) ? name.slice(base.length + 1) : "";
  return /^[1-9]\d{0,15}$/.test(rest) ? Number(rest) : null;
}
