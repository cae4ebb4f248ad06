import { RULES } from "../../actors/rules.ts";
import type { Config } from "../config_types.ts";
import { CommandError } from "../errors.ts";
import { columnsOf, formatJson, formatRows } from "../format.ts";
import { findFeed, listSchemas, type SchemaDetail, schemasText, schemaText, showSchema } from "../schema.ts";
import { type Decision, type DecisionQuery, decisionText } from "../schema_decision.ts";
import { feedJsonSchema, ruleItems, stateVersions, tableColumns } from "../schema_document.ts";
import type { Known } from "../verb.ts";
import type { CommandLine } from "./command_line.ts";

/** What the command is given beside what all are given. */
export interface SchemaCommandOptions {
  /** The JSON Schema of the configuration. */
  readonly configSchema: () => Promise<string>;
  /** The JSON Schema of an alert event. */
  readonly alertSchema: () => Promise<string>;
  /** Carries out a decision on a column in a state on which no engine runs. */
  readonly decide: (config: Config, query: DecisionQuery) => Promise<Decision>;
}

/** Of a verb that changes the state. */
interface WriteOptions {
  readonly write?: boolean;
  readonly yes?: boolean;
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
  schema
    .command("approve <feed> <column> <type>")
    .description("a rescued column becomes one of the schema, and its rescued values move there")
    .option("--write", "allow the change")
    .option("--yes", "do not ask back")
    .action((feed: string, column: string, type: string, flags: WriteOptions) => decide(line, options, { feed, column, type }, flags));
  schema
    .command("ignore <feed> <column>")
    .description("a rescued column is not wanted: its values are counted only")
    .option("--write", "allow the change")
    .option("--yes", "do not ask back")
    .action((feed: string, column: string, flags: WriteOptions) => decide(line, options, { feed, column, type: null }, flags));
}

function allFeeds({ view, schemas }: Known): Promise<readonly SchemaDetail[]> {
  return Promise.all(view.domain.feeds.map(({ name }) => showSchema(view, name, schemas)));
}

/** Carries out a decision on a column, once it is clear that it is meant. */
async function decide(line: CommandLine, options: SchemaCommandOptions, query: DecisionQuery, { write, yes }: WriteOptions): Promise<void> {
  const { feed, column, type } = query;
  const words = `schema ${type === null ? "ignore" : "approve"} ${[feed, column, ...(type === null ? [] : [type])].join(" ")}`;
  if (write !== true) throw new CommandError("USAGE", `${words} changes the state`, { hint: `gridactor ${words} --write` });
  await line.reading(async ({ domain }) => void findFeed({ domain }, feed));
  if (yes !== true && !(await line.confirm(`${words}: a column stays for ever, and so does a decision against it. Go on?`))) {
    throw new CommandError("REFUSED", "nothing was changed");
  }
  const decision = await options.decide(await line.config(), query);
  line.answer(decision, () => decisionText(decision));
}
