#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { REGIONS } from "./actors/names.ts";
import { GRID } from "./actors/registry.ts";
import { RULES } from "./actors/rules.ts";
import {
  AlertFollower,
  type AlertQuery,
  alertEvents,
  alertFilter,
  alertsText,
  type Gap,
  gapAt,
  type LoggedAlert,
  newestAlerts,
} from "./admin/alerts.ts";
import { checkConfig, formatCheck } from "./admin/check.ts";
import type { CommandLine } from "./admin/commands/command_line.ts";
import { exportCommand } from "./admin/commands/export.ts";
import { replCommand } from "./admin/commands/repl.ts";
import { verbCommand, writeCommand } from "./admin/commands/verb_command.ts";
import { verifyCommand } from "./admin/commands/verify.ts";
import { type ConfigOptions, type LoadedConfig, loadConfig, requireRunnable } from "./admin/config.ts";
import { configSchemaText } from "./admin/config_schema.ts";
import type { Config } from "./admin/config_types.ts";
import { CommandError, printError } from "./admin/errors.ts";
import { columnsOf, FORMATS, type Format, formatJson, formatRows, type Screen } from "./admin/format.ts";
import { socketPath } from "./admin/http/socket_file.ts";
import { type Log, openLog } from "./admin/log.ts";
import { printable } from "./admin/printable.ts";
import type { View } from "./admin/reader.ts";
import { findFeed, listSchemas, schemasText, schemaText, showSchema } from "./admin/schema.ts";
import { type DecisionQuery, decisionText } from "./admin/schema_decision.ts";
import { feedJsonSchema, ruleItems, tableColumns } from "./admin/schema_document.ts";
import { score, scoreText } from "./admin/score.ts";
import { socketWriter } from "./admin/socket_asker.ts";
import { fileAsker, stateAsker } from "./admin/state_asker.ts";
import { summaryText } from "./admin/summary.ts";
import type { Query, Verb } from "./admin/verb.ts";
import { VERBS, WRITE_VERBS } from "./admin/verbs.ts";
import { isYes } from "./admin/yes.ts";
import { domainOf, schemasOf } from "./compose.ts";
import { decideStopped, drainRun, isFileError, liveRun, stopOnSignals, storeError } from "./daemon.ts";
import { wallClock } from "./engine/clock.ts";
import { NoStore } from "./engine/damaged_store.ts";
import { emissionDecoder } from "./engine/emission_codec.ts";
import { openLmdbStore } from "./engine/lmdb_store.ts";
import type { Profile } from "./simulators/live.ts";
import { encodeGroups } from "./sinks/parquet_part.ts";

/** How often `alerts --follow` looks at a log that another process writes. */
const FOLLOW_EVERY_MS = 250;

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE_ROOT = existsSync(join(HERE, "package.json")) ? HERE : dirname(HERE);
const VERSION = (JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as { version: string }).version;

/** Questions that have commands of their own, or none. */
const OTHERWISE: readonly string[] = ["alerts", "alert", "schema ls", "schema show"];

/** Of a verb that changes the state. */
interface WriteOptions {
  readonly write?: boolean;
  readonly yes?: boolean;
}

interface GlobalFlags {
  readonly config?: string;
  readonly state?: string;
  readonly json?: boolean;
  readonly format?: Format;
  readonly limit: number;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: "auto" | "always" | "never";
}

