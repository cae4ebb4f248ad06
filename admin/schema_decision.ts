import { parseTypeName, type TypeName } from "../engine/schema.ts";
import { changeSchema, SchemaChangeRefused, type SchemaChangeResult } from "../engine/schema_change.ts";
import type { Store } from "../engine/store.ts";
import type { World } from "../engine/world.ts";
import { CommandError } from "./errors.ts";
import { grouped } from "./format.ts";
import { printable } from "./printable.ts";

/** A decision as it is typed: `approve` names a type, `ignore` none. */
export interface DecisionQuery {
  readonly feed: string;
  readonly column: string;
  readonly type: string | null;
}

/** What became of it: `records` whose rows were said again with the value (approve) or wait no longer (ignore); `left`: with a value that does not fit. */
export interface Decision {
  readonly feed: string;
  readonly column: string;
  /** Null: it is ignored. */
  readonly type: TypeName | null;
  readonly version: number;
  /** False: it had been decided so before. */
  readonly isNew: boolean;
  readonly records: number;
  readonly left: number;
  /** Records whose rows have left the log. */
  readonly gone: number;
}

/** Carries a decision out on a store that is open for writing, with no engine on it. Throws USAGE for a type that is none, REFUSED. */
export async function decideColumn(world: World, store: Store, query: DecisionQuery, atMs: number): Promise<Decision> {
  const { feed, column } = query;
  const type = query.type === null ? null : typeNamed(query.type);
  const words = type === null ? `schema ignore ${feed} ${column}` : `schema approve ${feed} ${column} ${type}`;
  const origin = { source: "command", position: `command:${words}`, arrivedAtMs: atMs };
  const { version, isNew, amended, left, gone } = await changed(changeSchema(world, store, { feed, column, type }, origin));
  return { feed, column, type, version, isNew, records: amended, left, gone };
}

/** One line for people. */
export function decisionText({ feed, column, type, version, isNew, records, left, gone }: Decision): string {
  const what = type === null ? "is ignored" : `is ${type}`;
  const counts = [
    `${grouped(records)} records ${type === null ? "settled" : "said again with it"}`,
    ...(left > 0 ? [`${grouped(left)} with a value that does not fit`] : []),
    ...(gone > 0 ? [`${grouped(gone)} no longer in the log`] : []),
  ];
  return `${feed} v${version}: ${printable(column)} ${what}${isNew ? "" : " already"} · ${counts.join(" · ")}\n`;
}

function typeNamed(text: string): TypeName {
  const type = parseTypeName(text);
  if (type !== null) return type;
  throw new CommandError("USAGE", `"${text}" is no type`, {
    hint: "string, double, bigint, boolean, date, timestamp, json, or decimal(18,2)",
  });
}

async function changed(change: Promise<SchemaChangeResult>): Promise<SchemaChangeResult> {
  try {
    return await change;
  } catch (error) {
    throw error instanceof SchemaChangeRefused ? new CommandError("REFUSED", error.message, { cause: error }) : error;
  }
}
