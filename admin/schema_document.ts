import type { ColumnType } from "../engine/emission.ts";
import type { Rule } from "../engine/rule.ts";
import type { TypeName } from "../engine/schema.ts";
import type { ResolvedTable } from "../engine/table.ts";
import { count } from "./count.ts";
import type { View } from "./reader.ts";
import type { SchemaDetail } from "./schema.ts";

/** A column of a curated table. */
export interface TableColumn {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  /** The feed that brings it, or null. */
  readonly feed: string | null;
}

/** A rule as the catalogue has it. */
export interface RuleItem {
  readonly rule: string;
  readonly version: number;
  readonly family: string;
  readonly severity: string;
  readonly metric: string;
  readonly unit: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly basis: string | null;
  readonly summary: string;
}

/** The actors of a kind whose state has a version. */
export interface StateItem {
  readonly kind: string;
  readonly version: number;
  readonly actors: number;
}

/** JSON Schema (2020-12) of a feed's records as they come: what they may say, and what they must. */
export function feedJsonSchema({ feed, version, columns }: SchemaDetail): object {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: feed,
    description: `version ${version}`,
    type: "object",
    properties: Object.fromEntries(columns.map(({ name, type, required }) => [name, valueSchema(type, required)])),
    required: columns.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: true,
  };
}

/** All columns of all curated tables, without those that every row begins with. `grown`: feed -> columns that its schema has beside the declared ones. */
export function tableColumns(
  tables: readonly ResolvedTable[],
  grown: ReadonlyMap<string, readonly { readonly name: string; readonly type: TypeName }[]>,
): readonly TableColumn[] {
  return tables.flatMap(({ name: table, feed, columns, ofFeed }) => [
    ...columns.map(([column, type], n) => ({ table, column, type: typeText(type), feed: n < ofFeed ? feed : null })),
    ...(feed === null ? [] : (grown.get(feed) ?? [])).map(({ name, type }) => ({ table, column: name, type, feed })),
  ]);
}

/** The rule catalogue. */
export function ruleItems(rules: readonly Rule[]): readonly RuleItem[] {
  return rules.map(({ id, version, family, severity, metric, unit, limits, basis = null, summary }) => {
    return { rule: id, version, family, severity, metric, unit, limits, basis, summary };
  });
}

/** Actors by kind and version of their state. A state of another version is not opened at all, so that one of a kind is held. */
export function stateVersions(view: View): readonly StateItem[] {
  const actors = count(view, "kind");
  return view.domain.behaviours.map(({ kind, version }) => ({ kind, version, actors: actors[kind] ?? 0 }));
}

function valueSchema(type: TypeName, required: boolean): object {
  const types = JSON_TYPES[type.replace(/\(.*/, "")] ?? ["string"];
  return type === "json" ? {} : { type: required ? types : [...types, "null"] };
}

/** Numbers are accepted as text, too; instants and dates also as numbers. */
const JSON_TYPES: Readonly<Record<string, readonly string[]>> = {
  double: ["number", "string"],
  bigint: ["integer", "string"],
  decimal: ["number", "string"],
  boolean: ["boolean", "string", "integer"],
  timestamp: ["string", "number"],
  date: ["string", "number"],
};

function typeText(type: ColumnType): string {
  return type.type === "decimal" ? `decimal(${type.precision},${type.scale})` : type.type;
}
