/** A file pattern taken apart: the ways to write it without braces and with or without each `**`, each as a row of tokens. */
export type Glob = readonly (readonly Token[])[];

/** A character, or a class of them; `star` and `globstar` stand for any number of theirs. Only `globstar` and `any` take a slash. */
type Token = string | { readonly many: boolean; readonly slash: boolean };

const ONE: Token = { many: false, slash: false };
const STAR: Token = { many: true, slash: false };
const GLOBSTAR: Token = { many: true, slash: true };

const LENGTH_MAX = 256;
const WAYS_MAX = 64; // Braces and `**/` multiply: beyond this a pattern is a puzzle.

/** Reads a pattern: `*` and `?` within a folder's name, `**` across folders, `{a,b}` for either. A sentence that says what is wrong, if it is none. */
export function parseGlob(pattern: string): Glob | string {
  if (pattern.length === 0 || pattern.length > LENGTH_MAX) return `a pattern has 1 to ${LENGTH_MAX} characters`;
  if (pattern.startsWith("/") || pattern.split("/").includes("..")) return "a pattern stays below its location: no leading / and no ..";
  if (pattern.includes("\\")) return "folders are separated by /, and nothing is escaped";
  const ways = withoutBraces(pattern);
  if (ways === null) return `every { has its }, and all together give at most ${WAYS_MAX} ways to read the pattern`;
  const rows = ways.map(withoutFolders);
  if (rows.some((row) => row === null)) return `**/ gives more than ${WAYS_MAX} ways to read the pattern`;
  return rows.flatMap((row) => row ?? []).map(tokens);
}

/** A pattern that stands for one path only, whatever characters it has. */
export function literal(path: string): Glob {
  return [[...path]];
}

/** The patterns of a folder: what is before, then what is below. */
export function below(folder: string, glob: Glob): Glob {
  const lead = folder === "" || folder.endsWith("/") ? folder : `${folder}/`;
  return glob.map((row) => [...lead, ...row]);
}

/** Whether some path fits both patterns. Exact: walks both at once, as two automata. */
export function globsMeet(left: Glob, right: Glob): boolean {
  return left.some((a) => right.some((b) => rowsMeet(a, b)));
}

function rowsMeet(a: readonly Token[], b: readonly Token[]): boolean {
  const width = b.length + 1;
  const seen = new Set<number>([0]);
  const next: number[] = [0];
  const visit = (i: number, j: number): void => {
    const state = i * width + j;
    if (!seen.has(state)) next.push(state);
    seen.add(state);
  };
  for (let state = next.pop(); state !== undefined; state = next.pop()) {
    const i = Math.floor(state / width);
    const j = state % width;
    const left = a[i];
    const right = b[j];
    if (left === undefined && right === undefined) return true;
    if (left !== undefined && isMany(left)) visit(i + 1, j); // It may stand for nothing.
    if (right !== undefined && isMany(right)) visit(i, j + 1);
    if (left === undefined || right === undefined || !tokensMeet(left, right)) continue;
    visit(isMany(left) ? i : i + 1, isMany(right) ? j : j + 1); // Both take one character.
  }
  return false;
}

function isMany(token: Token): boolean {
  return typeof token === "object" && token.many;
}

function tokensMeet(left: Token, right: Token): boolean {
  if (typeof left === "string") return typeof right === "string" ? left === right : right.slash || left !== "/";
  return typeof right === "object" || left.slash || right !== "/";
}

/** Every way to choose from the braces, innermost first. Null: unbalanced, or too many ways. */
function withoutBraces(pattern: string): readonly string[] | null {
  let ways = [pattern];
  while (ways.some((way) => INNERMOST.test(way))) {
    ways = [...new Set(ways.flatMap(withoutInnermost))];
    if (ways.length > WAYS_MAX) return null;
  }
  return ways.some((way) => /[{}]/.test(way)) ? null : ways;
}

const INNERMOST = /\{([^{}]*)\}/;

function withoutInnermost(way: string): readonly string[] {
  const [braces, choices] = INNERMOST.exec(way) ?? [];
  return braces === undefined ? [way] : (choices ?? "").split(",").map((choice) => way.replace(braces, () => choice));
}

/** A folder `**` stands for none, or for some: two ways each. Null: too many ways. */
function withoutFolders(way: string): readonly (readonly string[])[] | null {
  let ways: readonly (readonly string[])[] = [[]];
  for (const name of way.split("/")) {
    ways = name === "**" ? [...ways, ...ways.map((names) => [...names, name])] : ways.map((names) => [...names, name]);
    if (ways.length > WAYS_MAX) return null;
  }
  return ways;
}

function tokens(names: readonly string[]): readonly Token[] {
  return names.flatMap((name, n): readonly Token[] => [...(n === 0 ? [] : ["/"]), ...tokensOf(name)]);
}

function tokensOf(name: string): readonly Token[] {
  if (name === "**") return [GLOBSTAR];
  return [...name].map((char) => (char === "*" ? STAR : char === "?" ? ONE : char));
}
