/** Whether a path, relative and with slashes, is meant. */
export type PathTest = (path: string) => boolean;

/** A compiled glob. `depth`: how many folders deep it can match, the root being 0. */
export interface Glob {
  readonly matches: PathTest;
  readonly depth: number;
}

const LENGTH_MAX = 256;
const ALTERNATIVES_MAX = 64;

/**
 * Compiles a glob: `*` and `?` stay inside of a name, `**` as a whole name stands for any number of folders, `{a,b}` for either; everything else
 * for itself. A test takes time in proportion to pattern and path, whatever the pattern. Throws `RangeError` for one that is too long, empty, has
 * too many alternatives, or a brace without its partner.
 */
export function glob(pattern: string): Glob {
  if (pattern.length === 0 || pattern.length > LENGTH_MAX) throw new RangeError(`a glob has 1 to ${LENGTH_MAX} characters`);
  const alternatives = expanded(pattern).map((alternative) => alternative.split("/"));
  const depth = Math.max(...alternatives.map((names) => (names.includes("**") ? Number.POSITIVE_INFINITY : names.length - 1)));
  return { matches: (path) => alternatives.some((names) => foldersMatch(names, path.split("/"))), depth };
}

/** The pattern without braces: one text for each choice. */
function expanded(pattern: string): readonly string[] {
  const open = pattern.indexOf("{");
  if (open < 0) {
    if (pattern.includes("}")) throw new RangeError("a glob has } without {");
    return [pattern];
  }
  const { choices, end } = choicesAt(pattern, open);
  const texts = choices.flatMap((choice) => expanded(pattern.slice(0, open) + choice + pattern.slice(end)));
  if (texts.length > ALTERNATIVES_MAX) throw new RangeError(`a glob has at most ${ALTERNATIVES_MAX} alternatives`);
  return texts;
}

function choicesAt(pattern: string, open: number): { readonly choices: readonly string[]; readonly end: number } {
  const choices: string[] = [];
  let depth = 0;
  let begin = open + 1;
  for (let at = open; at < pattern.length; at += 1) {
    const char = pattern[at];
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (depth === 0 || (depth === 1 && char === ",")) {
      choices.push(pattern.slice(begin, at));
      begin = at + 1;
    }
    if (depth === 0) return { choices, end: at + 1 };
  }
  throw new RangeError("a glob has { without }");
}

/** Both lists of names match; the furthest `**` takes one more folder whenever what follows it does not fit. */
function foldersMatch(pattern: readonly string[], path: readonly string[]): boolean {
  return wildcardMatch(pattern, path, "**", (names, name) => nameMatches(names, name));
}

function nameMatches(pattern: string, name: string): boolean {
  return wildcardMatch([...pattern], [...name], "*", (chars, char) => chars === "?" || chars === char);
}

/** `star` stands for any number of items. Going back to the last star is enough, since an earlier one could take nothing that it cannot. */
function wildcardMatch(
  pattern: readonly string[],
  items: readonly string[],
  star: string,
  fits: (pattern: string, item: string) => boolean,
): boolean {
  let p = 0;
  let lastStar = -1;
  let taken = 0; // Items up to here belong to the last star or to what came before it.
  for (let i = 0; i < items.length; ) {
    if (pattern[p] === star) {
      lastStar = p;
      taken = i;
      p += 1;
    } else if (p < pattern.length && fits(pattern[p] as string, items[i] as string)) {
      p += 1;
      i += 1;
    } else if (lastStar >= 0) {
      taken += 1;
      i = taken;
      p = lastStar + 1;
    } else return false;
  }
  return pattern.slice(p).every((rest) => rest === star);
}
