import { CommandError } from "./errors.ts";
import type { View } from "./reader.ts";
import { nearest } from "./suggest.ts";

/** The kind that a user means, in any case, also in the plural. Throws USAGE with the nearest one. */
export function kindNamed({ domain }: Pick<View, "domain">, text: string): string {
  const kinds = domain.behaviours.map(({ kind }) => kind);
  const word = text.trim().toLowerCase();
  const found = kinds.find((kind) => kind === word || `${kind}s` === word);
  if (found !== undefined) return found;
  const near = nearest(word, kinds);
  throw new CommandError("USAGE", `no kind of actor is called "${text}"`, {
    hint: `kinds are ${kinds.join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}
