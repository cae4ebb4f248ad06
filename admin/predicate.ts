import type { CellValue } from "../engine/emission.ts";
import type { ActorFacts } from "./actor_facts.ts";
import { CommandError } from "./errors.ts";
import { type Glob, globsMeet, literal, parseGlob } from "./glob.ts";
import { nearest } from "./suggest.ts";

/** A condition as it is typed, taken apart: `load_percent >= 90`. */
export interface Predicate {
  readonly field: string;
  readonly operator: Operator;
  readonly value: string;
}

const OPERATORS = ["!=", "<=", ">=", "=", "<", ">", "~"] as const;
type Operator = (typeof OPERATORS)[number];

const TYPED = /^\s*([A-Za-z_$][\w$]*)\s*(!=|<=|>=|=|<|>|~)(?![=<>~!])\s*(.*?)\s*$/s;

/** Reads `FIELD OP VALUE`; the value may stand in quotes. Throws USAGE. */
export function parsePredicate(text: string): Predicate {
  const [, field, operator, value] = TYPED.exec(text) ?? [];
  if (field === undefined || value === undefined || value === "") {
    throw new CommandError("USAGE", `--where: "${text}" is no condition`, { hint: `FIELD OP VALUE, with one of ${OPERATORS.join(" ")}` });
  }
  return { field, operator: operator as Operator, value: unquoted(value) };
}

/**
 * Makes the test. The actor's value says how the typed one is read: numbers and truths are compared as such, all else as text, instants in ISO
 * 8601; `~` is a glob over the text. An actor without the field, or without a value in it, passes `!=` only.
 */
export function predicateTest({ field, operator, value }: Predicate): (facts: ActorFacts) => boolean {
  const glob = operator === "~" ? globOf(value) : null;
  return (facts) => {
    const cell = Object.hasOwn(facts, field) ? (facts[field] ?? null) : null;
    if (cell === null) return operator === "!=";
    if (glob !== null) return globsMeet(glob, literal(String(cell)));
    return holds(operator, compared(cell, value));
  };
}

/** Throws USAGE for a field that no actor has. `fields`: those that were seen. */
export function requireField({ field }: Predicate, fields: ReadonlySet<string>): void {
  if (fields.size === 0 || fields.has(field)) return;
  const near = nearest(field, fields);
  throw new CommandError("USAGE", `--where: no field ${field}`, {
    hint: `fields: ${[...fields].sort().join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}

function globOf(pattern: string): Glob {
  const glob = parseGlob(pattern);
  if (typeof glob === "string") throw new CommandError("USAGE", `--where: "${pattern}" is no pattern: ${glob}`);
  return glob;
}

/** Below, at or above 0, as the cell is; NaN: they cannot be compared. */
function compared(cell: NonNullable<CellValue>, value: string): number {
  if (typeof cell === "number") return cell - (value.trim() === "" ? Number.NaN : Number(value));
  if (typeof cell === "boolean") return value === String(cell) ? 0 : Number.NaN;
  return cell === value ? 0 : cell < value ? -1 : 1;
}

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "~":
      return false;
  }
}

function unquoted(text: string): string {
  return /^(["']).*\1$/s.test(text) && text.length >= 2 ? text.slice(1, -1) : text;
}