const program = new Command("gridactor")
  .description("Every meter, customer, bill, transformer, substation, plant and region as a live actor.")
  .version(VERSION)
  .option("--config <file>", "configuration (default: gridactor.yaml here, else the shipped one)")
  .option("--state <dir>", "state directory, overrides the configuration")
  .option("--json", "one JSON value; JSON lines for streams")
  .addOption(new Option("--format <form>", "form of the answer").choices(FORMATS))
  .option("--limit <n>", "rows at most", wholeNumber, 100)
  .option("--quiet", "answers and errors only")
  .option("--verbose", "also debug lines, and the stack of an internal error")
  .addOption(new Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"))
  .showHelpAfterError("(gridactor --help lists the commands)")
  .configureOutput({ writeErr: (text) => void (flags().json === true || process.stderr.write(text)) })
  .exitOverride();

// Running -------------------------------------------------------------------------------------------------------------------------------

program
  .command("run")
  .description("run until Ctrl-C: the files of all feeds first, then live")
  .option("--drain", "read the files to their present end, flush the sinks, sum up")
  .option("--allow-raised-limits", "limits may be higher than the shipped ones")
  .option("--insecure-dev", "Kafka without certificate check")
  .action(async (options: { drain?: boolean; allowRaisedLimits?: boolean; insecureDev?: boolean }) => {
    const loaded = load(options.allowRaisedLimits === true);
    requireRunnable(loaded);
    const { config } = loaded;
    const log = logFor(loaded, options.drain === true ? "warn" : "info");
    const stop = stopOnSignals(log);
    const isForPeople = flags().quiet !== true && flags().json !== true;
    const say = (text: string): void => void (isForPeople && process.stderr.write(`  ${text}`));
    try {
      if (options.drain === true) {
        const answer = await drainRun({ config, log, screen: null, say }, stop);
        return print(flags().json === true ? formatJson(answer, screenOf()) : summaryText(answer));
      }
      say(`gridactor ${VERSION} · ${loaded.file}\n`);
      say("ask it in a second terminal:  npx gridactor inspect TRF-N-0034    npx gridactor alerts --severity major+\n");
      say("Ctrl-C stops cleanly, the state stays\n");
      const { json, quiet } = flags();
      const isForPeople = json !== true && quiet !== true;
      const screen = isForPeople ? { write: (text: string) => void process.stdout.write(text), color: colored(process.stdout) } : null;
      onClosedPipe = () => void process.kill(process.pid, "SIGTERM"); // The daemon stops as it should, though nobody reads its lines.
      const asked = { version: VERSION, shownConfig: loaded.shown, origins: loaded.origins };
      const reload = (): Config => {
        const again = load(options.allowRaisedLimits === true);
        requireRunnable(again);
        return again.config;
      };
      await liveRun({ config, log, screen, say, reload, insecureDev: options.insecureDev === true, ...asked }, stop);
    } catch (error) {
      if (!(error instanceof CommandError)) log.fatal("engine.failed", error instanceof Error ? error.message : String(error));
      return fail(error);
    } finally {
      log.close();
    }
    // All is closed and said: a timer that the client of a broker has left behind must not hold the process.
    process.stdout.write("", () => process.exit());
    return undefined;
  });

program
  .command("generate")
  .description("write the seven inputs of the data guide, and their labels")
  .option("--out <dir>", "folder", "data_sources")
  .option("--seed <n>", "same seed, same bytes", wholeNumber, 42)
  .option("--scale <n>", "so many times larger", wholeNumber, 1)
  .option("--inject <stories>", "stories of weeks behind the data day: theft, overheating", "")
  .option("--days <n>", "how many days they last", wholeNumber, 66)
  .action(async ({ out, seed, scale, inject, days }: { out: string; seed: number; scale: number; inject: string; days: number }) => {
    const { generateAllData, parseStories } = await import("./simulators/generate_all_data.ts");
    const generated = async () => generateAllData({ outDir: resolve(out), seed, scale, injected: { stories: parseStories(inject), days } });
    const { files } = await generated().catch((error: unknown) => {
      throw error instanceof RangeError
        ? new CommandError("USAGE", error.message)
        : new CommandError("REFUSED", error instanceof Error ? error.message : String(error));
    });
    answer(files, (screen) => formatRows(files, columnsOf(files.map((file) => ({ ...file }))) as never, formOf(), screen));
  });

program
  .command("simulate")
  .description("send a live stream: meters, substations or billing")
  .addArgument(program.createArgument("<profile>").choices(["meters", "substations", "billing"]))
  .argument("[seconds]", "how long; 0 = without end", number, 60)
  .option("--rate <n>", "messages per second", number, 3)
  .option("--seed <n>", "seed", wholeNumber, 42)
  .option("--scale <n>", "scale of the grid", wholeNumber, 1)
  .option("--to <url>", "stdout, file:PATH, kafka://HOST:PORT/TOPIC or eventhub:HUB", "stdout")
  .action(async (profile: Profile, seconds: number, options: { rate: number; seed: number; scale: number; to: string }) => {
    const [{ simulate }, { TargetUnavailable, TargetInvalid }] = await Promise.all([
      import("./simulators/simulate.ts"),
      import("./simulators/target.ts"),
    ]);
    const stop = new AbortController();
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
    try {
      await simulate({ profile, seconds, ...options, signal: stop.signal });
    } catch (error) {
      if (error instanceof TargetUnavailable) throw new CommandError("RETRY", error.message, { cause: error });
      if (isFileError(error)) throw new CommandError("REFUSED", error.message, { cause: error });
      if (error instanceof TargetInvalid || error instanceof RangeError) throw new CommandError("USAGE", error.message, { cause: error });
      throw error;
    }
  });

program
  .command("check")
  .description("check the configuration: syntax, schema, references, environment")
  .option("--no-environment", "look at nothing outside the file")
  .option("--deny-warnings", "warnings refuse, too")
  .action(async ({ environment, denyWarnings }: { environment: boolean; denyWarnings?: boolean }) => {
    const check = await checkConfig({ ...configOptions(), environment, denyWarnings: denyWarnings === true });
    print(flags().json === true ? formatJson(check.answer, screenOf()) : formatCheck(check, screenOf()));
    process.exitCode = check.exit;
  });

// Asking --------------------------------------------------------------------------------------------------------------------------------

program
  .command("alerts")
  .description("the newest event of each alert; with --from or --follow, events as they come")
  .option("--follow", "open alerts, then what comes")
  .option("--from <sequence>", "every event from this number on", wholeNumber)
  .option("--since <time>", "event time, at or after")
  .option("--severity <level>", "major: exactly; major+: and worse")
  .option("--under <id>", "an actor and all below it")
  .option("--rule <pattern>", "rule id, * allowed")
  .option("--kind <kind>", "kind of actor")
  .option("--status <status>", "open, acknowledged, shelved, suppressed, cleared, retracted")
  .option("--origin <origin>", "live, late, backfill, replay")
  .action((query: AlertQuery & { follow?: boolean; from?: number }) =>
    reading(async (view) => {
      const rules = RULES.map((rule) => rule.id);
      const filter = alertFilter(view, query, rules);
      if (query.follow === true) return followAlerts(view, query, filter);
      if (query.from !== undefined) {
        const gap = gapAt(view, query.from);
        if (gap !== null) tellGap(gap);
        for await (const alert of alertEvents(view, filter, gap?.firstAvailable ?? query.from)) {
          print(alertText(alert));
        }
        return undefined;
      }
      const { alerts, found } = await newestAlerts(view, filter, flags().limit);
      answer(
        alerts.map(({ event }) => event),
        () => alertsText(alerts, colored(process.stdout)),
      );
      return cutHint(alerts.length, found);
    }),
  );

const schema = program.command("schema").description("schemas of feeds, tables, rules and the configuration; decisions on new columns");
schema
  .command("ls", { isDefault: true })
  .description("the feeds: versions, modes, and columns that wait for a decision")
  .action(() =>
    reading(async (view, config) => {
      const items = listSchemas(view, schemasOf(config));
      answer(items, (screen) => schemasText(items, screen));
    }),
  );
schema
  .command("show <feed>")
  .description("one feed: columns, versions, what waits and what is not kept")
  .action((feed: string) =>
    reading(async (view, config) => {
      const detail = await showSchema(view, feed, schemasOf(config));
      answer(detail, (screen) => schemaText(detail, screen));
    }),
  );
schema
  .command("feeds")
  .description("JSON Schemas of all feeds, by name")
  .action(() =>
    reading(async (view, config) => {
      const details = await Promise.all(view.domain.feeds.map(({ name }) => showSchema(view, name, schemasOf(config))));
      print(formatJson(Object.fromEntries(details.map((detail) => [detail.feed, feedJsonSchema(detail)])), screenOf()));
    }),
  );
schema
  .command("tables")
  .description("the columns of all curated tables")
  .action(() =>
    reading(async (view, config) => {
      const details = await Promise.all(view.domain.feeds.map(({ name }) => showSchema(view, name, schemasOf(config))));
      const grown = new Map(details.map(({ feed, columns }) => [feed, columns.filter(({ origin }) => origin !== "declared")]));
      const rows = tableColumns(view.domain.tables, grown);
      answer(rows, (screen) => formatRows(rows, columnsOf(rows.map((row) => ({ ...row }))) as never, "table", screen));
    }),
  );
schema
  .command("rules")
  .description("the rule catalogue")
  .action(() => {
    const rows = ruleItems(RULES);
    answer(rows, (screen) => formatRows(rows, columnsOf(rows.map((row) => ({ ...row }))) as never, "table", screen));
  });
schema
  .command("config")
  .description("JSON Schema of the configuration")
  .action(() => print(configSchemaText()));
schema
  .command("approve <feed> <column> <type>")
  .description("a rescued column becomes one of the schema, and its rescued values move there")
  .option("--write", "allow the change")
  .option("--yes", "do not ask back")
  .action((feed: string, column: string, type: string, options: WriteOptions) => decide({ feed, column, type }, options));
schema
  .command("ignore <feed> <column>")
  .description("a rescued column is not wanted: its values are counted only")
  .option("--write", "allow the change")
  .option("--yes", "do not ask back")
  .action((feed: string, column: string, options: WriteOptions) => decide({ feed, column, type: null }, options));

program
  .command("score")
  .description("curated rows and alerts against the labels of generated data")
  .requiredOption("--truth <dir>", "folder of the labels")
  .option("--rules <ids>", "only these, comma-separated")
  .option("--since <time>", "event time, at or after")
  .option("--until <time>", "event time, before")
  .action(({ truth, ...query }: { truth: string; rules?: string; since?: string; until?: string }) =>
    reading(async (view) => {
      const result = await score(view, resolve(truth), query);
      answer(result, () => scoreText(result));
      if (!result.passed) process.exitCode = 5;
    }),
  );

const commandLine: CommandLine = { program, reading, answer, limit: () => flags().limit, cutHint };
exportCommand(commandLine, encodeGroups);
verifyCommand(commandLine);

const asked = {
  program,
  asker: (verb: Verb, query: Query) => (verb.isQuick?.(query) === true ? stateAsker(load().config) : fileAsker(load().config)),
  answer,
  limit: () => (program.getOptionValueSource("limit") === "default" ? undefined : flags().limit),
  cutHint,
};
for (const verb of VERBS) if (!OTHERWISE.includes(verb.name)) verbCommand(verb, asked);
const changed = { program, answer, writer: () => socketWriter(socketPath(load().config.stateDir)), confirm: isConfirmed };
for (const verb of WRITE_VERBS) writeCommand(verb, changed);
replCommand({
  program,
  version: VERSION,
  config: () => load().config,
  grid: GRID,
  rules: RULES.map(({ id }) => id),
  flags: () => ({ format: formOf(), limit: flags().limit, isQuiet: flags().quiet === true }),
  screen: screenOf,
});

/** What to do when nobody reads the answer any more: it then needs no end. */
let onClosedPipe = (): void => process.exit(0);

// Plumbing ------------------------------------------------------------------------------------------------------------------------------

function flags(): GlobalFlags {
  return program.opts<GlobalFlags>();
}

function configOptions(allowRaisedLimits = false): ConfigOptions {
  const { config, state } = flags();
  return {
    path: config ?? null,
    flags: { state: state ?? null, allowRaisedLimits },
    env: process.env,
    cwd: process.cwd(),
    packageRoot: PACKAGE_ROOT,
    catalogue: { feeds: GRID.feeds, rules: RULES, kinds: GRID.behaviours.map(({ kind }) => kind), regions: REGIONS },
  };
}

function load(allowRaisedLimits = false): LoadedConfig {
  return loadConfig(configOptions(allowRaisedLimits));
}

/** Opens the state directory to look at it, also while a daemon runs on it, and closes it again. */
async function reading(ask: (view: View, config: Config) => Promise<void>): Promise<void> {
  const { config } = load();
  const store = await openLmdbStore({ dir: config.stateDir, limits: config.limits, readOnly: true }).catch((error: unknown) => {
    if (error instanceof NoStore) throw new CommandError("UNREACHABLE", error.message, { hint: "gridactor run --drain" });
    throw storeError(error);
  });
  try {
    const domain = domainOf(config);
    await ask({ store, domain, decode: emissionDecoder(config.name, domain.tables) }, config);
  } catch (error) {
    throw storeError(error);
  } finally {
    await store.close();
  }
}

/** Carries out a decision on a column, once it is clear that it is meant. */
async function decide(query: DecisionQuery, { write, yes }: WriteOptions): Promise<void> {
  const { feed, column, type } = query;
  const words = `schema ${type === null ? "ignore" : "approve"} ${[feed, column, ...(type === null ? [] : [type])].join(" ")}`;
  if (write !== true) throw new CommandError("USAGE", `${words} changes the state`, { hint: `gridactor ${words} --write` });
  const { config } = load();
  findFeed({ domain: domainOf(config) }, feed);
  if (yes !== true && !(await isConfirmed(`${words}: a column stays for ever, and so does a decision against it. Go on?`))) {
    throw new CommandError("REFUSED", "nothing was changed");
  }
  const decision = await decideStopped(config, query);
  answer(decision, () => decisionText(decision));
}

/** Asks back on a terminal; where nobody can answer, the flag `--write` has to do. */
async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return isYes(await lines.question(`${printable(question)} [y/N] `));
  } finally {
    lines.close();
  }
}

