import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { RULES } from "../actors/rules.ts";
import { invariant } from "../engine/fault.ts";
import { columnsOf, formatJson, formatRows, type Screen } from "./format.ts";
import { type SchemaDetail, showSchema } from "./schema.ts";
import { feedJsonSchema, ruleItems, stateVersions, tableColumns } from "./schema_document.ts";
import { type Known, type Verb, verb } from "./verb.ts";

const NOTHING = { args: [], options: [] } as const;

/** Documents on what the engine takes and gives: each a name of `schema`. */
export const SCHEMA_VERBS: readonly Verb[] = [
  verb({
    ...NOTHING,
    name: "schema feeds",
    about: "JSON Schemas of all feeds, by name",
    route: "/v1/schema/feeds",
    ask: async (known) => ({ value: Object.fromEntries((await allFeeds(known)).map((detail) => [detail.feed, feedJsonSchema(detail)])) }),
    text: (value, _query, screen) => formatJson(value, screen),
  }),
  verb({
    ...NOTHING,
    name: "schema tables",
    about: "the columns of all curated tables",
    route: "/v1/schema/tables",
    async ask(known) {
      const details = await allFeeds(known);
      const grown = new Map(details.map(({ feed, columns }) => [feed, columns.filter(({ origin }) => origin !== "declared")]));
      return { value: tableColumns(known.view.domain.tables, grown) };
    },
    text: (value, _query, screen) => rowsText(value, screen),
  }),
  verb({
    ...NOTHING,
    name: "schema rules",
    about: "the rule catalogue",
    route: "/v1/schema/rules",
    ask: () => ({ value: ruleItems(RULES) }),
    text: (value, _query, screen) => rowsText(value, screen),
  }),
  verb({
    ...NOTHING,
    name: "schema states",
    about: "actors by kind and version of their state",
    route: "/v1/schema/states",
    ask: ({ view }) => ({ value: stateVersions(view) }),
    text: (value, _query, screen) => rowsText(value, screen),
  }),
  verb({
    ...NOTHING,
    name: "schema alert",
    about: "JSON Schema of an alert event",
    route: "/v1/schema/alert",
    ask: () => ({ value: shipped("alert.schema.json") }),
    text: (value, _query, screen) => formatJson(value, screen),
  }),
  verb({
    ...NOTHING,
    name: "schema config",
    about: "JSON Schema of the configuration",
    route: "/v1/schema/config",
    ask: () => ({ value: shipped("config.schema.json") }),
    text: (value, _query, screen) => formatJson(value, screen),
  }),
];

function allFeeds({ view, schemas }: Known): Promise<readonly SchemaDetail[]> {
  return Promise.all(view.domain.feeds.map(({ name }) => showSchema(view, name, schemas)));
}

function rowsText(rows: readonly object[], screen: Screen | null): string {
  const cells = rows.map((row) => ({ ...row }));
  return formatRows(cells, columnsOf(cells) as never, "table", screen);
}

/** A document of the package, which the built program finds one folder further up. */
function shipped(name: string): unknown {
  const file = [`../schemas/${name}`, `../../schemas/${name}`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync);
  invariant(file !== undefined, `${name} is part of the package`);
  return JSON.parse(readFileSync(file, "utf8"));
}
