import type { CellValue, Severity } from "../../engine/emission.ts";

/** How two values are compared; `~`: the text contains a word of the pattern. */
export type Op = "<" | "<=" | ">" | ">=" | "=" | "!=" | "~";

/** What a test decides: `all` must pass for the rule to hold, and one of those that say `any`; a level is that of the alert if the test passes. */
export type Decides = "all" | "any" | Severity;

/** One comparison that a rule makes. */
export interface Test {
  readonly name: string;
  readonly value: CellValue;
  readonly op: Op;
  readonly limit: CellValue;
  readonly passed: boolean;
  /** Where the limit comes from: `rules.meter.spike.limitKwh`, or in words. */
  readonly from: string;
  readonly decides: Decides;
}

/** What an alert's evidence says: nothing else is known to an explanation. */
export interface Seen<Limits> {
  /** The observed value of the rule's metric. */
  readonly value: CellValue;
  /** The limit that the observation names, where the rule's own numbers do not give it: it may be learnt. */
  readonly limit: number | null;
  readonly facts: Readonly<Record<string, CellValue>>;
  readonly limits: Limits;
}

/** Compares a value with a limit. `from`: the name of a limit of the rule, or words. */
export function test(
  name: string,
  value: CellValue | undefined,
  op: Op,
  limit: CellValue | undefined,
  from: string,
  decides: Decides = "all",
): Test {
  return { name, value: value ?? null, op, limit: limit ?? null, passed: holds(value ?? null, op, limit ?? null), from, decides };
}

/** Whether tests make a rule speak, and how loudly. `base`: its level where no test names one. */
export function verdictOf(tests: readonly Test[], base: Severity): { readonly holds: boolean; readonly severity: Severity } {
  const some = tests.filter(({ decides }) => decides === "any");
  const all = tests.filter(({ decides }) => decides === "all");
  const levels = tests
    .filter(({ decides, passed }) => passed && LEVELS.includes(decides as Severity))
    .map(({ decides }) => decides as Severity);
  return {
    holds: all.every(({ passed }) => passed) && (some.length === 0 || some.some(({ passed }) => passed)),
    severity: levels.length === 0 ? base : (LEVELS.findLast((level) => levels.includes(level)) ?? base),
  };
}

/** A fact that is a number, or null. */
export function numeric(value: CellValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}

/** A product that is null where a factor is; to three decimals. */
export function times(...factors: readonly (CellValue | undefined)[]): number | null {
  const numbers = factors.map(numeric);
  if (numbers.includes(null)) return null;
  return Math.round(1_000 * numbers.reduce<number>((product, factor) => product * (factor ?? 0), 1)) / 1_000;
}

const LEVELS: readonly Severity[] = ["info", "warning", "major", "critical"];

function holds(value: CellValue, op: Op, limit: CellValue): boolean {
  if (op === "=") return value === limit;
  if (op === "!=") return value !== limit;
  if (op === "~") return typeof value === "string" && new RegExp(String(limit)).test(value);
  if (typeof value !== "number" || typeof limit !== "number") return false;
  return op === "<" ? value < limit : op === "<=" ? value <= limit : op === ">" ? value > limit : value >= limit;
}
