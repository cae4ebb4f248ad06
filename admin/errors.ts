import { Unavailable } from "../engine/fault.ts";
import { printable, printableJson } from "./printable.ts";

/** Why a command failed: a closed list, the same for the command line and the HTTP API. */
export type ErrorCode = "USAGE" | "NOT_FOUND" | "ASSERTION" | "UNREACHABLE" | "INTERNAL" | "RETRY" | "CONFIG" | "REFUSED";

const EXIT: Readonly<Record<ErrorCode, number>> = {
  REFUSED: 1,
  USAGE: 2,
  NOT_FOUND: 4,
  ASSERTION: 5,
  UNREACHABLE: 69,
  INTERNAL: 70,
  RETRY: 75,
  CONFIG: 78,
};

const CANDIDATES_MAX = 5;

export interface CommandErrorOptions {
  /** The next step, as a sentence or a command. */
  readonly hint?: string | null;
  /** What may have been meant, best first. */
  readonly candidates?: readonly string[];
  /** Where the code's own exit code does not fit. */
  readonly exit?: number;
  readonly cause?: unknown;
}

/** A command that ends without its answer. `exit` is the exit code. */
export class CommandError extends Error {
  readonly code: ErrorCode;
  readonly exit: number;
  readonly hint: string | null;
  readonly candidates: readonly string[];

  constructor(code: ErrorCode, message: string, { hint = null, candidates = [], exit = EXIT[code], cause }: CommandErrorOptions = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.name = "CommandError";
    this.code = code;
    this.exit = exit;
    this.hint = hint;
    this.candidates = candidates.slice(0, CANDIDATES_MAX);
  }

  /** What people see, without `error: `. Printable, may have lines. */
  text(): string {
    const lines = [`${printable(this.message)}${meant(this.candidates)}`];
    if (this.hint !== null) lines.push(`  try: ${printable(this.hint)}`);
    return lines.join("\n");
  }
}

/** Any error as a `CommandError`: an outage is RETRY, everything unforeseen is INTERNAL. */
export function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError(error instanceof Unavailable ? "RETRY" : "INTERNAL", message, { cause: error });
}

/** The text of an error for stderr, with its line end: one line of JSON, or lines for people (`verbose` adds the stack of an INTERNAL one). */
export function errorText(error: unknown, { json, verbose = false }: { readonly json: boolean; readonly verbose?: boolean }): string {
  const failed = asCommandError(error);
  if (json) {
    const { code, message, hint, candidates } = failed;
    return `${printableJson({ error: { code, message, hint, candidates } })}\n`;
  }
  const stack = verbose && failed.code === "INTERNAL" ? stackOf(error) : "";
  return `error: ${failed.text()}\n${stack}`;
}

/** Writes the error to stderr and returns the exit code. stdout stays empty: it is for answers. */
export function printError(
  error: unknown,
  json: boolean,
  write: (text: string) => void = (text) => void process.stderr.write(text),
): number {
  write(errorText(error, { json }));
  return asCommandError(error).exit;
}

function meant(candidates: readonly string[]): string {
  if (candidates.length === 0) return "";
  const quoted = candidates.map((candidate) => `"${printable(candidate)}"`);
  const last = quoted.pop() ?? "";
  return `. Did you mean ${quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`}?`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error) || error.stack === undefined) return "";
  return `${error.stack.split("\n").map(printable).join("\n")}\n`;
}
