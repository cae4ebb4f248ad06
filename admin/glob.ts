/** A file pattern taken apart: the ways to write it without braces and `**\/`, each as a row of tokens. */
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
  if (ways === null) return "a brace is not closed, or inside another";
  const rows = ways.flatMap(withoutFolders);
  return rows.length > WAYS_MAX ? `braces and **/ give more than ${WAYS_MAX} ways to read it` : rows.map(tokens);
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

/** Every way to choose from the braces. Null: unbalanced or nested. */
function withoutBraces(pattern: string): readonly string[] | null {
  const parts = pattern.split(/\{([^{}]*)\}/);
  if (parts.some((part, n) => n % 2 === 0 && /[{}]/.test(part))) return null;
  let ways = [""];
  for (const [n, part] of parts.entries()) {
    const choices = n % 2 === 0 ? [part] : part.split(",");
    if (ways.length * choices.length > LENGTH_MAX) return ways.concat(Array.from({ length: WAYS_MAX + 1 }, () => "")); // More than allowed: the caller says so.
    ways = ways.flatMap((way) => choices.map((choice) => way + choice));
  }
  return ways;
}

/** `**\/` stands for no folder or for some: two ways each. */
function withoutFolders(pattern: string): readonly string[] {
  const parts = pattern.split(/(?<=^|\/)\*\*\//);
  if (parts.length > 7) return Array.from({ length: WAYS_MAX + 1 }, () => "");
  return parts
    .slice(1)
    .reduce<readonly string[]>((ways, part) => ways.flatMap((way) => [way + part, `${way}**/${part}`]), [parts[0] ?? ""]);
}

function tokens(pattern: string): readonly Token[] {
  const row: Token[] = [];
  const parts = pattern.split(/(\*+|\?)/);
  for (const [n, part] of parts.entries()) {
    if (n % 2 === 0) row.push(...part);
    else row.push(part === "?" ? ONE : part.length > 1 ? GLOBSTAR : STAR);
  }
  return row;
}
