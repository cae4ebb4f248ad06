import type { z } from "zod";
import { isPrintable, knownKeys } from "./config_keys.ts";
import type { ConfigText } from "./config_text.ts";
import type { Override } from "./config_variables.ts";
import type { Finding, KeyPath } from "./finding.ts";
import { cut, printableJson } from "./printable.ts";
import { nearest } from "./suggest.ts";

/** Makes findings about one configuration, each at its place. */
export interface Report {
  error(code: string, path: KeyPath, message: string, fix?: string | null, at?: "key" | "value"): Finding;
  warning(code: string, path: KeyPath, message: string, fix?: string | null, at?: "key" | "value"): Finding;
}

/** Places are those of the file; a value that was set elsewhere has none, and its finding names what set it. */
export function reportOn(text: ConfigText, overrides: readonly Override[]): Report {
  const finding =
    (level: Finding["level"]) =>
    (code: string, path: KeyPath, message: string, fix: string | null = null, at: "key" | "value" = "value"): Finding => {
      const setBy = overrides.findLast((override) => override.path.every((key, n) => path[n] === key));
      if (setBy !== undefined)
        return { level, code, path: path.join("."), line: null, column: null, message: `${setBy.by}: ${message}`, fix };
      return { level, code, path: path.join("."), ...text.place(path, at), message, fix };
    };
  return { error: finding("error"), warning: finding("warning") };
}

/** A fix that names the nearest known word, or else all of them if they are few. */
export function meant(word: string, known: readonly string[], what: string): string | null {
  const near = nearest(word, known);
  if (near !== null) return `did you mean "${near}"?`;
  return known.length > 0 && known.length <= 20 ? `${what}: ${known.join(", ")}` : null;
}

/** What the schema found, in words, each with a fix. `value` is the configuration it was found in. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], value: unknown, report: Report): readonly Finding[] {
  return issues.flatMap((issue) => schemaFinding(issue, value, report));
}

const QUOTED_MAX = 60;

const NOUN: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

function schemaFinding(issue: z.core.$ZodIssue, value: unknown, report: Report): readonly Finding[] {
  const path = issue.path.map(String);
  const key = path.at(-1) ?? "";
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((unknown) => unknownKey([...path, unknown], value, report));
    case "invalid_key":
      return [report.error("bad_name", path, `"${key}": ${issue.issues[0]?.message ?? issue.message}`, null, "key")];
    case "invalid_type":
      if (issue.input === undefined) return [missing(path, NOUN[issue.expected] ?? issue.expected, report)];
      return [report.error("bad_type", path, `expected ${wanted(issue)}, got ${got(issue.input, path, value)}`, quoted(issue))];
    case "invalid_value":
      return [notOneOf(issue.values.map(String), issue.input, path, value, report)];
    case "invalid_union": {
      if (issue.discriminator !== undefined && "options" in issue) {
        return [notOneOf((issue.options ?? []).map(String), typeOf(issue.input), path, value, report)];
      }
      const inside = issue.errors.find((branch) => branch.some((each) => each.path.length > 0 || each.code === "unrecognized_keys"));
      if (inside === undefined) break;
      return inside.flatMap((each) => schemaFinding({ ...each, path: [...issue.path, ...each.path] }, value, report));
    }
    case "too_small":
    case "too_big":
      return [report.error("out_of_range", path, `${bound(issue)}, got ${got(issue.input, path, value)}`)];
  }
  const input = "input" in issue ? issue.input : undefined;
  return [report.error("bad_value", path, input === undefined ? issue.message : `${issue.message}, got ${got(input, path, value)}`)];
}

function unknownKey(path: KeyPath, value: unknown, report: Report): Finding {
  const key = path.at(-1) ?? "";
  const moved = MOVED.get(path.join("."));
  const fix = moved === undefined ? meant(key, knownKeys(path.slice(0, -1), value), "known keys") : `it is set by ${moved}`;
  return report.error("unknown_key", path, `unknown key "${key}"`, fix, "key");
}

const MOVED: ReadonlyMap<string, string> = new Map([
  ["limits.batchRecords", "batch.records"],
  ["limits.batchBytes", "batch.bytes"],
]);

function missing(path: KeyPath, expected: string, report: Report): Finding {
  const key = path.at(-1) ?? "";
  return report.error("missing_key", path, `missing key "${key}"`, `add "${key}": ${expected}`, "key");
}

function notOneOf(options: readonly string[], input: unknown, path: KeyPath, value: unknown, report: Report): Finding {
  if (input === undefined) return missing(path, options.join(" or "), report);
  const expected = options.length === 1 ? `expected ${options[0]}, got ` : "";
  const rest = options.length === 1 ? "" : ` is not one of ${options.join(", ")}`;
  return report.error("bad_value", path, `${expected}${got(input, path, value)}${rest}`, meant(String(input), options, "possible"));
}

function wanted(issue: z.core.$ZodIssueInvalidType): string {
  return issue.message.startsWith("expected ") ? issue.message.slice("expected ".length) : (NOUN[issue.expected] ?? issue.expected);
}

/** The usual slip in YAML: text that looks like a number. */
function quoted(issue: z.core.$ZodIssueInvalidType): string | null {
  return issue.expected === "string" && typeof issue.input !== "object" && !issue.message.startsWith("expected ")
    ? `write it in quotes`
    : null;
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isSmall = issue.code === "too_small";
  const limit = isSmall ? issue.minimum : issue.maximum;
  if (issue.message.startsWith("expected ")) return issue.message;
  if (issue.origin === "string" || issue.origin === "array") {
    return `expected at ${isSmall ? "least" : "most"} ${limit} ${issue.origin === "string" ? "characters" : limit === 1 ? "item" : "items"}`;
  }
  if (issue.inclusive === false) return `expected ${isSmall ? "more" : "less"} than ${limit}`;
  return `expected at ${isSmall ? "least" : "most"} ${limit}`;
}

function typeOf(input: unknown): unknown {
  return typeof input === "object" && input !== null && "type" in input ? input.type : undefined;
}

/** A value as it is quoted in a message: short, and never a secret. */
function got(input: unknown, path: KeyPath, value: unknown): string {
  if (input === null) return "nothing";
  if (typeof input === "object") return Array.isArray(input) ? "a list" : "a map";
  return isPrintable(path, value) ? cut(quotedText(input), QUOTED_MAX) : (NOUN[typeof input] ?? typeof input);
}

function quotedText(input: unknown): string {
  return typeof input === "number" ? String(input) : printableJson(input); // JSON has no infinity.
}
