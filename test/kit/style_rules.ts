import { posix } from "node:path";
import { codeOnly } from "./code_only.ts";

/** A house rule: what is wrong with the file at this path (from the root, with slashes), each as `path:line: what`. */
export type Rule = (path: string, text: string) => readonly string[];

/** An import of one file by another; `to` is a path from the root, or the name of a package or of a module of Node. */
export interface Import {
  readonly to: string;
  readonly line: number;
}

const EVERY_FOLDER = ["engine", "actors", "sources", "sinks", "admin", "simulators"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  engine: ["engine"],
  actors: ["engine", "actors"],
  sources: ["engine", "sources"],
  sinks: ["engine", "sinks"],
  admin: ["engine", "actors", "admin"],
  cluster: ["engine", "sources", "cluster"],
  simulators: ["simulators"], // Generators and feeds share nothing, so that each checks the other.
  "compose.ts": [...EVERY_FOLDER, "cluster"],
  "daemon.ts": [...EVERY_FOLDER, "compose.ts"],
  "cluster_daemon.ts": [...EVERY_FOLDER, "cluster", "compose.ts", "daemon.ts"],
  "cluster_commands.ts": [...EVERY_FOLDER, "cluster", "daemon.ts", "cluster_daemon.ts"],
  "main.ts": [...EVERY_FOLDER, "bench", "compose.ts", "daemon.ts", "cluster_commands.ts"],
  library: [...EVERY_FOLDER, "library", "compose.ts", "daemon.ts"],
  "lib.ts": [...EVERY_FOLDER, "library"], // For users; only tests import it.
  examples: [], // They know the package only, as users do.
  bench: [...EVERY_FOLDER, "bench", "compose.ts", "daemon.ts"],
  test: [...EVERY_FOLDER, "cluster", "cluster_daemon.ts", "bench", "test", "compose.ts", "daemon.ts", "main.ts", "library", "lib.ts"],
};

/** Engine files that meet the clock, the disk or a wait. Every other file of the engine is pure; name a new one here only if it cannot be. */
const ENGINE_EDGES = [
  "backup.ts",
  "clock.ts",
  "command.ts", // Stores what it has carried out.
  "codec.ts", // Its checksum is Node's.
  "crash_guard.ts",
  "directory_lock.ts",
  "drain.ts",
  "engine.ts",
  "fault.ts", // orUnavailable awaits the call that it wraps.
  "fold.ts",
  "fold_worker.ts",
  "lmdb_store.ts",
  "lmdb_tables.ts",
  "log_file.ts",
  "memory_store.ts",
  "preflight.ts",
  "process_life.ts",
  "pump.ts",
  "read_only_store.ts",
  "recovery.ts",
  "retention.ts",
  "retry.ts",
  "row_reviser.ts", // Reads rows back from the log.
  "schema_change.ts", // Reads rows back from the log.
  "schema_commands.ts", // Waits for it.
  "segment_file.ts",
  "segment_pin.ts",
  "segment_writer.ts",
  "thread.ts",
  "write_queue.ts",
];
const MAKES_IDS = "engine/ids.ts";
const MAY_HASH = [MAKES_IDS, "engine/digest.ts"];

