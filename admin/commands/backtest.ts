import { RULES } from "../../actors/rules.ts";
import { backtestText, compareAlerts } from "../backtest.ts";
import type { Config } from "../config_types.ts";
import { CommandError } from "../errors.ts";
import type { View } from "../reader.ts";
import type { CommandLine } from "./command_line.ts";

/** What the command is given beside what all are given. */
export interface BacktestCommandOptions {
  /** The configuration with these set, as variables of the environment would. */
  readonly candidate: (set: Readonly<Record<string, string>>) => Promise<Config>;
  /** Reads the landing sources of a configuration into memory, publishes nothing, and shows what came of it. */
  readonly replay: <T>(config: Config, look: (view: View) => Promise<T>) => Promise<T>;
}

interface BacktestFlags {
  readonly set?: readonly string[];
  readonly actor?: string;
  readonly since?: string;
  readonly until?: string;
}

/** `backtest`: what another configuration would have raised. */
export function backtestCommand(line: CommandLine, { candidate, replay }: BacktestCommandOptions): void {
  line.program
    .command("backtest")
    .description("read the files again into memory with the configuration --config, and compare its alerts with those of the state")
    .option("--set <path=value>", "set a value of it: rules.meter.spike.limitKwh=60 (may be repeated)", collected)
    .option("--actor <id>", "alerts of one actor only")
    .option("--since <time>", "onset, at or after")
    .option("--until <time>", "onset, before")
    .action(async ({ set = [], ...query }: BacktestFlags) => {
      const variables = set.map(variableOf);
      const config = await candidate(Object.fromEntries(variables)).catch((error: unknown) => {
        throw error instanceof CommandError ? asSaid(error, variables) : error;
      });
      await line.reading(async (stored) => {
        const difference = await replay(config, (view) => compareAlerts(stored, view, query));
        line.answer(difference, () => backtestText(difference));
      });
    });
}

/** An error about a variable, as one about the `--set` that it stands for. */
function asSaid(error: CommandError, variables: readonly (readonly [string, string])[]): CommandError {
  const said = (text: string): string =>
    variables.reduce((shown, [variable]) => shown.replaceAll(variable, `--set ${variable.split("__").slice(1).join(".")}`), text);
  const { code, message, hint, candidates } = error;
  return new CommandError(code, said(message), { hint: hint === null ? null : said(hint), candidates, cause: error });
}

/** `rules.meter.spike.limitKwh=60` as the variable that says the same. Throws USAGE. */
function variableOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new CommandError("USAGE", `--set: "${text}" is no PATH=VALUE`, { hint: "--set rules.meter.spike.limitKwh=60" });
  const path = text.slice(0, at).trim();
  const rule = RULES.find(({ id }) => path.startsWith(`rules.${id}.`))?.id;
  const keys = rule === undefined ? path.split(".") : ["rules", rule, path.slice(`rules.${rule}.`.length)];
  return [`GRIDACTOR__${keys.join("__")}`, text.slice(at + 1)];
}

function collected(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