async function followAlerts(view: View, query: { readonly from?: number }, filter: ReturnType<typeof alertFilter>): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
  const follower = new AlertFollower(view, {
    filter,
    from: query.from ?? null,
    waitForMore: (signal) => wallClock.sleep(FOLLOW_EVERY_MS, signal),
    onGap: tellGap,
  });
  for await (const alert of follower.events(stop.signal)) {
    print(alertText(alert));
  }
  const given = process.argv.slice(2).filter((word, n, words) => word !== "--from" && words[n - 1] !== "--from");
  if (flags().quiet !== true) process.stderr.write(`resume: gridactor ${given.join(" ")} --from ${follower.resumeFrom ?? 1}\n`);
}

/** Events that are no longer kept: a line of the stream for programs; people are told beside it. */
function tellGap(gap: Gap): void {
  if (formOf() !== "table") return print(`${JSON.stringify({ gap })}\n`);
  process.stderr.write(`events from ${gap.requested} on are not in the log; it begins at ${gap.firstAvailable}\n`);
}

/** One event of a stream: a line for people, or of JSON. */
function alertText(alert: LoggedAlert): string {
  const form = formOf();
  if (form === "json" || form === "jsonl") return `${JSON.stringify(alert.event)}\n`;
  if (form !== "table") throw new CommandError("USAGE", `a stream of alerts has no form ${form}`, { hint: "--format jsonl" });
  return alertsText([alert], colored(process.stdout));
}