const IMPURE: readonly (readonly [RegExp, string])[] = [
  [
    /\bDate\.now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<!\bnew\s+)(?<![\w$.])Date\s*\(|\bTemporal\.Now\b/g,
    "reads the clock: time is in the message",
  ],
  [/(?<![\w$.])(?:performance|process)\s*[.[]|\bglobalThis\b/g, "depends on the process"],
  [/\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/g, "is left to chance"],
  [/\b(?:setTimeout|setInterval|setImmediate|queueMicrotask)\b/g, "uses a timer of the process: ask out.wakeAt"],
  [/\bawait\b|\basync\b/g, "waits"],
  [/(?<![\w$.])console\s*\./g, "logs"],
  [
    /\.(?:get|set)(?:FullYear|Month|Date|Day|Hours|Minutes|Seconds)\s*\(|\.getTimezoneOffset\b|\.toLocale\w*/g,
    "depends on the machine's zone or language",
  ],
];

/** Engine, then what builds on it, then main.ts: the table above. */
export const importsGoDown: Rule = (path, text) => {
  const allowed = MAY_IMPORT[layerOf(path)];
  if (allowed === undefined) return [`${path}:1: belongs to no layer: name it in MAY_IMPORT`];
  return importsOf(path, text)
    .filter(({ to }) => to.endsWith(".ts") && !allowed.includes(layerOf(to)))
    .map(({ to, line }) => `${path}:${line}: ${layerOf(path)} may not import ${to}`);
};

/** Same batch and states, same Commit: no clock, chance, input, output, wait or log in the core. */
export const coreIsPure: Rule = (path, text) => {
  const isCore = path.startsWith("actors/") || (path.startsWith("engine/") && !ENGINE_EDGES.includes(path.slice("engine/".length)));
  if (!isCore) return [];
  const hint = path.startsWith("engine/") ? " (or is this an edge, for ENGINE_EDGES?)" : "";
  const modules = importsOf(path, text)
    .filter(({ to }) => to.startsWith("node:") && !(to === "node:crypto" && MAY_HASH.includes(path)))
    .map(({ to, line }) => `${path}:${line}: the core imports ${to}`);
  return [...modules, ...IMPURE.flatMap(([pattern, what]) => found(path, text, pattern, `the core ${what}${hint}`))];
};

export const noDefaultExport: Rule = (path, text) =>
  found(path, text, /\bexport\s+default\b|\bas\s+default\b/g, "a default export has no name to search for");

/** A file imports what it uses from where it is written; only lib.ts, the users' door, passes things on. */
export const noBarrel: Rule = (path, text) =>
  path === "lib.ts"
    ? []
    : found(path, text, /\bexport\s+(?:type\s+)?(?:\*(?:\s*as\s+\w+)?|\{[^}]*\})\s*from\b/g, "passes on what is written elsewhere");

export const noAny: Rule = (path, text) => [
  ...found(path, text, /(?<![\w$.])any(?![\w$])/g, "any switches the types off"),
  ...found(path, text, /\bas\s+unknown\s+as\b/g, "a cast through unknown"),
];

/** A branded id is made by its constructor in engine/ids.ts, which therefore is the only one to cast. */
export function castsOnlyWhereMade(brands: readonly string[]): Rule {
  const pattern = new RegExp(String.raw`\bas\s+(?:readonly\s+|\()*(?:${brands.join("|")})\b`, "g");
  return (path, text) => (path === MAKES_IDS ? [] : found(path, text, pattern, "casts to an id: call its constructor"));
}

/** The names of the branded types that a text declares. */
export function brandsOf(text: string): readonly string[] {
  return [...codeOnly(text).matchAll(/\btype\s+(\w+)\s*=\s*Branded\b/g)].map(([, name = ""]) => name);
}

export const noForbiddenCall: Rule = (path, text) => {
  const imports = importsOf(path, text);
  const mayPrint = !path.includes("/") || /^(?:simulators|bench|examples|test\/kit)\/|^test\/run\.ts$/.test(path);
  return [
    ...found(path, text, /(?<![\w$.])eval\s*\(|\bnew\s+Function\b/g, "makes code from text"),
    ...imports
      .filter(({ to }) => to === "node:vm" || to === "node:repl")
      .map(({ to, line }) => `${path}:${line}: runs code from text: ${to}`),
    ...(imports.some(({ to }) => to === "lmdb")
      ? found(path, text, /\.transaction\s*\(/g, "an asynchronous transaction: use transactionSync")
      : []),
    ...(mayPrint ? [] : found(path, text, /\bconsole\./g, "prints: return it, emit it or count it")),
  ];
};

/** Bare uvu believes a throwing hook and a suite that never ran; the kit does not. */
export const testsUseTheKit: Rule = (path, text) => {
  if (!path.startsWith("test/") || path.startsWith("test/kit/broken/") || path === "test/kit/suite.ts") return [];
  const imports = importsOf(path, text);
  const bare = imports
    .filter(({ to }) => to === "uvu")
    .map(({ line }) => `${path}:${line}: takes suites from uvu, not from test/kit/suite.ts`);
  const hasContract = imports.some(({ to }) => to.startsWith("test/contract/")); // Which makes the suite.
  const hasSuite = hasContract || (imports.some(({ to }) => to === "test/kit/suite.ts") && /\bsuite\s*\(/.test(codeOnly(text)));
  return path.endsWith(".test.ts") && !hasSuite ? [...bare, `${path}:1: has no suite of test/kit/suite.ts`] : bare;
};

/** Waiting means waiting for a signal. A timer that only ends a test which hangs says so: `// deadline: why`; one that makes a peer slow: `// pace: why`. */
export const testsDoNotSleep: Rule = (path, text) => {
  if (!path.startsWith("test/")) return [];
  const lines = text.split("\n");
  return found(path, text, /\b(?:setTimeout|setInterval)(?:\s*\(|\s+as\b)|(?<![\w$.])sleep\s*\(/g, "waits for time to pass").filter(
    (problem) => lines[Number(problem.split(":")[1]) - 1]?.match(/\/\/ (?:deadline|pace):/) == null,
  );
};

export const namesAreSnakeCase: Rule = (path) => {
  const name = posix.basename(path);
  if (!/^[a-z0-9_]+(?:\.test)?\.ts$/.test(name)) return [`${path}:1: a file name is in snake_case`];
  return /^(?:index|utils?|misc|common|helpers?|manager)\./.test(name) ? [`${path}:1: a name that says nothing`] : [];
};

/** One entry for each cycle of imports (types included) that a walk through the files meets. */
export function cycles(files: ReadonlyMap<string, string>): readonly string[] {
  const problems: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    if (trail.includes(path)) problems.push(`${path}:1: a cycle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
    if (done.has(path) || trail.includes(path)) return;
    trail.push(path);
    for (const { to } of importsOf(path, files.get(path) ?? "")) visit(to);
    trail.pop();
    done.add(path);
  };
  for (const path of files.keys()) visit(path);
  return problems;
}

/** Every import and re-export with a literal name, `import type` and `import()` included. */
export function importsOf(path: string, text: string): readonly Import[] {
  const code = codeOnly(text);
  return [...code.matchAll(/\b(?:from|import)\s*(?:(?<=import\s*)\(\s*)?["'](\s*)["']/g)].map((match) => {
    const end = match.index + match[0].length - 1;
    const name = text.slice(end - (match[1] ?? "").length, end);
    return { to: name.startsWith(".") ? posix.join(posix.dirname(path), name) : name, line: lineAt(text, match.index) };
  });
}

function layerOf(path: string): string {
  return path.split("/", 1)[0] ?? path;
}

function found(path: string, text: string, pattern: RegExp, what: string): readonly string[] {
  return [...codeOnly(text).matchAll(pattern)].map((match) => `${path}:${lineAt(text, match.index)}: ${what}`);
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
