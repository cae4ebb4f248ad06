import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import type { Finding, KeyPath } from "./finding.ts";

/** A place in the file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A configuration file that YAML understands. */
export interface ConfigText {
  readonly value: unknown;
  /** Where a key or its value is written; the nearest one above if it is not. */
  place(path: KeyPath, at: "key" | "value"): Place;
  /** Whether the file itself says something at this path. */
  has(path: KeyPath): boolean;
  /** The file's lines, with every value hidden that `isHidden` says is not for eyes. */
  lines(isHidden: (path: KeyPath) => boolean): readonly string[];
}

const ALIASES_MAX = 100;
const BYTES_MAX = 1_048_576;
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Reads a configuration file: YAML core schema, keys once each and plain text, at most 100 aliases. Returns findings of the syntax layer instead if it cannot. */
export function readConfigText(bytes: Uint8Array): ConfigText | readonly Finding[] {
  if (bytes.length > BYTES_MAX) return [nowhere("too_large", `the file has more than ${BYTES_MAX} bytes`, "is it the right file?")];
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return [nowhere("bad_encoding", "the file is not UTF-8", "save it as UTF-8")];
  }
  const counter = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  try {
    const document = parseDocument(text, {
      schema: "core",
      uniqueKeys: true,
      prettyErrors: false,
      lineCounter: counter,
      logLevel: "error", // "silent" would hide errors too.
    });
    const problems = [...document.errors, ...document.warnings].map((error) => syntaxFinding(error, text, place));
    const findings = problems.length > 0 ? problems : structureFindings(document, place);
    if (findings.length > 0) return findings;
    return configText(document, document.toJS({ maxAliasCount: ALIASES_MAX }), text, place);
  } catch (error) {
    // Nesting beyond the stack, or aliases that multiply: neither is a configuration.
    return [
      nowhere("too_complex", `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`, "write it out plainly"),
    ];
  }
}

function configText(document: Document, value: unknown, text: string, place: (offset: number) => Place): ConfigText {
  return {
    value,
    place: (path, at) => place(offsetOf(document, path, at)),
    has: (path) => path.length > 0 && found(document, path).length === path.length,
    lines: (isHidden) => splitLines(hidden(document, text, isHidden)),
  };
}

/** The lines of a file that is not understood: everything that may be a value is left out, since it may be a secret. */
export function linesOfBrokenText(bytes: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(bytes.subarray(0, BYTES_MAX));
  const secretive = /((?:pass\w*|secrets?|value|key|cert|sas|token|connectionString)["']?\s*:\s*)([^\s][^\n]*)/gi;
  return splitLines(text.replace(secretive, (_, key: string, rest: string) => key + "*".repeat(rest.length)));
}

function syntaxFinding(error: YAMLError, text: string, place: (offset: number) => Place): Finding {
  const [from] = error.pos;
  if (error.code === "DUPLICATE_KEY") {
    const key = /^["']?([^"':,}\s]*)/.exec(text.slice(from))?.[1] ?? "";
    return {
      level: "error",
      code: "duplicate_key",
      path: key,
      ...place(from),
      message: `the key "${key}" is there twice`,
      fix: "keep one of them",
    };
  }
  const { message = firstLine(error.message), fix = null } = SAID_PLAINLY[error.code] ?? {};
  return { level: "error", code: "bad_yaml", path: "", ...place(from), message, fix };
}

/** Where the library speaks to programmers. */
const SAID_PLAINLY: Readonly<Record<string, { readonly message?: string; readonly fix: string }>> = {
  TAB_AS_INDENT: { fix: "indent with spaces" },
  MULTIPLE_DOCS: { message: "a second document begins", fix: "keep one" },
};

/** What YAML allows and a configuration does not: keys that are no plain text, keys that JavaScript gives a meaning to, hosts of aliases. */
function structureFindings(document: Document, place: (offset: number) => Place): readonly Finding[] {
  const findings: Finding[] = [];
  let aliases = 0;
  const add = (code: string, node: unknown, message: string, fix: string): void => {
    findings.push({ level: "error", code, path: "", ...place(startOf(node)), message, fix });
  };
  visit(document, {
    Alias: (_, alias) => {
      aliases += 1;
      if (aliases === ALIASES_MAX + 1) add("too_many_aliases", alias, `more than ${ALIASES_MAX} aliases`, "write the values out");
    },
    Pair: (_, pair) => {
      if (!isScalar(pair.key)) add("bad_key", pair.key, "a key must be plain text", "give it a name");
      else if (FORBIDDEN_KEYS.has(String(pair.key.value)))
        add("forbidden_key", pair.key, `"${String(pair.key.value)}" cannot be a key`, "give it another name");
    },
  });
  return findings;
}

/** The pairs or items along a path, as far as the file has them. */
function found(document: Document, path: KeyPath): readonly (Pair | Node)[] {
  const steps: (Pair | Node)[] = [];
  let at: unknown = document.contents;
  for (const key of path) {
    const node: unknown = isAlias(at) ? at.resolve(document) : at;
    const step = isMap(node) ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key) : itemOf(node, key);
    if (step === undefined) break;
    steps.push(step);
    at = isPair(step) ? step.value : step;
  }
  return steps;
}

function itemOf(node: unknown, key: string): Node | undefined {
  return isSeq(node) ? (node.items[Number(key)] as Node | undefined) : undefined;
}

function offsetOf(document: Document, path: KeyPath, at: "key" | "value"): number {
  const steps = found(document, path);
  const last = steps.at(-1);
  if (last === undefined) return startOf(document.contents);
  if (!isPair(last)) return startOf(last);
  return at === "value" && steps.length === path.length && last.value !== null ? startOf(last.value) : startOf(last.key);
}

function startOf(node: unknown): number {
  const range =
    typeof node === "object" && node !== null && "range" in node
      ? (node.range as readonly [number, number, number] | null | undefined)
      : null;
  return range?.[0] ?? 0;
}

/** Replaces hidden values by stars of the same length, so that columns stay where they are. */
function hidden(document: Document, text: string, isHidden: (path: KeyPath) => boolean): string {
  const spans: (readonly [number, number])[] = [];
  visit(document, {
    Scalar: (key, node, ancestors) => {
      const path = key === "key" ? null : pathOf(key, ancestors as readonly unknown[]);
      if (path !== null && node.range && isHidden(path)) spans.push([node.range[0], node.range[1]]);
    },
  });
  let shown = text;
  for (const [from, to] of spans) shown = shown.slice(0, from) + shown.slice(from, to).replace(/[^\r\n]/g, "*") + shown.slice(to);
  return shown;
}

function pathOf(key: unknown, ancestors: readonly unknown[]): KeyPath {
  const path: string[] = [];
  for (const [n, ancestor] of ancestors.entries()) {
    const next = ancestors[n + 1];
    if (isPair(ancestor)) path.push(isScalar(ancestor.key) ? String(ancestor.key.value) : "");
    else if (isSeq(ancestor)) path.push(String(next === undefined ? key : ancestor.items.indexOf(next)));
  }
  return path;
}

function nowhere(code: string, message: string, fix: string): Finding {
  return { level: "error", code, path: "", line: null, column: null, message, fix };
}

function splitLines(text: string): readonly string[] {
  return text.split(/\r?\n/);
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
