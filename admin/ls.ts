import { type ActorId, keyOf, kindOf } from "../engine/ids.ts";
import { clockText, factsReader, openAlerts } from "./actor_facts.ts";
import { type Column, formatRows, type Screen } from "./format.ts";
import { kindNamed } from "./kind_name.ts";
import { parsePredicate, predicateTest, requireField } from "./predicate.ts";
import { readActors, type View } from "./reader.ts";

/** What is listed, as it is typed. */
export interface LsQuery {
  readonly kind: string;
  /** What ids begin with, in any case. */
  readonly prefix?: string | undefined;
  /** Conditions that all hold: `FIELD OP VALUE`. */
  readonly where?: readonly string[] | undefined;
  /** Only ids behind this one. */
  readonly after?: string | undefined;
}

/** An actor in one line. */
export interface LsRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string | null;
  readonly openAlerts: number;
  readonly clock: string | null;
}

/** The first `limit` rows, in order of ids, and how many fit. */
export interface LsList {
  readonly rows: readonly LsRow[];
  readonly found: number;
}

/** Lists the actors of a kind. Throws USAGE for a kind or a field that does not exist. */
export function ls(view: View, { kind: kindText, prefix = "", where = [], after }: LsQuery, limit: number): LsList {
  const kind = kindNamed(view, kindText);
  const predicates = where.map(parsePredicate);
  const tests = predicates.map(predicateTest);
  const begin = prefix.toLowerCase();
  const behind = after === undefined ? null : keyText(after, kind);
  const rows: LsRow[] = [];
  const fields = new Set<string>();
  const factsOf = factsReader(view);
  let found = 0;
  const takes = (id: ActorId): boolean => {
    if (kindOf(id) !== kind || !keyOf(id).toLowerCase().startsWith(begin) || (behind !== null && keyOf(id) <= behind)) return false;
    if (tests.length > 0 || rows.length < limit) return true;
    found += 1; // Past the limit only ids are counted.
    return false;
  };
  for (const actor of readActors(view, takes)) {
    if (tests.length > 0) {
      const facts = factsOf(actor);
      for (const name of Object.keys(facts)) fields.add(name);
      if (!tests.every((test) => test(facts))) continue;
    }
    found += 1;
    if (rows.length >= limit) continue;
    const { id, description, episodes } = actor;
    rows.push({ id: keyOf(id), kind, status: description.status, openAlerts: openAlerts(episodes), clock: clockText(actor) });
  }
  for (const predicate of predicates) requireField(predicate, fields);
  return { rows, found };
}

/** A table for people. */
export function lsText(rows: readonly LsRow[], screen: Screen | null): string {
  return formatRows(rows, COLUMNS, "table", screen);
}

const COLUMNS: readonly Column<LsRow>[] = [
  { name: "id", of: (row) => row.id, isWhole: true },
  { name: "status", of: (row) => row.status ?? "-" },
  { name: "open", of: (row) => row.openAlerts },
  { name: "clock", of: (row) => row.clock ?? "-", isWhole: true },
];

function keyText(text: string, kind: string): string {
  return text.toLowerCase().startsWith(`${kind}/`) ? text.slice(kind.length + 1) : text;
}
