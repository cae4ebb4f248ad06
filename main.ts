#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { CommandLine } from "./admin/commands/command_line.ts";
import type { ConfigOptions, LoadedConfig } from "./admin/config.ts";
import type { Config } from "./admin/config_types.ts";
import { CommandError, printError } from "./admin/errors.ts";
import { columnsOf, FORMATS, type Format, flattened, formatJson, formatRows, type Screen } from "./admin/format.ts";
import type { LogOptions } from "./admin/log.ts";
import type { ProgressBar } from "./admin/progress_bar.ts";
import type { View } from "./admin/reader.ts";
import type { Answer, Known, Query, Verb } from "./admin/verb.ts";
import type { Profile } from "./simulators/live.ts";

// Most of the program is imported by the command that needs it: what answers one question must not wait for brokers' libraries.

const HERE = dirname(fileURLToPath(import.meta.url));
const PACKAGE_ROOT = existsSync(join(HERE, "package.json")) ? HERE : dirname(HERE);
const VERSION = (JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as { version: string }).version;

/** Questions that have commands of their own, or none. */
const OTHERWISE: readonly string[] = ["alerts", "alert"];

interface RunFlags {
  readonly drain?: boolean;
  readonly allowRaisedLimits?: boolean;
  readonly insecureDev?: boolean;
  readonly withIngest?: boolean;
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
  .option("--with-ingest", "a node of a cluster also reads the sources into the mailbox")
  .action(async (options: RunFlags) => {
    const [{ requireRunnable }, { summaryText }, { drainRun, liveRun, stopOnSignals }, load, { openLog }] = await Promise.all([
      import("./admin/config.ts"),
      import("./admin/summary.ts"),
      import("./daemon.ts"),
      loader(),
      import("./admin/log.ts"),
    ]);
    const loaded = load(options.allowRaisedLimits === true);
    requireRunnable(loaded);
    const { config } = loaded;
    if (config.cluster !== null) return runNode(loaded, options);
    if (options.withIngest === true)
      throw new CommandError("USAGE", "--with-ingest is for a node of a cluster", { hint: "docs/cluster.md" });
    const log = openLog(logOptions(loaded, "info"));
    const stop = stopOnSignals(log);
    const isForPeople = flags().quiet !== true && flags().json !== true;
    const say = (text: string): void => void (isForPeople && process.stderr.write(`  ${text}`));
    try {
      if (options.drain === true) {
        const { progressBar } = await import("./admin/progress_bar.ts");
        const isDrawn = isForPeople && process.stderr.isTTY;
        const bar = progressBar({
          what: "drain",
          screen: isDrawn ? { write: (text) => void process.stderr.write(text), columns: process.stderr.columns } : null,
          line: (text) => log.info("engine.progress", text),
          nowMs: () => performance.now(),
        });
        const answer = await drainRun({ config, log, screen: null, say, bar }, stop);
        return print(flags().json === true ? formatJson(answer, screenOf()) : summaryText(answer));
      }
      say(`gridactor ${VERSION} · ${loaded.file}\n`);
      say("ask it in a second terminal:  npx gridactor inspect TRF-N-0034    npx gridactor alerts --severity major+\n");
      say("Ctrl-C stops cleanly, the state stays\n");
      const screen = isForPeople ? { write: (text: string) => void process.stdout.write(text), color: colored(process.stdout) } : null;
      onClosedPipe = () => void process.kill(process.pid, "SIGTERM"); // The daemon stops as it should, though nobody reads its lines.
      const asyncApi = readFileSync(join(PACKAGE_ROOT, "asyncapi.yaml"), "utf8");
      const asked = { version: VERSION, shownConfig: loaded.shown, asyncApi, origins: loaded.origins };
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
    const bar = await terminalBar("generate");
    const onRows = (rows: number): void => bar.step(rows, null);
    const generated = async () =>
      generateAllData({ outDir: resolve(out), seed, scale, injected: { stories: parseStories(inject), days }, onRows });
    const { files } = await generated()
      .finally(() => bar.end())
      .catch((error: unknown) => {
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
      if (error instanceof Error && "syscall" in error) throw new CommandError("REFUSED", error.message, { cause: error });
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
    const [{ checkConfig, formatCheck }, { reach }, options] = await Promise.all([
      import("./admin/check.ts"),
      import("./compose.ts"),
      configOptions(),
    ]);
    const check = await checkConfig({ ...options(), environment, denyWarnings: denyWarnings === true, reach });
    print(flags().json === true ? formatJson(check.answer, screenOf()) : formatCheck(check, screenOf()));
    process.exitCode = check.exit;
  });

// Asking --------------------------------------------------------------------------------------------------------------------------------

const commandLine: CommandLine = {
  program,
  config: async () => (await loader())().config,
  reading,
  answer,
  print,
  say: (text) => void (flags().quiet !== true && process.stderr.write(`${text}\n`)),
  form: formOf,
  screen: screenOf,
  isColored: () => colored(process.stdout),
  limit: () => flags().limit,
  cutHint,
  confirm: isConfirmed,
  bar: terminalBar,
};

/** What commands of a cluster are given beside the command line. */
const clusterTools = {
  load: async () => (await loader())(),
  openLog: async (loaded: LoadedConfig) => (await import("./admin/log.ts")).openLog(logOptions(loaded, "info")),
};

/** Commands that are declared by what they import: by the first word, a loader of each. */
const LAZY: Readonly<Record<string, () => Promise<void>>> = {
  alerts: async () => (await import("./admin/commands/alerts.ts")).alertsCommand(commandLine),
  schema: declareSchema,
  score: async () => (await import("./admin/commands/score.ts")).scoreCommand(commandLine),
  backtest: declareBacktest,
  bench: async () => {
    const { benchCommand } = await import("./admin/commands/bench.ts");
    benchCommand(commandLine, async (asked) => (await import("./bench/live.ts")).measureLive(asked));
  },
  export: async () => {
    const [{ exportCommand }, { encodeGroups }] = await Promise.all([
      import("./admin/commands/export.ts"),
      import("./sinks/parquet_part.ts"),
    ]);
    exportCommand(commandLine, encodeGroups);
  },
  backup: declareBackup,
  restore: declareBackup,
  verify: async () => (await import("./admin/commands/verify.ts")).verifyCommand(commandLine),
  repl: declareRepl,
  ingest: declareCluster,
  cluster: declareCluster,
  completion: declareCompletion,
  __complete: declareCompletion,
};

/** Every command but those that ask for all of them. */
async function declareAll(): Promise<void> {
  for (const load of new Set(Object.values(LAZY))) if (load !== declareCompletion) await load();
  await declareVerbs();
}

async function declareBackup(): Promise<void> {
  (await import("./admin/commands/backup.ts")).backupCommands(commandLine);
}

async function declareCluster(): Promise<void> {
  const { clusterCommands } = await import("./cluster_commands.ts");
  clusterCommands(commandLine, { ...clusterTools, onFailure: fail });
}

/** `run` where the configuration is that of a node of a cluster. */
async function runNode(loaded: LoadedConfig, options: RunFlags): Promise<void> {
  const { runNodeCommand } = await import("./cluster_commands.ts");
  await runNodeCommand(loaded, options, { ...clusterTools, onFailure: fail });
}

async function declareCompletion(): Promise<void> {
  const [{ completionCommands }, { stateAsker }, { loadConfig }, options, { GRID }, { RULES }] = await Promise.all([
    import("./admin/commands/completion.ts"),
    import("./admin/state_asker.ts"),
    import("./admin/config.ts"),
    configOptions(),
    import("./actors/registry.ts"),
    import("./actors/rules.ts"),
  ]);
  completionCommands({
    program,
    declareAll,
    print,
    words: {
      kinds: GRID.behaviours.map(({ kind }) => kind),
      feeds: GRID.feeds.map(({ name }) => name),
      rules: RULES.map(({ id }) => id),
    },
    asker({ config, state }) {
      try {
        return stateAsker(loadConfig({ ...options(), path: config ?? null, flags: { state: state ?? null } }).config);
      } catch (error) {
        if (error instanceof CommandError) return null; // Whoever runs a command hears of it; a key press does not.
        throw error;
      }
    },
  });
}

async function declareSchema(): Promise<void> {
  const [{ schemaCommand }, { decisionWriter }, load] = await Promise.all([
    import("./admin/commands/schema.ts"),
    import("./admin/decision_writer.ts"),
    loader(),
  ]);
  schemaCommand(commandLine, {
    alertSchema: async () => readFileSync(join(PACKAGE_ROOT, "schemas", "alert.schema.json"), "utf8"),
    configSchema: async () => (await import("./admin/config_schema.ts")).configSchemaText(),
    writer: () => decisionWriter(takingCommands(load().config), async (...asked) => (await import("./daemon.ts")).decideStopped(...asked)),
  });
}

async function declareBacktest(): Promise<void> {
  const { backtestCommand } = await import("./admin/commands/backtest.ts");
  backtestCommand(commandLine, {
    async candidate(set) {
      const [{ loadConfig }, options] = await Promise.all([import("./admin/config.ts"), configOptions()]);
      const given = options();
      return loadConfig({ ...given, env: { ...given.env, ...set } }).config;
    },
    async replay(config, look) {
      const [{ replayRun, stopOnSignals }, { openLog }] = await Promise.all([import("./daemon.ts"), import("./admin/log.ts")]);
      const log = openLog({ level: flags().quiet === true ? "error" : "warn", screen: null });
      try {
        return await replayRun({ config, log, bar: await terminalBar("backtest") }, look, stopOnSignals(log));
      } finally {
        log.close();
      }
    },
  });
}

async function declareRepl(): Promise<void> {
  const [{ replCommand }, { GRID }, { RULES }, load] = await Promise.all([
    import("./admin/commands/repl.ts"),
    import("./actors/registry.ts"),
    import("./actors/rules.ts"),
    loader(),
  ]);
  replCommand({
    program,
    version: VERSION,
    config: () => oneState(load().config),
    grid: GRID,
    rules: RULES.map(({ id }) => id),
    flags: () => ({ format: formOf(), limit: flags().limit, isQuiet: flags().quiet === true }),
    screen: screenOf,
  });
}

/** The questions and changes of the one table of verbs. */
async function declareVerbs(): Promise<void> {
  const [
    { VERBS, WRITE_VERBS },
    { verbCommand, writeCommand },
    { fileAsker, isRunning, stateAsker },
    { socketAsker, socketWriter },
    { socketPath },
    load,
  ] = await Promise.all([
    import("./admin/verbs.ts"),
    import("./admin/commands/verb_command.ts"),
    import("./admin/state_asker.ts"),
    import("./admin/socket_asker.ts"),
    import("./admin/http/socket_file.ts"),
    loader(),
  ]);
  const [{ printFollowed, printStream }, { isOfSchema }] = await Promise.all([
    import("./admin/commands/streams.ts"),
    import("./admin/commands/schema.ts"),
  ]);
  const asked = {
    program,
    stream: (verb: Verb, query: Query) => printStream(commandLine, verb, query),
    follow: (ask: () => Promise<Answer>, verb: Verb) => printFollowed(commandLine, ask, verb),
    asker: (verb: Verb, query: Query) => {
      const usable = usableConfig(load, isRunning);
      if (usable === null) return socketAsker(socketPath(stateDirNow()));
      const config = oneState(usable);
      return verb.isQuick?.(query) === true ? stateAsker(config) : fileAsker(config);
    },
    answer,
    limit: () => (program.getOptionValueSource("limit") === "default" ? undefined : flags().limit),
    cutHint,
  };
  for (const verb of VERBS) if (!OTHERWISE.includes(verb.name) && !isOfSchema(verb)) verbCommand(verb, asked);
  const changed = { program, answer, writer: () => socketWriter(socketPath(takingCommands(load().config).stateDir)), confirm: isConfirmed };
  for (const verb of WRITE_VERBS) if (!isOfSchema(verb)) writeCommand(verb, changed);
}

/**
 * The configuration, for a question. Null: its file is broken, but a daemon runs on the state that it names, and answers by what it was started with;
 * that is said. Throws CONFIG where neither helps.
 */
function usableConfig(load: () => LoadedConfig, isRunning: (state: { readonly stateDir: string }) => boolean): Config | null {
  try {
    return load().config;
  } catch (error) {
    const isBroken = error instanceof CommandError && error.code === "CONFIG" && !isAbsent(namedConfig());
    if (!isBroken || !isRunning({ stateDir: stateDirNow() })) throw error;
    if (flags().quiet !== true)
      process.stderr.write("the configuration cannot be used (gridactor check says why): the running daemon answers\n");
    return null;
  }
}

/** A file that was named and is not there names no state: no other daemon answers in its place. */
function isAbsent(file: string | undefined): boolean {
  return file !== undefined && !existsSync(file);
}

function namedConfig(): string | undefined {
  return flags().config ?? process.env["GRIDACTOR_CONFIG"];
}

/** Where the state is by a configuration that may be broken elsewhere: what is said on the command line, or its line `state:`. */
function stateDirNow(): string {
  const named = flags().state ?? process.env["GRIDACTOR_STATE"];
  if (named !== undefined) return resolve(named);
  const file = namedConfig() ?? [resolve("gridactor.yaml"), join(PACKAGE_ROOT, "gridactor.yaml")].find(existsSync);
  if (file === undefined || !existsSync(file)) return resolve("state");
  const [, said = "./state"] = /^state:\s*["']?([^"'#\n]+?)["']?\s*(?:#.*)?$/m.exec(readFileSync(file, "utf8")) ?? [];
  return resolve(dirname(resolve(file)), said);
}

/** Declares the command that is meant, or all that there are where that is not clear: for help, and to say which was meant. */
async function declare(words: readonly string[]): Promise<void> {
  const [word] = words.filter((one, n) => !one.startsWith("-") && !VALUED.includes(words[n - 1] ?? ""));
  const isKnown = (): boolean => program.commands.some((command) => command.name() === word);
  if (isKnown() || (word === undefined && words.includes("--version"))) return;
  const lazy = word === undefined ? undefined : LAZY[word];
  if (lazy !== undefined) return lazy();
  if (word !== undefined) await declareVerbs();
  if (isKnown()) return;
  for (const load of new Set(Object.values(LAZY))) await load();
  if (word === undefined) await declareVerbs();
}

/** Flags of the program that take a value. */
const VALUED: readonly string[] = ["--config", "--state", "--format", "--limit", "--color"];

/** What to do when nobody reads the answer any more: it then needs no end. */
let onClosedPipe = (): void => process.exit(0);

// Plumbing ------------------------------------------------------------------------------------------------------------------------------

function flags(): GlobalFlags {
  return program.opts<GlobalFlags>();
}

/** What finding the configuration needs, made once the grid is known. */
async function configOptions(): Promise<(allowRaisedLimits?: boolean) => ConfigOptions> {
  const [{ GRID }, { RULES }, { REGIONS }] = await Promise.all([
    import("./actors/registry.ts"),
    import("./actors/rules.ts"),
    import("./actors/names.ts"),
  ]);
  const catalogue = { feeds: GRID.feeds, rules: RULES, kinds: GRID.behaviours.map(({ kind }) => kind), regions: REGIONS };
  return (allowRaisedLimits = false) => {
    const { config, state } = flags();
    const given = { state: state ?? null, allowRaisedLimits };
    return { path: config ?? null, flags: given, env: process.env, cwd: process.cwd(), packageRoot: PACKAGE_ROOT, catalogue };
  };
}

/** The loader of the configuration. */
async function loader(): Promise<(allowRaisedLimits?: boolean) => LoadedConfig> {
  const [{ loadConfig }, options] = await Promise.all([import("./admin/config.ts"), configOptions()]);
  return (allowRaisedLimits) => loadConfig(options(allowRaisedLimits));
}

/** Opens the state directory to look at it, also while a daemon runs on it, and closes it again. */
async function reading(ask: (view: View, known: Known) => Promise<void>): Promise<void> {
  const [{ withState }, load] = await Promise.all([import("./admin/state_view.ts"), loader()]);
  await withState(oneState(load().config), (known) => ask(known.view, known));
}

/** A node of a cluster has a state for each of its shards. */
function oneState(config: Config): Config {
  if (config.cluster === null || flags().state !== undefined) return config;
  throw new CommandError("USAGE", "this is a node of a cluster: a question goes to the state of one shard", {
    hint: `gridactor cluster where ID, then --state ${join(config.stateDir, "shard-NN")} on the node that has it`,
  });
}

/** What changes a shard has to be in its mailbox, and commands are not. */
function takingCommands(config: Config): Config {
  if (config.cluster === null) return config;
  throw new CommandError("REFUSED", "a cluster takes no commands in this version: nothing was changed", { hint: "docs/cluster.md" });
}

/** Asks back on a terminal; where nobody can answer, the flag `--write` has to do. */
async function isConfirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return true;
  const [{ createInterface }, { printable }, { isYes }] = await Promise.all([
    import("node:readline/promises"),
    import("./admin/printable.ts"),
    import("./admin/yes.ts"),
  ]);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return isYes(await lines.question(`${printable(question)} [y/N] `));
  } finally {
    lines.close();
  }
}

/** Progress of long work, drawn where a person sees it; elsewhere nothing is said. */
async function terminalBar(what: string): Promise<ProgressBar> {
  const { progressBar } = await import("./admin/progress_bar.ts");
  const isDrawn = process.stderr.isTTY && flags().quiet !== true && flags().json !== true;
  const screen = isDrawn ? { write: (text: string) => void process.stderr.write(text), columns: process.stderr.columns } : null;
  return progressBar({ what, screen, line: () => {}, nowMs: () => performance.now() });
}

/** Prints an answer in the form that was asked for; `text` makes the one for people. */
function answer(value: unknown, text: (screen: Screen | null) => string): void {
  const form = formOf();
  if (form === "json") return print(formatJson(value, screenOf()));
  if (form === "table" || typeof value !== "object") return print(text(screenOf()));
  const nested = (Array.isArray(value) ? value : [value]) as Readonly<Record<string, never>>[];
  const rows = form === "csv" ? flattened(nested) : nested;
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

function logOptions({ secrets }: LoadedConfig, level: "warn" | "info"): LogOptions {
  const screen = process.stderr.isTTY ? { widthMax: process.stderr.columns, color: colored(process.stderr) } : null;
  return { level: flags().verbose === true ? "debug" : flags().quiet === true ? "error" : level, screen, secrets };
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
  await declare(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = printError(error, flags().json === true);
  else if (error.exitCode === 0 || flags().json !== true)
    process.exitCode = error.exitCode === 0 ? 0 : 2; // It has said what is wrong.
  else process.exitCode = printError(usageError(error), true);
}
