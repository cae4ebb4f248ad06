import { keyOf, kindOf } from "../engine/ids.ts";
import { type ActorFacts, factsReader } from "./actor_facts.ts";
import { CommandError } from "./errors.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { kindNamed } from "./kind_name.ts";
import { changesSince } from "./past_values.ts";
import { engineClockMs, readActors, type View } from "./reader.ts";
import { nearest } from "./suggest.ts";
import { timeMs } from "./time.ts";

/** What actors are ranked by beside their own fields, and which count it is. */
const RANKED_BY: Readonly<Record<string, string>> = { alerts: "alerts", records: "accepted", late: "late", faults: "quarantined" };

export interface TopQuery {
  readonly kind?: string | undefined;
  /** `alerts`, `records`, `late`, `faults`, or a field that holds numbers. */
  readonly by?: string | undefined;
  /** A span back, or a time: since when the change is told. */
  readonly over?: string | undefined;
}

/** `delta`: the change over a span; null: none was asked for. */
export interface TopRow {
  readonly id: string;
  readonly kind: string;
  readonly value: number;
  readonly delta: number | null;
}

/** The actors with the highest values, highest first, of equal ones in order of ids. Those at 0 are left out. Throws USAGE. */
export async function top(view: View, { kind: kindText, by = "alerts", over }: TopQuery, limit: number): Promise<readonly TopRow[]> {
  const kind = kindText === undefined ? null : kindNamed(view, kindText);
  const field = Object.hasOwn(RANKED_BY, by) ? (RANKED_BY[by] as string) : by;
  const fields = new Set(Object.keys(RANKED_BY));
  const best: TopRow[] = [];
  const factsOf = factsReader(view);
  let isKnown = false;
  for (const actor of readActors(view, (id) => kind === null || kindOf(id) === kind)) {
    const value = Object.hasOwn(actor.counts, field) ? actor.counts[field as keyof typeof actor.counts] : factsOf(actor)[field];
    isKnown ||= typeof value === "number";
    if (!isKnown) for (const name of numbersIn(factsOf(actor))) fields.add(name);
    if (typeof value === "number" && value !== 0) insert(best, { id: keyOf(actor.id), kind: kindOf(actor.id), value, delta: null }, limit);
  }
  if (!isKnown && field === by) throw noField(by, fields);
  if (over === undefined) return best;
  const values = new Map(best.map(({ kind: own, id, value }) => [`${own}/${id}`, value]));
  const ranked = Object.hasOwn(RANKED_BY, by) ? (by as "alerts" | "records" | "late" | "faults") : { field: by };
  const changes = await changesSince(view, ranked, values, timeMs(over, engineClockMs(view), "--over"));
  return best.map((row) => ({ ...row, delta: changes.get(`${row.kind}/${row.id}`) ?? null }));
}

/** A table for people. */
export function topText(rows: readonly TopRow[], screen: Screen | null): string {
  const isTold = rows.some(({ delta }) => delta !== null);
  return formatRows(rows, isTold ? [...COLUMNS, { name: "change", of: (row) => row.delta }] : COLUMNS, "table", screen);
}

const COLUMNS: readonly Column<TopRow>[] = [
  { name: "id", of: (row) => row.id, isWhole: true },
  { name: "kind", of: (row) => row.kind },
  { name: "value", of: (row) => row.value },
];

function numbersIn(facts: ActorFacts): readonly string[] {
  return Object.keys(facts).filter((name) => typeof facts[name] === "number");
}

/** Behind those that are as high, so that what came first stays first; nothing is kept beyond the limit. */
function insert(best: TopRow[], row: TopRow, limit: number): void {
  const before = best.findIndex(({ value }) => value < row.value);
  const at = before < 0 ? best.length : before;
  if (at >= limit) return;
  best.splice(at, 0, row);
  best.length = Math.min(best.length, limit);
}

function noField(by: string, fields: ReadonlySet<string>): CommandError {
  const near = nearest(by, fields);
  return new CommandError("USAGE", `--by: no actor has a number called ${by}`, {
    hint: `one of ${[...fields].sort().join(", ")}`,
    candidates: near === null ? [] : [near],
  });
}
