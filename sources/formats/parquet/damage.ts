/** The file cannot be read, and why. */
export class Damage extends Error {}

/** Ends the reading of a file in which something is not as it must be. */
export function sound(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Damage(otherwise);
}
