import { CommandError } from "./errors.ts";
import { colored, type Screen } from "./format.ts";
import { cut, displayWidth, printable } from "./printable.ts";

/** What `check` goes through; it stops at the first layer with an error. */
export type Layer = "syntax" | "schema" | "references" | "environment";

/** A key path in the configuration: `["sources", "meters", "settle"]`. */
export type KeyPath = readonly string[];

/** Something wrong with a configuration. `path` is the key path joined by dots; line and column count from 1, null where it is in no file. */
export interface Finding {
  readonly level: "error" | "warning";
  readonly code: string;
  readonly path: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly message: string;
  /** What to do about it, where that is known. */
  readonly fix: string | null;
}

/** The file that findings are about: its name for people, and its lines with secrets masked. */
export interface FindingSource {
  readonly file: string;
  readonly lines: readonly string[];
}

/** A configuration that cannot be used: exit code 78. */
export class ConfigError extends CommandError {
  readonly layer: Layer;
  readonly findings: readonly Finding[];
  readonly source: FindingSource;

  constructor(layer: Layer, findings: readonly Finding[], source: FindingSource) {
    const first = findings.find(({ level }) => level === "error") ?? findings[0];
    const more = findings.length > 1 ? ` (and ${findings.length - 1} more: gridactor check)` : "";
    super("CONFIG", first === undefined ? `${source.file} cannot be used` : `${placeOf(first, source)}: ${first.message}${more}`, {
      hint: first?.fix ?? null,
    });
    this.name = "ConfigError";
    this.layer = layer;
    this.findings = findings;
    this.source = source;
  }

  override text(): string {
    return `the configuration cannot be used\n${formatFindings(this.findings, this.source, null)}`.trimEnd();
  }
}

const LINE_WIDTH_MAX = 120;

/**
 * Findings for people: place, message, the line itself with a caret under the column, the fix.
 *
 *     gridactor.yaml:11:40: error: unknown key "settel" [unknown_key]
 *        11 |   meters: { feed: smart_meter, settel: 2s }
 *           |                                ^
 *       fix: did you mean "settle"?
 */
export function formatFindings(findings: readonly Finding[], source: FindingSource, screen: Screen | null): string {
  return findings.map((finding) => formatFinding(finding, source, screen)).join("");
}

function formatFinding(finding: Finding, source: FindingSource, screen: Screen | null): string {
  const level = colored(finding.level, finding.level === "error" ? "red" : "yellow", screen);
  const fix = finding.fix === null ? "" : `  fix: ${printable(finding.fix)}\n`;
  return `${placeOf(finding, source)}: ${level}: ${printable(finding.message)} [${finding.code}]\n${excerpt(finding, source)}${fix}`;
}

function placeOf({ line, column }: Finding, { file }: FindingSource): string {
  const name = printable(file);
  if (line === null) return name;
  return column === null ? `${name}:${line}` : `${name}:${line}:${column}`;
}

/** The line with a caret. A long line loses its beginning, then its end, so that the caret's place stays. */
function excerpt({ line, column }: Finding, { lines }: FindingSource): string {
  const text = line === null ? undefined : lines[line - 1];
  if (text === undefined || line === null || column === null) return "";
  const from = Math.max(0, column - 1 - LINE_WIDTH_MAX / 2);
  const lead = from > 0 && text.length > LINE_WIDTH_MAX ? "…" : "";
  const start = lead === "" ? 0 : from;
  const before = lead + printable(text.slice(start, column - 1));
  const shown = cut(before + printable(text.slice(column - 1, start + 4 * LINE_WIDTH_MAX)), LINE_WIDTH_MAX);
  const gutter = " ".repeat(Math.max(0, 5 - String(line).length));
  return `${gutter}${line} | ${shown}\n${" ".repeat(5)} | ${" ".repeat(displayWidth(before))}^\n`;
}
