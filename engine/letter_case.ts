import type { RecordReading } from "./reading.ts";
import type { FeedSchema } from "./schema.ts";

type Values = Readonly<Record<string, unknown>>;

/**
 * A record's values under the names that the schema has for them, where a name differs by case only and there is one column that it can mean and no
 * second name that could mean it, too. The same object if all names stay.
 */
export function inSchemaCase(values: Values, schema: FeedSchema, reading: RecordReading): Values {
  const strange = Object.keys(values).filter((name) => !Object.hasOwn(schema.columns, name));
  if (strange.length === 0) return values;
  const columns = byLowerCase(schema);
  const given = lowerCaseCounts(Object.keys(values));
  const meant = new Map<string, string>();
  for (const name of strange) {
    const lower = name.toLowerCase();
    const column = columns.get(lower);
    if (typeof column === "string" && given.get(lower) === 1) meant.set(name, column);
  }
  if (meant.size === 0) return values;
  for (const [written, column] of meant) reading.alias(column, written);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [meant.get(name) ?? name, value]));
}

const known = new WeakMap<FeedSchema, ReadonlyMap<string, string | null>>(); // Spares the work: a version of a schema has the same names always.

/** The schema's columns: lower case -> the name; null: there is more than one. */
export function byLowerCase(schema: FeedSchema): ReadonlyMap<string, string | null> {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const columns = new Map<string, string | null>();
  for (const name of Object.keys(schema.columns)) {
    const lower = name.toLowerCase();
    columns.set(lower, columns.has(lower) ? null : name);
  }
  known.set(schema, columns);
  return columns;
}

function lowerCaseCounts(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1);
  return counts;
}
