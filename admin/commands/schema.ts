import { RULES } from "../../actors/rules.ts";
import { columnsOf, formatJson, formatRows } from "../format.ts";
import { listSchemas, type SchemaDetail, schemasText, schemaText, showSchema } from "../schema.ts";
import { feedJsonSchema, ruleItems, stateVersions, tableColumns } from "../schema_document.ts";
import type { Known, WriteVerb } from "../verb.ts";
import { WRITE_VERBS } from "../verbs.ts";
import type { Writer } from "../writer.ts";
import type { CommandLine } from "./command_line.ts";
import { writeCommand } from "./verb_command.ts";

/** What the command is given beside what all are given. */
export interface SchemaCommandOptions {
  /** The JSON Schema of the configuration. */
  readonly configSchema: () => Promise<string>;
  /** The JSON Schema of an alert event. */
  readonly alertSchema: () => Promise<string>;
  /** Carries out decisions on columns, whether an engine runs or not. */
  readonly writer: () => Writer;
}

/** `schema`: schemas of feeds, tables, rules, states, alerts and the configuration; decisions on new columns. */
export function schemaCommand(line: CommandLine, options: SchemaCommandOptions): void {
  const { program, reading, answer } = line;
  const schema = program
    .command("schema")
    .description("schemas of feeds, tables, rules, states, alerts and the configuration; decisions on columns");
  const rowsAnswer = (rows: readonly object[]): void =>
    answer(rows, (screen) => formatRows(rows, columnsOf(rows.map((row) => ({ ...row }))) as never, "table", screen));
  schema
    .command("ls", { isDefault: true })
    .description("the feeds: versions, modes, and columns that wait for a decision")
    .action(() =>
      reading(async (view, { schemas }) => {
        const items = listSchemas(view, schemas);
        answer(items, (screen) => schemasText(items, screen));
      }),
    );
  schema
    .command("show <feed>")
    .description("one feed: columns, versions, what waits and what is not kept")
    .action((feed: string) =>
      reading(async (view, { schemas }) => {
        const detail = await showSchema(view, feed, schemas);
        answer(detail, (screen) => schemaText(detail, screen));
      }),
    );
  schema
    .command("feeds")
    .description("JSON Schemas of all feeds, by name")
    .action(() =>
      reading(async (_view, known) => {
        const details = await allFeeds(known);
        line.print(formatJson(Object.fromEntries(details.map((detail) => [detail.feed, feedJsonSchema(detail)])), line.screen()));
      }),
    );
  schema
    .command("tables")
    .description("the columns of all curated tables")
    .action(() =>
      reading(async (view, known) => {
        const details = await allFeeds(known);
        const grown = new Map(details.map(({ feed, columns }) => [feed, columns.filter(({ origin }) => origin !== "declared")]));
        rowsAnswer(tableColumns(view.domain.tables, grown));
      }),
    );
  schema
    .command("rules")
    .description("the rule catalogue")
    .action(() => rowsAnswer(ruleItems(RULES)));
  schema
    .command("states")
    .description("actors by kind and version of their state")
    .action(() => reading(async (view) => rowsAnswer(stateVersions(view))));
  schema
    .command("alert")
    .description("JSON Schema of an alert event")
    .action(async () => line.print(await options.alertSchema()));
  schema
    .command("config")
    .description("JSON Schema of the configuration")
    .action(async () => line.print(await options.configSchema()));
  for (const verb of WRITE_VERBS)
    if (isOfSchema(verb)) writeCommand(verb, { program, answer, confirm: line.confirm, writer: options.writer });
}

/** Verbs of `schema` are its commands, which are declared here. */
export function isOfSchema({ name }: Pick<WriteVerb, "name">): boolean {
  return name.startsWith("schema ");
}

function allFeeds({ view, schemas }: Known): Promise<readonly SchemaDetail[]> {
  return Promise.all(view.domain.feeds.map(({ name }) => showSchema(view, name, schemas)));
}