/** Prints an answer in the form that was asked for; `text` makes the one for people. */
function answer(value: unknown, text: (screen: Screen | null) => string): void {
  const form = formOf();
  if (form === "json") return print(formatJson(value, screenOf()));
  if (form === "table" || typeof value !== "object") return print(text(screenOf()));
  const rows = (Array.isArray(value) ? value : [value]) as Readonly<Record<string, never>>[];
  print(formatRows(rows, columnsOf(rows), form, screenOf()));
}

function formOf(): Format {
  return flags().json === true ? "json" : (flags().format ?? "table");
}

function cutHint(shown: number, found: number): void {
  if (found > shown && flags().quiet !== true) process.stderr.write(`${shown} of ${found}; add --limit ${found}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}

function screenOf(): Screen | null {
  return process.stdout.isTTY ? { widthMax: process.stdout.columns, color: colored(process.stdout) } : null;
}

function colored(stream: NodeJS.WriteStream): boolean {
  const { color } = flags();
  return color === "always" || (color === "auto" && stream.isTTY && process.env["NO_COLOR"] === undefined);
}

function logFor({ secrets }: LoadedConfig, level: "warn" | "info"): Log {
  const screen = process.stderr.isTTY ? { widthMax: process.stderr.columns, color: colored(process.stderr) } : null;
  return openLog({ level: flags().verbose === true ? "debug" : flags().quiet === true ? "error" : level, screen, secrets });
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted");
  return Number(text);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) throw new InvalidArgumentError("a number is wanted, 0 or more");
  return value;
}

/** What is wrong with a command line, as one of our errors. */
function usageError({ code, message }: CommanderError): CommandError {
  const [what = "", ...rest] = code === "commander.help" ? ["no command is given"] : message.split("\n");
  const meant = /\(Did you mean (?:one of )?(.+)\?\)/.exec(rest.join(" "))?.[1]?.split(", ") ?? [];
  return new CommandError("USAGE", what.replace(/^error: /, ""), { hint: "gridactor --help", candidates: meant });
}

/** Ends the process after a fatal error: a store that failed is not closed, restarting is the recovery. */
function fail(error: unknown): never {
  process.exit(printError(error, flags().json === true));
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  const closed = onClosedPipe;
  onClosedPipe = () => {};
  closed();
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = printError(error, flags().json === true);
  else if (error.exitCode === 0 || flags().json !== true)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // It has said what is wrong.
  else process.exitCode = printError(usageError(error), true);
}
