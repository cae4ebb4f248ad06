import type { CellValue, Severity } from "./emission.ts";

/** Limits of a rule by name, the unit at the end of each: `limitKwh`, `clearK`. */
export type RuleLimits = Readonly<Record<string, number>>;

/** What a rule is: its identity, what it measures, the numbers in force by default, and how its episodes live. An id is never reused. */
export interface Rule {
  readonly id: string;
  /** Raised when a default changes. */
  readonly version: number;
  readonly family: string;
  /** Base level; an observation may name another. */
  readonly severity: Severity;
  readonly metric: string;
  readonly unit: string;
  readonly limits: RuleLimits;
  /** What the limits rest on: the data guide, a standard with its clause, or our own development data. */
  readonly basis?: string;
  /** Raised once the condition has held this long (event time between observations). Default 0: at once. */
  readonly onDelayMs?: number;
  /** Raised once it has held in this many observations, with none between them that is normal. Default 1. */
  readonly onCount?: number;
  /** Cleared once the condition has not held this long. Default 0. */
  readonly offDelayMs?: number;
  /** Cleared by this many normal observations in a row. Default 1. */
  readonly offCount?: number;
  /** Set: a pulse. One record raises it, and it clears this long after the last hit; normal observations mean nothing to it. */
  readonly pulseMs?: number;
  /** Ends only by an operator's resolution. */
  readonly latched?: boolean;
  /** True: a record rule. It judges single records, late ones too, and stamps its id in the record's curated row. */
  readonly stamps?: boolean;
  /** One line for people: what is seen when it speaks. */
  readonly summary: string;
}

/** One evaluation of a rule. `holds`: true abnormal, false normal, null indeterminate (with `reason`). */
export interface Observation {
  readonly holds: boolean | null;
  readonly atMs: number;
  readonly value: CellValue;
  readonly limit?: number;
  readonly clear?: number;
  readonly severity?: Severity;
  /** This hit latches the episode, though its rule does not always. */
  readonly latched?: boolean;
  readonly reason?: string;
  readonly confidence?: number;
  readonly evidence?: Readonly<Record<string, CellValue>>;
}
