import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { Asker } from "../asker.ts";
import type { Screen } from "../format.ts";
import { flagOf, type Parameter, type Query, type Verb } from "../verb.ts";
import { cutOf } from "../verbs.ts";

/** What such a command is given by the program. */
export interface VerbCommandOptions {
  readonly program: Command;
  /** Who is asked this question. */
  readonly asker: (verb: Verb, query: Query) => Asker;
  /** Prints an answer in the form that was asked for; `text` makes the one for people. */
  readonly answer: (value: unknown, text: (screen: Screen | null) => string) => void;
  /** `--limit`, if it was given. */
  readonly limit: () => number | undefined;
  /** Says on stderr that an answer was cut. */
  readonly cutHint: (shown: number, found: number) => void;
}

/** A question as a command: its arguments and options are the verb's. */
export function verbCommand(verb: Verb, options: VerbCommandOptions): void {
  const command = commandOf(verb, options.program).description(verb.about);
  for (const arg of verb.args) command.argument(arg.isRequired === true ? `<${arg.name}>` : `[${arg.name}]`, arg.about);
  for (const option of verb.options) if (option.name !== "limit") addOption(command, option); // The program's own.
  command.action(async (...given: unknown[]) => {
    const query = queryOf(verb, given, options.limit());
    const signal = new AbortController().signal;
    const answer = await options.asker(verb, query).ask(verb.name, query, signal);
    options.answer(answer.value, (screen) => verb.text(answer.value, query, screen));
    const cut = cutOf(answer);
    if (cut !== null) options.cutHint(cut.shown, cut.found);
  });
}

/** `quarantine show` is a command of `quarantine`, which is made by whoever comes first. */
function commandOf({ name, about, isDefault }: Verb, program: Command): Command {
  const [first = name, second] = name.split(" ");
  if (second === undefined) return program.command(first);
  const group = program.commands.find((command) => command.name() === first) ?? program.command(first).description(about);
  return group.command(second, { isDefault: isDefault === true });
}

function addOption(command: Command, option: Parameter): void {
  const flag = `--${flagOf(option)}${option.takes === "switch" ? "" : " <value>"}`;
  const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];
  if (option.isMany === true) command.option(flag, option.about, collect);
  else command.option(flag, option.about, option.takes === "number" ? wholeNumber : (text) => text);
}

/** Commander gives the arguments, then the options, then itself. */
function queryOf(verb: Verb, given: readonly unknown[], limit: number | undefined): Query {
  const args = Object.fromEntries(verb.args.map(({ name }, n) => [name, given[n]]));
  const takesLimit = limit !== undefined && verb.options.some(({ name }) => name === "limit");
  return { ...args, ...(given[verb.args.length] as Query), ...(takesLimit ? { limit: String(limit) } : {}) } as Query;
}

function wholeNumber(text: string): string {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("a whole number is wanted");
  return text;
}
